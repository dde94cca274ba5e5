-- Workers that a person asked to take no new builds. Apart from the workers' own rows: those go with the worker, and are
-- kept elsewhere where discovery is; this stays until it is undone.
CREATE TABLE drains (
  worker TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL
);
