-- ocelot: expand
-- Under which key a worker has claimed a build (SHA-256; '' for none): it takes up again only what it claimed itself.
ALTER TABLE builds ADD COLUMN worker_key TEXT NOT NULL DEFAULT '';
