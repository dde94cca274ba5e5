-- ocelot: expand
-- Whose an id is: the key of the worker that has it (SHA-256; '' for none), and the machine and folder where that runs.
ALTER TABLE workers ADD COLUMN key_sum TEXT NOT NULL DEFAULT '';
ALTER TABLE workers ADD COLUMN place TEXT NOT NULL DEFAULT '';
