-- Tokens of the people on whose behalf executions act, sealed with a key that the database does not have. Deleted when the execution ends.
CREATE TABLE subject_tokens (
  execution_id  text   COLLATE "C" PRIMARY KEY,
  tenant_id     text   COLLATE "C" NOT NULL,
  sealed        bytea  NOT NULL,
  created_at_ms bigint NOT NULL
);
