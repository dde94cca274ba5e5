-- ocelot: expand
-- Whose an id is: the key of the worker that has it (SHA-256; '' for none), and the machine and folder where that runs. A
-- worker's role announces itself by these functions alone, and can neither take another's place nor claim in its name.
ALTER TABLE workers ADD COLUMN key_sum TEXT NOT NULL DEFAULT '';
ALTER TABLE workers ADD COLUMN place TEXT NOT NULL DEFAULT '';

-- No row: it is announced. A row: another has that id, and nothing was done. Who is not heard of for as long as a lease
-- lasts, and for half a minute, has it no more; under another key only when no build is held under the earlier one.
CREATE FUNCTION ocelot_worker_announce(its_id text, its_key text, its_place text, its_name text, its_url text,
  its_tags text, its_slots bigint, its_version text, its_note text, its_start bigint, lease_us bigint)
  RETURNS TABLE (other_name text, other_place text, other_url text, silent_for bigint)
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  its_sum text := ocelot_key_sum(its_key);
  lost bigint := ocelot_now() - GREATEST(lease_us, 30000000);
BEGIN
  INSERT INTO workers AS w (id, name, url, tags, slots, version, note, started_at, seen_at, key_sum, place)
    VALUES (its_id, its_name, its_url, its_tags, its_slots, its_version, its_note, its_start, ocelot_now(), its_sum,
      its_place)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url, tags = excluded.tags,
      slots = excluded.slots, version = excluded.version, note = excluded.note, started_at = excluded.started_at,
      seen_at = excluded.seen_at, key_sum = excluded.key_sum, place = excluded.place
    WHERE (w.key_sum IN ('', its_sum) AND (w.place IN ('', its_place) OR w.seen_at < lost))
      OR (w.seen_at < lost AND NOT EXISTS (SELECT 1 FROM builds b WHERE b.state = 'running' AND b.worker = its_id
        AND b.worker_key NOT IN ('', its_sum)));
  IF NOT FOUND THEN
    RETURN QUERY SELECT w.name, w.place, w.url, ocelot_now() - w.seen_at FROM workers w WHERE w.id = its_id;
  END IF;
END $$;

CREATE FUNCTION ocelot_worker_withdraw(its_id text, its_key text, its_place text) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  DELETE FROM workers WHERE id = its_id AND key_sum IN ('', ocelot_key_sum(its_key)) AND place IN ('', its_place);
  RETURN 1;
END $$;

CREATE FUNCTION ocelot_require_worker(its_worker text, its_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM workers WHERE id = its_worker AND key_sum NOT IN ('', ocelot_key_sum(its_key))) THEN
    RAISE EXCEPTION 'worker %: another worker has that id, under another key', its_worker USING ERRCODE = '23000';
  END IF;
END $$;

-- As in 0010, for the one whose id it is.
CREATE OR REPLACE FUNCTION ocelot_worker_claim(wanted_claim text, its_worker text, its_key text, lease_us bigint, tags text,
  again bigint) RETURNS SETOF builds LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF length(wanted_claim) < 32 THEN
    RAISE EXCEPTION 'a claim id has at least 32 characters' USING ERRCODE = '22023';
  END IF;
  PERFORM ocelot_require_worker(its_worker, its_key);
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

CREATE OR REPLACE FUNCTION ocelot_worker_held(its_worker text, its_key text) RETURNS SETOF builds
  LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM ocelot_require_worker(its_worker, its_key);
  RETURN QUERY SELECT * FROM builds WHERE state = 'running' AND worker = its_worker
    AND worker_key IN ('', ocelot_key_sum(its_key)) ORDER BY number;
END $$;

DO $$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = CAST(current_schema() AS regnamespace)
    AND proname IN ('ocelot_worker_announce', 'ocelot_worker_withdraw', 'ocelot_require_worker', 'ocelot_worker_claim',
      'ocelot_worker_held')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', one, current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ocelot_worker') AND starts_with(CAST(one AS text), 'ocelot_worker_') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ocelot_worker', one);
    END IF;
  END LOOP;
END $$;
