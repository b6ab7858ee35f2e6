-- Bytes by their hash, once per tenant: uploaded by clients, or outputs too large for the log.
CREATE TABLE artifacts (
  tenant_id     TEXT    NOT NULL,
  hash          TEXT    NOT NULL,
  media_type    TEXT,
  size          INTEGER NOT NULL,
  -- 1 = uploaded: kept whatever refers to it. 0 = kept while an execution refers to it.
  pinned        INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  created_at_ms INTEGER NOT NULL,
  content       BLOB    NOT NULL,
  UNIQUE (tenant_id, hash)
) STRICT;

-- Which executions' logs refer to which artifacts.
CREATE TABLE artifact_refs (
  execution_id TEXT NOT NULL,
  hash         TEXT NOT NULL,
  tenant_id    TEXT NOT NULL,
  PRIMARY KEY (execution_id, hash),
  FOREIGN KEY (tenant_id, hash) REFERENCES artifacts (tenant_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_refs_by_hash ON artifact_refs (tenant_id, hash);
