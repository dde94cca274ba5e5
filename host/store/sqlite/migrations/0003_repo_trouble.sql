-- What polls and hooks cannot read of a repository, for people.
ALTER TABLE repos ADD COLUMN trouble TEXT NOT NULL DEFAULT '';
