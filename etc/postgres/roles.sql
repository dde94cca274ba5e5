-- What each daemon may do in the database, for installations where a machine that runs builds is trusted less than the one
-- that runs ocelot-admin. Run it as a superuser, once the tables are there and again after each upgrade, when the last
-- machine has the new version:
--
--   psql --set ON_ERROR_STOP=1 --dbname ocelot --file roles.sql
--
-- The roles cannot log in; each machine gets a login of its own in one of them:
--
--   CREATE ROLE worker_1 LOGIN PASSWORD '…' IN ROLE ocelot_worker;
--
-- The owner of the tables is none of them. It is needed to make the tables, and to change them in an upgrade.

BEGIN;

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['ocelot_admin', 'ocelot_worker', 'ocelot_hooks', 'ocelot_poller'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ocelot_admin, ocelot_worker, ocelot_hooks, ocelot_poller;
GRANT USAGE ON SCHEMA public TO ocelot_admin, ocelot_worker, ocelot_hooks, ocelot_poller;

-- Everything but the tables themselves; the parts of the logs are opened and emptied by functions.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ocelot_admin;
REVOKE INSERT, UPDATE, DELETE ON schema_version, log_totals, log_parts FROM ocelot_admin;
DO $$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'ocelot\_admin\_%' LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ocelot_admin', one);
  END LOOP;
END $$;
GRANT SELECT ON schema_version TO ocelot_worker, ocelot_hooks, ocelot_poller;

-- Secrets are sealed with a key that the database does not have.
GRANT SELECT ON repos, blobs, workers, drains TO ocelot_worker, ocelot_hooks, ocelot_poller;

-- Takes builds and says how they go, by functions that ask for the claim of each: it sees no build but those that it
-- runs, changes no other, announces itself under no other's id, and knows neither tokens nor who did what.
DO $$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'ocelot\_worker\_%' LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ocelot_worker', one);
  END LOOP;
END $$;

-- Accept builds, and change nothing of one that is there. They see no claims.
DO $$
DECLARE
  columns text;
BEGIN
  SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute WHERE attrelid = 'public.builds'::regclass
    AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('claim_id', 'worker_key');
  EXECUTE format('GRANT SELECT (%s) ON builds TO ocelot_hooks, ocelot_poller', columns);
END $$;
GRANT SELECT ON stages TO ocelot_hooks, ocelot_poller;
GRANT INSERT ON builds, notices TO ocelot_hooks, ocelot_poller;
GRANT INSERT, UPDATE ON stages TO ocelot_hooks, ocelot_poller;
GRANT SELECT, INSERT, DELETE ON outbox TO ocelot_hooks, ocelot_poller;
GRANT SELECT, INSERT, UPDATE ON leaders TO ocelot_hooks, ocelot_poller;
GRANT UPDATE (trouble) ON repos TO ocelot_hooks, ocelot_poller;

GRANT SELECT, INSERT ON inbox TO ocelot_hooks;
GRANT UPDATE (state, note, attempts) ON inbox TO ocelot_hooks;

GRANT UPDATE (heads_json, polled_at) ON repos TO ocelot_poller;

COMMIT;
