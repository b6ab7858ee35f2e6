-- The bytes that each tenant with `max_storage_bytes` stores. Other tenants have no rows. While there are rows, triggers count in the
-- transactions that write and delete (store/resources/queries/storage.ts): without a limit, no commit pays for them.
CREATE TABLE tenant_storage (
  tenant_id     TEXT NOT NULL,
  -- The table whose rows are counted.
  source        TEXT NOT NULL,
  -- Null until the first count is complete.
  bytes         INTEGER,
  -- Of a count in progress: the bytes up to its place, the key of a row in one or two columns. Null = none is in progress.
  recount_bytes INTEGER,
  counted_to    ANY,
  counted_to2   ANY,
  PRIMARY KEY (tenant_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenants_with_storage_limit ON tenants (id) WHERE json_extract(limits, '$.max_storage_bytes') IS NOT NULL;
