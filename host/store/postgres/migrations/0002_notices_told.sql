-- Who has been told of a build's end, so that trying again for one notifier does not tell the others twice.
ALTER TABLE notices ADD COLUMN told TEXT NOT NULL DEFAULT '';
