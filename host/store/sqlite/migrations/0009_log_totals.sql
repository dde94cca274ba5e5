-- ocelot: expand
-- How many bytes of log the builds have that have ended, kept as they end and as they go, so that nobody adds up a million.
CREATE TABLE log_totals (
  part INTEGER PRIMARY KEY,
  bytes INTEGER NOT NULL
);
INSERT INTO log_totals (part, bytes)
  SELECT 0, COALESCE(SUM(log_bytes), 0) FROM builds WHERE state NOT IN ('queued', 'running');
CREATE TRIGGER builds_log_ended AFTER UPDATE OF state ON builds
  WHEN OLD.state IN ('queued', 'running') AND NEW.state NOT IN ('queued', 'running') AND NEW.log_bytes > 0
  BEGIN UPDATE log_totals SET bytes = bytes + NEW.log_bytes; END;
CREATE TRIGGER builds_log_copied AFTER INSERT ON builds
  WHEN NEW.state NOT IN ('queued', 'running') AND NEW.log_bytes > 0
  BEGIN UPDATE log_totals SET bytes = bytes + NEW.log_bytes; END;
CREATE TRIGGER builds_log_gone AFTER DELETE ON builds
  WHEN OLD.state NOT IN ('queued', 'running') AND OLD.log_bytes > 0
  BEGIN UPDATE log_totals SET bytes = bytes - OLD.log_bytes; END;
