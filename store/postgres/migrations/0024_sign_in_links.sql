-- One-time links by which a browser signs in. The code itself is not stored.
CREATE TABLE sign_in_links (
  -- SHA-256 of the code, hex.
  code_hash     text   COLLATE "C" PRIMARY KEY,
  tenant_id     text   COLLATE "C" NOT NULL,
  -- The token that made the link.
  token_id      text   COLLATE "C" NOT NULL,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  -- Null = not used.
  used_at_ms    bigint
);
CREATE INDEX sign_in_links_by_token ON sign_in_links (tenant_id, token_id, created_at_ms);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at_ms);

-- The token whose sign-in link this one comes from; it is revoked with it. Null = it comes from none.
ALTER TABLE tokens ADD COLUMN parent_id text COLLATE "C";
CREATE INDEX tokens_by_parent ON tokens (parent_id, expires_at_ms) WHERE parent_id IS NOT NULL;
