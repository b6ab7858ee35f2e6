-- The bytes that each tenant with `max_storage_bytes` stores, counted by the triggers below in the transactions that write and delete.
-- store/resources/queries/storage.ts says the same for a count of what is stored already. Other tenants have no rows.
CREATE TABLE tenant_storage (
  tenant_id     text    NOT NULL PRIMARY KEY,
  -- False until what was stored before the tenant had a row is counted, too.
  is_counted    boolean NOT NULL,
  -- Everything is to be counted, for the first time or anew.
  is_recounting boolean NOT NULL,
  -- Of complete counts: two at once must not both add what they found.
  counts        integer NOT NULL
);
-- What a tenant stores is the sum of its rows. Each transaction adds to a row that no other has locked: none waits for another.
CREATE TABLE tenant_storage_bytes (
  id        bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text   NOT NULL,
  -- The table whose rows are counted.
  source    text   NOT NULL,
  bytes     bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX tenant_storage_bytes_by_source ON tenant_storage_bytes (tenant_id, source);
CREATE INDEX tenants_with_storage_limit ON tenants (id) WHERE (limits::jsonb ->> 'max_storage_bytes') IS NOT NULL;

CREATE FUNCTION jamjet_add_stored(tenant text, name text, added bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF added = 0 THEN
    RETURN;
  END IF;
  UPDATE tenant_storage_bytes SET bytes = bytes + added WHERE id = (
    SELECT b.id FROM tenant_storage_bytes b WHERE b.tenant_id = tenant AND b.source = name LIMIT 1 FOR UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    INSERT INTO tenant_storage_bytes (tenant_id, source, bytes) VALUES (tenant, name, added);
  END IF;
END $$;

DO $$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT * FROM (VALUES
    ('log_entries', 'octet_length(r.body) + coalesce(octet_length(r.request), 0)', NULL),
    ('original_events', 'octet_length(r.data)', NULL),
    ('checkpoints', 'octet_length(r.snapshot)', NULL),
    ('control_events', 'octet_length(r.data) + coalesce(octet_length(r.request), 0)', NULL),
    ('artifacts', 'r.size', NULL),
    ('memory_namespaces', 'r.bytes', 'bytes'),
    ('webhook_deliveries', '512', NULL),
    ('work_items', 'CASE r.payload WHEN ''{}'' THEN 0 ELSE octet_length(r.payload) END', 'payload'),
    ('revisions', 'octet_length(r.source)', NULL),
    ('agents', 'octet_length(r.card)', 'card'),
    ('cron_jobs', 'octet_length(r.input)', NULL)
  ) AS counted (source, bytes, changed)
  LOOP
    EXECUTE format($definition$
      CREATE FUNCTION jamjet_%1$s_stored() RETURNS trigger LANGUAGE plpgsql AS $body$
      BEGIN
        PERFORM jamjet_add_stored(r.tenant_id, %1$L, sum(%2$s)::bigint * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END)
          FROM changed r JOIN tenant_storage s ON s.tenant_id = r.tenant_id GROUP BY r.tenant_id;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER stored AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION jamjet_%1$s_stored();
      CREATE TRIGGER unstored AFTER DELETE ON %1$I REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION jamjet_%1$s_stored();
    $definition$, one.source, one.bytes);
    CONTINUE WHEN one.changed IS NULL;
    EXECUTE format($definition$
      CREATE FUNCTION jamjet_%1$s_restored() RETURNS trigger LANGUAGE plpgsql AS $body$
      BEGIN
        PERFORM jamjet_add_stored(s.tenant_id, %1$L, %2$s - %3$s) FROM tenant_storage s WHERE s.tenant_id = new.tenant_id;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER restored AFTER UPDATE OF %4$I ON %1$I FOR EACH ROW WHEN (new.%4$I <> old.%4$I)
        EXECUTE FUNCTION jamjet_%1$s_restored();
    $definition$, one.source, replace(one.bytes, 'r.', 'new.'), replace(one.bytes, 'r.', 'old.'), one.changed);
  END LOOP;
END $$;
