-- Tenants: policy, limits and what they have used.

-- JSON objects as they were given; null = none.
ALTER TABLE tenants ADD COLUMN policy TEXT;
ALTER TABLE tenants ADD COLUMN limits TEXT;
ALTER TABLE tenants ADD COLUMN updated_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE tenants SET updated_at_ms = created_at_ms;

-- What nodes have reported, added up in the commits that hold the reports.
CREATE TABLE tenant_usage (
  tenant_id TEXT    NOT NULL,
  -- `2026-03`, in UTC.
  month     TEXT    NOT NULL,
  tokens    INTEGER NOT NULL,
  cost_usd  REAL    NOT NULL,
  PRIMARY KEY (tenant_id, month)
) STRICT, WITHOUT ROWID;

-- Who keeps ended executions for a limited time only.
CREATE INDEX tenants_with_retention ON tenants (id) WHERE json_extract(limits, '$.retention_days') > 0;
