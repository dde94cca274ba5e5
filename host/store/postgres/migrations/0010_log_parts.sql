-- ocelot: contract 8
-- Logs in partitions, each filled once and emptied as a whole: removing builds one by one wrote more WAL than their logs
-- had bytes, and left the room to vacuum. A part is emptied by TRUNCATE rather than dropped, and filled again: DROP and
-- DETACH lock the table that every running build appends to, TRUNCATE only the partition that nobody uses any more.
-- Programs before the functions of 0008 put chunks into the table themselves, which nobody finds in the right part.
--
-- Who locks several tables does it in this order: builds, log_chunks. It stays so here.

-- Which part the log of the last claim is in. Builds from before, and those that another program put in: 0.
ALTER TABLE builds ADD COLUMN log_part BIGINT NOT NULL DEFAULT 0;
-- With nothing in it that an append changes. Builds that were never claimed have no log.
CREATE INDEX builds_log_part ON builds (log_part) WHERE fence > 0;

-- open: what is claimed now goes there; closed: those that were open before, until no build has its log in them;
-- free: empty, to be opened again; kept: where logs go that stay longer than most of their part.
CREATE TABLE log_parts (
  part BIGINT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'free', 'kept')),
  begun_at BIGINT NOT NULL,
  gone_bytes BIGINT NOT NULL DEFAULT 0 -- of the logs in it whose builds are gone
);
CREATE UNIQUE INDEX log_parts_open ON log_parts (state) WHERE state = 'open';
INSERT INTO log_parts (part, state, begun_at)
  VALUES (-1, 'kept', 0), (0, 'closed', 0), (1, 'open', ocelot_now());

-- The table there was becomes part 0 as it is. Its key stays, and each part has one like it: no key of the whole has to
-- be built. What is read here to check the column are the rows without the bytes, which are kept aside when there are many.
ALTER TABLE log_chunks RENAME TO log_chunks_0;
ALTER INDEX log_chunks_pkey RENAME TO log_chunks_0_pkey;
ALTER TABLE log_chunks_0 DROP CONSTRAINT log_chunks_build_id_fkey;
ALTER TABLE log_chunks_0 ADD COLUMN part BIGINT NOT NULL DEFAULT 0;
CREATE TABLE log_chunks (LIKE log_chunks_0 INCLUDING DEFAULTS) PARTITION BY LIST (part);
ALTER TABLE log_chunks ATTACH PARTITION log_chunks_0 FOR VALUES IN (0);
CREATE TABLE log_chunks_1 (LIKE log_chunks INCLUDING DEFAULTS, PRIMARY KEY (build_id, fence, end_offset));
ALTER TABLE log_chunks ATTACH PARTITION log_chunks_1 FOR VALUES IN (1);
CREATE TABLE log_chunks_kept (LIKE log_chunks INCLUDING DEFAULTS, PRIMARY KEY (build_id, fence, end_offset));
ALTER TABLE log_chunks ATTACH PARTITION log_chunks_kept FOR VALUES IN (-1);

-- NULL when there is no such partition.
CREATE FUNCTION ocelot_log_table(which bigint) RETURNS regclass LANGUAGE sql STABLE AS $$
  SELECT CAST(oid AS regclass) FROM pg_class WHERE oid = to_regclass('log_chunks_' || which) AND relispartition
$$;

-- Where the log of a build goes that is claimed now. Part 0, rather than nowhere, if somebody has removed the open one.
CREATE FUNCTION ocelot_log_part() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT COALESCE((SELECT part FROM log_parts WHERE state = 'open' AND ocelot_log_table(part) IS NOT NULL), 0)
$$;

-- The log of a build that goes stays where it is until its part is emptied; only that of the kept goes with it.
CREATE FUNCTION ocelot_forget_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  DELETE FROM log_chunks_kept WHERE build_id = OLD.id;
  UPDATE log_parts SET gone_bytes = gone_bytes + OLD.log_bytes WHERE part = OLD.log_part AND state <> 'kept';
  RETURN NULL;
END $$;
CREATE TRIGGER builds_log_left AFTER DELETE ON builds FOR EACH ROW WHEN (OLD.log_bytes > 0)
  EXECUTE FUNCTION ocelot_forget_log();

-- Opens the next part when the open one has `least_bytes` on disk and a `share`th of all logs, or is as old as `age_us`
-- and not empty. Returns the open one. Nobody who reads or appends waits for this.
CREATE FUNCTION ocelot_admin_next_log_part(least_bytes bigint, share bigint, age_us bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '1s' AS $$
DECLARE
  present record;
  filled bigint;
  used boolean;
  coming bigint;
  home text := (SELECT quote_ident(nspname) FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
    WHERE c.oid = CAST('log_chunks' AS regclass));
BEGIN
  IF least_bytes < 0 OR share < 1 OR age_us < 0 THEN
    RAISE EXCEPTION 'a part of the logs cannot have that size or age' USING ERRCODE = '22023';
  END IF;
  SELECT part, begun_at, ocelot_log_table(part) AS its FROM log_parts WHERE state = 'open' FOR UPDATE INTO present;
  IF present.its IS NOT NULL THEN
    filled := pg_total_relation_size(present.its);
    IF present.begun_at > ocelot_now() - age_us AND (filled < least_bytes OR filled * share <
        (SELECT SUM(pg_total_relation_size(ocelot_log_table(part))) FROM log_parts WHERE state <> 'kept')) THEN
      RETURN present.part;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', present.its) INTO used;
    IF NOT used THEN
      -- It ages from its first log on.
      UPDATE log_parts SET begun_at = ocelot_now() WHERE part = present.part AND begun_at <= ocelot_now() - age_us;
      RETURN present.part;
    END IF;
  END IF;
  DELETE FROM log_parts WHERE state IN ('open', 'free') AND ocelot_log_table(part) IS NULL;
  coming := (SELECT MIN(part) FROM log_parts WHERE state = 'free');
  IF coming IS NULL THEN
    IF (SELECT count(*) FROM log_parts) >= 2000 THEN RETURN present.part; END IF; -- it goes on with a large one
    coming := (SELECT MAX(part) + 1 FROM log_parts);
    EXECUTE format('CREATE TABLE %s.log_chunks_%s (LIKE log_chunks INCLUDING DEFAULTS, PRIMARY KEY (build_id, fence, '
      'end_offset))', home, coming);
    EXECUTE format('ALTER TABLE log_chunks ATTACH PARTITION %s.log_chunks_%s FOR VALUES IN (%s)', home, coming, coming);
    INSERT INTO log_parts (part, state, begun_at) VALUES (coming, 'free', 0);
  END IF;
  UPDATE log_parts SET state = 'closed' WHERE state = 'open';
  UPDATE log_parts SET state = 'open', begun_at = ocelot_now() WHERE part = coming;
  RETURN coming;
EXCEPTION WHEN lock_not_available THEN
  RETURN ocelot_log_part(); -- the next time
END $$;

-- Copies logs of ended builds that are still in that part to the kept, until some more than `most` bytes were copied.
-- Returns how many were; 0: there are none left. A long log takes several calls, and moves with the last.
CREATE FUNCTION ocelot_admin_keep_logs(which bigint, most bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  one record;
  reached bigint;
  ends bigint;
  copied bigint := 0;
BEGIN
  PERFORM FROM log_parts WHERE part = which AND state = 'closed';
  IF NOT FOUND OR most < 1 THEN RETURN 0; END IF;
  FOR one IN SELECT id, fence FROM builds WHERE log_part = which AND fence > 0 AND state NOT IN ('queued', 'running')
    LIMIT 200 FOR UPDATE SKIP LOCKED
  LOOP
    reached := COALESCE((SELECT MAX(end_offset) FROM log_chunks_kept WHERE build_id = one.id AND fence = one.fence), 0);
    INSERT INTO log_chunks_kept (part, build_id, fence, begin_offset, end_offset, bytes)
      SELECT -1, build_id, fence, begin_offset, end_offset, bytes FROM log_chunks WHERE part = which
        AND build_id = one.id AND fence = one.fence AND end_offset > reached AND begin_offset < reached + most;
    ends := COALESCE((SELECT MAX(end_offset) FROM log_chunks_kept WHERE build_id = one.id AND fence = one.fence), 0);
    copied := copied + ends - reached;
    IF NOT EXISTS (SELECT FROM log_chunks WHERE part = which AND build_id = one.id AND fence = one.fence
        AND end_offset > ends) THEN
      UPDATE builds SET log_part = -1 WHERE id = one.id;
      copied := GREATEST(copied, 1);
    END IF;
    EXIT WHEN copied >= most;
  END LOOP;
  RETURN copied;
END $$;

-- Empties a part that no build has its log in. False: there are such builds, or somebody reads there; nothing was done.
CREATE FUNCTION ocelot_admin_empty_log_part(which bigint) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '200ms' AS $$
DECLARE
  its regclass := ocelot_log_table(which);
BEGIN
  -- What is looked at under the lock has to be what is there then.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a part of the logs is emptied in a transaction that is READ COMMITTED' USING ERRCODE = '25001';
  END IF;
  PERFORM FROM log_parts WHERE part = which AND state = 'closed' FOR UPDATE;
  IF NOT FOUND OR EXISTS (SELECT FROM builds WHERE log_part = which AND fence > 0) THEN RETURN false; END IF;
  IF its IS NULL THEN
    DELETE FROM log_parts WHERE part = which;
    RETURN true;
  END IF;
  EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', its);
  -- Whoever has appended to it is done, so his build is seen.
  IF EXISTS (SELECT FROM builds WHERE log_part = which AND fence > 0) THEN RETURN false; END IF;
  EXECUTE format('TRUNCATE %s', its);
  UPDATE log_parts SET state = 'free', gone_bytes = 0 WHERE part = which;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END $$;

-- As in 0008, with the part. One claim has all of its log in one.
CREATE OR REPLACE FUNCTION ocelot_worker_claim(wanted_claim text, its_worker text, its_key text, lease_us bigint,
  tags text, again bigint) RETURNS SETOF builds LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF length(wanted_claim) < 32 THEN
    RAISE EXCEPTION 'a claim id has at least 32 characters' USING ERRCODE = '22023';
  END IF;
  IF again <> 0 THEN
    RETURN QUERY SELECT * FROM builds WHERE claim_id = wanted_claim AND state = 'running' AND worker = its_worker;
    IF FOUND THEN RETURN; END IF;
  END IF;
  RETURN QUERY UPDATE builds SET state = 'running', attempt = attempt + 1, fence = fence + 1, claim_id = wanted_claim,
      worker = its_worker, worker_key = ocelot_key_sum(its_key), lease_until = ocelot_now() + lease_us,
      started_at = ocelot_now(), reason = '', sentence = '', log_bytes = 0, log_sha256 = '',
      log_part = (SELECT ocelot_log_part())
    WHERE number = (SELECT number FROM builds WHERE state = 'queued' AND (machine_tag = '' OR machine_tag =
        ANY (ARRAY(SELECT json_array_elements_text(CAST(tags AS json)))))
      ORDER BY priority DESC, queued_at, number LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING builds.*;
END $$;

CREATE OR REPLACE FUNCTION ocelot_worker_append(its_build text, its_claim text, at bigint, chunk bytea) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  held record;
  size bigint := COALESCE(octet_length(chunk), 0);
BEGIN
  IF size > 16777216 THEN
    RAISE EXCEPTION 'a chunk of a log has at most 16 MiB' USING ERRCODE = '22023';
  END IF;
  IF size > 0 THEN
    UPDATE builds SET log_bytes = log_bytes + size
      WHERE id = its_build AND claim_id = its_claim AND state = 'running' AND log_bytes = at
      RETURNING fence, log_part INTO held;
    IF FOUND THEN
      INSERT INTO log_chunks (part, build_id, fence, begin_offset, end_offset, bytes)
        VALUES (held.log_part, its_build, held.fence, at, at + size, chunk);
      PERFORM ocelot_tell_followers(its_build);
      RETURN at + size;
    END IF;
  END IF;
  RETURN COALESCE((SELECT log_bytes FROM builds WHERE id = its_build AND claim_id = its_claim AND state = 'running'), -1);
END $$;

CREATE OR REPLACE FUNCTION ocelot_worker_finish(its_build text, its_claim text, its_state text, its_reason text,
  its_sentence text, its_stages text, whole_log bigint, its_sha256 text, tail_at bigint, tail bytea, again bigint)
  RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  held record;
  stored bigint;
  added bigint := COALESCE(octet_length(tail), 0);
BEGIN
  IF its_state NOT IN ('passed', 'failed', 'timed_out', 'canceled', 'error') OR added > 16777216 THEN
    RAISE EXCEPTION 'a running build cannot end so' USING ERRCODE = '22023';
  END IF;
  SELECT fence, log_bytes, log_part FROM builds
    WHERE id = its_build AND claim_id = its_claim AND state = 'running' FOR UPDATE INTO held;
  IF NOT FOUND THEN
    -- An earlier run may have been committed with its answer lost on the way.
    IF again <> 0 AND EXISTS (SELECT 1 FROM builds WHERE id = its_build AND claim_id = its_claim AND state = its_state)
      THEN RETURN -2;
    END IF;
    RETURN -1;
  END IF;
  IF tail_at <> held.log_bytes THEN added := 0; END IF;
  stored := held.log_bytes + added;
  IF its_sha256 <> '' AND stored <> whole_log THEN RETURN stored; END IF;
  IF added > 0 THEN
    INSERT INTO log_chunks (part, build_id, fence, begin_offset, end_offset, bytes)
      VALUES (held.log_part, its_build, held.fence, held.log_bytes, stored, tail);
  END IF;
  PERFORM ocelot_put_stages(its_build, its_stages);
  UPDATE builds SET state = its_state, reason = its_reason, sentence = its_sentence, log_bytes = stored,
    log_sha256 = its_sha256, finished_at = ocelot_now(), lease_until = 0 WHERE id = its_build;
  INSERT INTO notices (build_id) VALUES (its_build);
  PERFORM ocelot_tell_followers(its_build);
  RETURN -2;
END $$;

-- Replacing a function takes its settings away, not its rights.
DO $$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = CAST(current_schema() AS regnamespace)
    AND proname IN ('ocelot_log_table', 'ocelot_log_part', 'ocelot_forget_log', 'ocelot_admin_next_log_part',
      'ocelot_admin_keep_logs', 'ocelot_admin_empty_log_part', 'ocelot_worker_claim', 'ocelot_worker_append',
      'ocelot_worker_finish')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', one, current_schema());
    IF NOT starts_with(CAST(one AS text), 'ocelot_worker_') THEN
      EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
    END IF;
    -- Where roles.sql was run before: an admin of this version needs no second run.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ocelot_admin') AND starts_with(CAST(one AS text), 'ocelot_admin_') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ocelot_admin', one);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ocelot_admin') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON log_chunks TO ocelot_admin;
    GRANT SELECT ON log_parts TO ocelot_admin;
  END IF;
END $$;
