-- Bytes by their hash, once per tenant: uploaded by clients, or outputs too large for the log.
CREATE TABLE artifacts (
  tenant_id     text    NOT NULL,
  hash          text    NOT NULL,
  media_type    text,
  size          bigint  NOT NULL,
  -- True = uploaded: kept whatever refers to it. Else kept while an execution refers to it.
  pinned        boolean NOT NULL,
  created_at_ms bigint  NOT NULL,
  content       bytea   NOT NULL,
  PRIMARY KEY (tenant_id, hash)
);

-- Which executions' logs refer to which artifacts.
CREATE TABLE artifact_refs (
  execution_id text NOT NULL COLLATE "C",
  hash         text NOT NULL,
  tenant_id    text NOT NULL,
  PRIMARY KEY (execution_id, hash),
  FOREIGN KEY (tenant_id, hash) REFERENCES artifacts (tenant_id, hash)
);
CREATE INDEX artifact_refs_by_hash ON artifact_refs (tenant_id, hash);
