-- Tenants: policy, limits and what they have used.

-- JSON objects as they were given; null = none.
ALTER TABLE tenants ADD COLUMN policy text;
ALTER TABLE tenants ADD COLUMN limits text;
ALTER TABLE tenants ADD COLUMN updated_at_ms bigint NOT NULL DEFAULT 0;
UPDATE tenants SET updated_at_ms = created_at_ms;
ALTER TABLE tenants ALTER COLUMN updated_at_ms DROP DEFAULT;

-- What nodes have reported, added up in the commits that hold the reports. Several rows a month, each written by some of the connections:
-- commits of many processes would wait for each other at a single one. What was used is their sum.
CREATE TABLE tenant_usage (
  tenant_id text             NOT NULL,
  -- `2026-03`, in UTC.
  month     text             NOT NULL,
  slot      integer          NOT NULL,
  tokens    bigint           NOT NULL,
  cost_usd  double precision NOT NULL,
  PRIMARY KEY (tenant_id, month, slot)
) WITH (fillfactor = 50);

-- Who keeps ended executions for a limited time only.
CREATE INDEX tenants_with_retention ON tenants (id) WHERE (limits::jsonb ->> 'retention_days')::numeric > 0;
