-- What calls of agents were like, by tenant and address. Each call makes the earlier ones count less.

CREATE TABLE agent_outcomes (
  tenant_id     TEXT    NOT NULL,
  uri           TEXT    NOT NULL,
  -- Sums of calls, each of which counts as a part of one.
  calls         REAL    NOT NULL,
  failures      REAL    NOT NULL,
  total_ms      REAL    NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, uri)
) STRICT, WITHOUT ROWID;
