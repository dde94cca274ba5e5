-- Times are microseconds since the epoch, by ocelot_now(), which every session registers.
CREATE TABLE repos (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  vcs TEXT NOT NULL,
  url TEXT NOT NULL,
  poll_seconds INTEGER NOT NULL DEFAULT 0,
  poll_branches TEXT NOT NULL DEFAULT '',
  heads_json TEXT NOT NULL DEFAULT '',
  hook_secret_name TEXT NOT NULL DEFAULT '',
  added_at INTEGER NOT NULL,
  polled_at INTEGER NOT NULL DEFAULT 0
);

-- AUTOINCREMENT: a number is never given twice, not even after the newest builds were pruned.
CREATE TABLE builds (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  commit_id TEXT NOT NULL,
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
  priority INTEGER NOT NULL DEFAULT 0,
  pipeline TEXT NOT NULL DEFAULT '',
  change_json TEXT NOT NULL DEFAULT '',
  attempt INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  claim_id TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0,
  log_bytes INTEGER NOT NULL DEFAULT 0,
  log_sha256 TEXT NOT NULL DEFAULT '',
  queued_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL DEFAULT 0,
  finished_at INTEGER NOT NULL DEFAULT 0,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
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

CREATE TRIGGER builds_state BEFORE UPDATE OF state ON builds
WHEN NEW.state <> OLD.state
  AND NOT (OLD.state = 'queued' AND NEW.state IN ('running', 'canceled'))
  AND NOT (OLD.state = 'running' AND NEW.state IN ('queued', 'passed', 'failed', 'timed_out', 'canceled', 'error'))
BEGIN
  SELECT RAISE(ABORT, 'a build cannot leave the state that it is in for that one');
END;

CREATE TABLE stages (
  build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  idx INTEGER NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  exit_code INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  cpu_us INTEGER NOT NULL,
  max_rss_bytes INTEGER NOT NULL,
  log_begin INTEGER NOT NULL,
  log_end INTEGER NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (build_id, idx)
) WITHOUT ROWID;

-- A log that was small enough to come whole with the build's end. Longer ones are segment files beside the database.
CREATE TABLE short_logs (
  build_id TEXT PRIMARY KEY REFERENCES builds (id) ON DELETE CASCADE,
  bytes BLOB
);

-- Segment files whose build is gone: written with the removal, so that a crash in between leaves no orphan.
CREATE TABLE dead_logs (
  build_id TEXT NOT NULL,
  fence INTEGER NOT NULL,
  PRIMARY KEY (build_id, fence)
) WITHOUT ROWID;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL
);

CREATE TABLE notices (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
  attempts INTEGER NOT NULL DEFAULT 0,
  hidden_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX notices_build ON notices (build_id);
CREATE INDEX notices_due ON notices (hidden_until, id);

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repo_id TEXT NOT NULL,
  delivery TEXT NOT NULL,
  headers_json TEXT NOT NULL,
  body BLOB,
  attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('new', 'done', 'ignored', 'parked')),
  note TEXT NOT NULL DEFAULT '',
  received_at INTEGER NOT NULL,
  UNIQUE (repo_id, delivery)
);
CREATE INDEX inbox_new ON inbox (id) WHERE state = 'new';

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
  sha256_hex TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE workers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  tags TEXT NOT NULL,
  slots INTEGER NOT NULL,
  version TEXT NOT NULL,
  note TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
);

CREATE TABLE leaders (
  role TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  held_until INTEGER NOT NULL
);

CREATE TABLE blobs (
  name TEXT PRIMARY KEY,
  bytes BLOB
);
