-- What calls of agents were like, by tenant and address. Each call makes the earlier ones count less.

CREATE TABLE agent_outcomes (
  tenant_id     text             NOT NULL,
  uri           text             NOT NULL COLLATE "C",
  -- Sums of calls, each of which counts as a part of one.
  calls         double precision NOT NULL,
  failures      double precision NOT NULL,
  total_ms      double precision NOT NULL,
  updated_at_ms bigint           NOT NULL,
  PRIMARY KEY (tenant_id, uri)
) WITH (fillfactor = 70);
