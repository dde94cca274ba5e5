-- ocelot: contract 7
-- Which programs may go on with a schema that is newer than they are: those that know `works_from`, or a later one.
-- 0: only those that know all of it.
ALTER TABLE schema_version ADD COLUMN works_from BIGINT NOT NULL DEFAULT 0;
