-- One-time links by which a browser signs in. The code itself is not stored.
CREATE TABLE sign_in_links (
  -- SHA-256 of the code, hex.
  code_hash     TEXT    PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  -- The token that made the link.
  token_id      TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  -- Null = not used.
  used_at_ms    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_links_by_token ON sign_in_links (tenant_id, token_id, created_at_ms);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at_ms);

-- The token whose sign-in link this one comes from; it is revoked with it. Null = it comes from none.
ALTER TABLE tokens ADD COLUMN parent_id TEXT;
CREATE INDEX tokens_by_parent ON tokens (parent_id, expires_at_ms) WHERE parent_id IS NOT NULL;
