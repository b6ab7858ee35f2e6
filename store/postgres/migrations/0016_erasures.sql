-- The log of an execution with a data policy is written without personal data. What it needs to run is kept apart, and erased at its end.

-- Data of events as it was before it was redacted.
CREATE TABLE original_events (
  execution_id text    NOT NULL COLLATE "C",
  seq          integer NOT NULL,
  tenant_id    text    NOT NULL,
  -- Of the digest in the redacted event.
  salt         text    NOT NULL,
  data         text    NOT NULL,
  PRIMARY KEY (execution_id, seq)
);

-- Executions with a data policy that have ended. Written with their end, so that none is forgotten.
CREATE TABLE erasures (
  execution_id text   NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id    text   NOT NULL,
  ended_at_ms  bigint NOT NULL,
  -- Null = originals are left.
  erased_at_ms bigint,
  -- When the data policy has the execution removed; null = the tenant's retention decides.
  remove_at_ms bigint
);
CREATE INDEX erasures_pending ON erasures (execution_id) WHERE erased_at_ms IS NULL;
CREATE INDEX erasures_by_removal ON erasures (tenant_id, remove_at_ms, execution_id) WHERE remove_at_ms IS NOT NULL;
