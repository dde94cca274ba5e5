-- ocelot: expand
-- What a worker does to builds. Its role has no right to the tables: these functions run as their owner, and each asks
-- for what only the rightful worker knows: the claim's id, or, after a restart, the key under which it claimed.
ALTER TABLE builds ADD COLUMN worker_key TEXT NOT NULL DEFAULT '';

-- An advisory lock that cannot be had whole is held by a follower: it is told when the transaction commits.
CREATE FUNCTION ocelot_tell_followers(its_build text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(its_build, 0)) THEN
    PERFORM pg_notify('ocelot_log', its_build);
  END IF;
END $$;

-- '' for a worker without a key.
CREATE FUNCTION ocelot_key_sum(its_key text) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT CASE WHEN its_key = '' THEN '' ELSE encode(sha256(convert_to(its_key, 'UTF8')), 'hex') END $$;

CREATE FUNCTION ocelot_put_stages(its_build text, its_stages text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stages (build_id, idx, name, state, exit_code, sentence, started_at, finished_at, cpu_us, max_rss_bytes,
      log_begin, log_end, line)
    SELECT its_build, s.idx, s.name, s.state, s.exit_code, s.sentence, s.started_at, s.finished_at, s.cpu_us,
      s.max_rss_bytes, s.log_begin, s.log_end, s.line
    FROM json_to_recordset(CAST(its_stages AS json)) AS s(idx bigint, name text, state text, exit_code bigint,
      sentence text, started_at bigint, finished_at bigint, cpu_us bigint, max_rss_bytes bigint, log_begin bigint,
      log_end bigint, line bigint)
    ON CONFLICT (build_id, idx) DO UPDATE SET name = excluded.name, state = excluded.state,
      exit_code = excluded.exit_code, sentence = excluded.sentence, started_at = excluded.started_at,
      finished_at = excluded.finished_at, cpu_us = excluded.cpu_us, max_rss_bytes = excluded.max_rss_bytes,
      log_begin = excluded.log_begin, log_end = excluded.log_end, line = excluded.line;
END $$;

-- `again`: the answer of an earlier call may have been lost, with which the build would wait for its lease to end.
CREATE FUNCTION ocelot_worker_claim(wanted_claim text, its_worker text, its_key text, lease_us bigint, tags text,
  again bigint) RETURNS SETOF builds LANGUAGE plpgsql SECURITY DEFINER AS $$
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
      started_at = ocelot_now(), reason = '', sentence = '', log_bytes = 0, log_sha256 = ''
    WHERE number = (SELECT number FROM builds WHERE state = 'queued' AND (machine_tag = '' OR machine_tag =
        ANY (ARRAY(SELECT json_array_elements_text(CAST(tags AS json)))))
      ORDER BY priority DESC, queued_at, number LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING builds.*;
END $$;

CREATE FUNCTION ocelot_worker_renew(lease_us bigint, claims text)
  RETURNS TABLE (its_build text, its_claim text, cancel bigint) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  RETURN QUERY UPDATE builds SET lease_until = ocelot_now() + lease_us
    WHERE state = 'running' AND claim_id <> '' AND claim_id = ANY (ARRAY(SELECT json_array_elements_text(CAST(claims AS json))))
    RETURNING id, claim_id, cancel_requested;
END $$;

CREATE FUNCTION ocelot_worker_put_stages(its_build text, its_claim text, its_stages text) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM 1 FROM builds WHERE id = its_build AND claim_id = its_claim AND state = 'running' FOR UPDATE;
  IF NOT FOUND THEN RETURN 0; END IF;
  PERFORM ocelot_put_stages(its_build, its_stages);
  PERFORM ocelot_tell_followers(its_build);
  RETURN 1;
END $$;

-- The stored size after the call; -1: not yours.
CREATE FUNCTION ocelot_worker_append(its_build text, its_claim text, at bigint, chunk bytea) RETURNS bigint
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
      WHERE id = its_build AND claim_id = its_claim AND state = 'running' AND log_bytes = at RETURNING fence INTO held;
    IF FOUND THEN
      INSERT INTO log_chunks (build_id, fence, begin_offset, end_offset, bytes)
        VALUES (its_build, held.fence, at, at + size, chunk);
      PERFORM ocelot_tell_followers(its_build);
      RETURN at + size;
    END IF;
  END IF;
  RETURN COALESCE((SELECT log_bytes FROM builds WHERE id = its_build AND claim_id = its_claim AND state = 'running'), -1);
END $$;

-- -2: done; -1: not yours; else the stored size, which is not what it has to be, and nothing was done.
CREATE FUNCTION ocelot_worker_finish(its_build text, its_claim text, its_state text, its_reason text, its_sentence text,
  its_stages text, whole_log bigint, its_sha256 text, tail_at bigint, tail bytea, again bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  held record;
  stored bigint;
  added bigint := COALESCE(octet_length(tail), 0);
BEGIN
  IF its_state NOT IN ('passed', 'failed', 'timed_out', 'canceled', 'error') OR added > 16777216 THEN
    RAISE EXCEPTION 'a running build cannot end so' USING ERRCODE = '22023';
  END IF;
  SELECT fence, log_bytes FROM builds WHERE id = its_build AND claim_id = its_claim AND state = 'running' FOR UPDATE
    INTO held;
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
    INSERT INTO log_chunks (build_id, fence, begin_offset, end_offset, bytes)
      VALUES (its_build, held.fence, held.log_bytes, stored, tail);
  END IF;
  PERFORM ocelot_put_stages(its_build, its_stages);
  UPDATE builds SET state = its_state, reason = its_reason, sentence = its_sentence, log_bytes = stored,
    log_sha256 = its_sha256, finished_at = ocelot_now(), lease_until = 0 WHERE id = its_build;
  INSERT INTO notices (build_id) VALUES (its_build);
  PERFORM ocelot_tell_followers(its_build);
  RETURN -2;
END $$;

CREATE FUNCTION ocelot_worker_release(its_build text, its_claim text, why text) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  held record;
BEGIN
  SELECT cancel_requested, machine_tag, cancel_by FROM builds
    WHERE id = its_build AND claim_id = its_claim AND state = 'running' FOR UPDATE INTO held;
  IF NOT FOUND THEN RETURN 0; END IF;
  PERFORM ocelot_tell_followers(its_build);
  IF held.cancel_requested <> 0 THEN
    UPDATE builds SET state = 'canceled', reason = 'canceled', sentence = 'canceled by ' || held.cancel_by,
      finished_at = ocelot_now(), lease_until = 0 WHERE id = its_build;
    INSERT INTO notices (build_id) VALUES (its_build);
    RETURN 1;
  END IF;
  DELETE FROM stages WHERE build_id = its_build;
  UPDATE builds SET state = 'queued', attempt = attempt - 1, claim_id = '', worker_key = '', lease_until = 0,
    started_at = 0, reason = 'worker_drained', sentence = why WHERE id = its_build;
  INSERT INTO outbox (topic) VALUES (CASE WHEN held.machine_tag = '' THEN 'build' ELSE 'build_' || held.machine_tag END);
  RETURN 1;
END $$;

-- For a worker that was started again: what it claimed under its key, and what was claimed before there were keys.
CREATE FUNCTION ocelot_worker_held(its_worker text, its_key text) RETURNS SETOF builds
  LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  RETURN QUERY SELECT * FROM builds WHERE state = 'running' AND worker = its_worker
    AND worker_key IN ('', ocelot_key_sum(its_key)) ORDER BY number;
END $$;

CREATE FUNCTION ocelot_worker_stages(its_build text, its_claim text) RETURNS SETOF stages
  LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  RETURN QUERY SELECT s.* FROM stages s JOIN builds b ON b.id = s.build_id
    WHERE b.id = its_build AND b.claim_id = its_claim AND b.state = 'running' ORDER BY s.idx;
END $$;

-- The commit of the last build of the same branch that passed before this one; '' when there is none.
CREATE FUNCTION ocelot_worker_previous(its_build text, its_claim text) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  mine record;
BEGIN
  SELECT repo, branch, number FROM builds WHERE id = its_build AND claim_id = its_claim AND state = 'running' INTO mine;
  IF NOT FOUND THEN RETURN ''; END IF;
  RETURN COALESCE((SELECT commit_id FROM builds WHERE repo = mine.repo AND branch = mine.branch AND state = 'passed'
    AND number < mine.number ORDER BY number DESC LIMIT 1), '');
END $$;

-- Nobody puts a table or a function of his own in the way of a function that runs as the owner; and nobody calls one
-- who is not allowed to.
DO $$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = CAST(current_schema() AS regnamespace)
    AND proname IN ('ocelot_tell_followers', 'ocelot_key_sum', 'ocelot_put_stages', 'ocelot_worker_claim',
      'ocelot_worker_renew', 'ocelot_worker_put_stages', 'ocelot_worker_append', 'ocelot_worker_finish',
      'ocelot_worker_release', 'ocelot_worker_held', 'ocelot_worker_stages', 'ocelot_worker_previous')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', one, current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
    -- Where roles.sql was run before: workers of this version need no second run.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ocelot_worker') AND starts_with(CAST(one AS text), 'ocelot_worker_') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ocelot_worker', one);
    END IF;
  END LOOP;
END $$;
