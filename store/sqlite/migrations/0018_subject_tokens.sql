-- Tokens of the people on whose behalf executions act, sealed with a key that the database does not have. Deleted when the execution ends.
CREATE TABLE subject_tokens (
  execution_id  TEXT PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  sealed        BLOB    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
