-- Who changed what, when and from where. A row is there before its change is, and learns afterwards how it went.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  token_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  peer TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  status INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX audit_at ON audit (at);
