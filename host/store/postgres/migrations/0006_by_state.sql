-- The newest builds of one state. Without it a list of a rare one ("error") reads all builds there are.
CREATE INDEX builds_state ON builds (state, number);
