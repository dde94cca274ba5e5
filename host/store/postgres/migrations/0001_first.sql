-- Times are microseconds since the epoch, by this server's clock. clock_timestamp(), not now(): a transaction that waited
-- for a lock must not judge a lease by the time at which it began to wait.
CREATE FUNCTION ocelot_now() RETURNS bigint LANGUAGE sql VOLATILE
  AS 'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint';

CREATE TABLE repos (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  vcs TEXT NOT NULL,
  url TEXT NOT NULL,
  poll_seconds BIGINT NOT NULL DEFAULT 0,
  poll_branches TEXT NOT NULL DEFAULT '',
  heads_json TEXT NOT NULL DEFAULT '',
  hook_secret_name TEXT NOT NULL DEFAULT '',
  added_at BIGINT NOT NULL,
  polled_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE builds (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  commit_id TEXT COLLATE "C" NOT NULL,
  author TEXT NOT NULL DEFAULT '',
  message TEXT NOT NULL DEFAULT '',
  trigger_kind TEXT NOT NULL,
  requested_by TEXT NOT NULL DEFAULT '',
  rerun_of TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL
    CHECK (state IN ('queued', 'running', 'passed', 'failed', 'timed_out', 'canceled', 'error', 'rejected')),
  reason TEXT NOT NULL DEFAULT '',
  sentence TEXT NOT NULL DEFAULT '',
  machine_tag TEXT NOT NULL DEFAULT '',
  priority BIGINT NOT NULL DEFAULT 0,
  pipeline TEXT NOT NULL DEFAULT '',
  change_json TEXT NOT NULL DEFAULT '',
  attempt BIGINT NOT NULL DEFAULT 0,
  fence BIGINT NOT NULL DEFAULT 0,
  claim_id TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  lease_until BIGINT NOT NULL DEFAULT 0,
  log_bytes BIGINT NOT NULL DEFAULT 0,
  log_sha256 TEXT NOT NULL DEFAULT '',
  queued_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL DEFAULT 0,
  finished_at BIGINT NOT NULL DEFAULT 0,
  cancel_requested BIGINT NOT NULL DEFAULT 0,
  cancel_by TEXT NOT NULL DEFAULT '',
  dedupe_key TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX builds_dedupe ON builds (dedupe_key) WHERE dedupe_key <> '';
CREATE INDEX builds_queue ON builds (priority DESC, queued_at, number, machine_tag) WHERE state = 'queued';
CREATE INDEX builds_claimed ON builds (claim_id) WHERE state = 'running';
CREATE INDEX builds_worker ON builds (worker) WHERE state = 'running';
CREATE INDEX builds_lease ON builds (lease_until) WHERE state = 'running';
CREATE INDEX builds_branch ON builds (repo, branch, number);
CREATE INDEX builds_repo ON builds (repo, number);
CREATE INDEX builds_passed ON builds (repo, branch, number) WHERE state = 'passed';
CREATE INDEX builds_commit ON builds (commit_id, number);
CREATE INDEX builds_finished ON builds (finished_at) WHERE state NOT IN ('queued', 'running');

CREATE FUNCTION ocelot_guard_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> OLD.state
    AND NOT (OLD.state = 'queued' AND NEW.state IN ('running', 'canceled'))
    AND NOT (OLD.state = 'running' AND NEW.state IN ('queued', 'passed', 'failed', 'timed_out', 'canceled', 'error'))
  THEN
    RAISE EXCEPTION 'a build cannot leave the state that it is in for that one' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER builds_state BEFORE UPDATE OF state ON builds FOR EACH ROW EXECUTE FUNCTION ocelot_guard_state();

CREATE TABLE stages (
  build_id TEXT COLLATE "C" NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  idx BIGINT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  exit_code BIGINT NOT NULL,
  sentence TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  cpu_us BIGINT NOT NULL,
  max_rss_bytes BIGINT NOT NULL,
  log_begin BIGINT NOT NULL,
  log_end BIGINT NOT NULL,
  line BIGINT NOT NULL,
  PRIMARY KEY (build_id, idx)
);

-- A build's log by claim: `fence` is the claim that wrote the chunk. Keyed by the end, so that reading from an offset is one
-- step in the index. Logs are bytes: text would refuse NUL and bad UTF-8.
CREATE TABLE log_chunks (
  build_id TEXT COLLATE "C" NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  fence BIGINT NOT NULL,
  end_offset BIGINT NOT NULL,
  begin_offset BIGINT NOT NULL,
  bytes BYTEA,
  PRIMARY KEY (build_id, fence, end_offset)
);

CREATE TABLE outbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic TEXT NOT NULL
);

CREATE TABLE notices (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  build_id TEXT COLLATE "C" NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  attempts BIGINT NOT NULL DEFAULT 0,
  hidden_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX notices_build ON notices (build_id);
CREATE INDEX notices_due ON notices (hidden_until, id);

CREATE TABLE inbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repo_id TEXT NOT NULL,
  delivery TEXT NOT NULL,
  headers_json TEXT NOT NULL,
  body BYTEA,
  attempts BIGINT NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('new', 'done', 'ignored', 'parked')),
  note TEXT NOT NULL DEFAULT '',
  received_at BIGINT NOT NULL,
  UNIQUE (repo_id, delivery)
);
CREATE INDEX inbox_new ON inbox (id) WHERE state = 'new';

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
  sha256_hex TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  expires_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  tags TEXT NOT NULL,
  slots BIGINT NOT NULL,
  version TEXT NOT NULL,
  note TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);

CREATE TABLE leaders (
  role TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  held_until BIGINT NOT NULL
);

CREATE TABLE blobs (
  name TEXT COLLATE "C" PRIMARY KEY,
  bytes BYTEA
);
