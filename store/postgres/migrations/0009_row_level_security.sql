-- A second wall between tenants. What an API request asks is asked as its tenant (`jamjet.tenant`, for one transaction): the database
-- itself then shows, and lets change, no other tenant's rows, whatever the statement says. The runtime works for all tenants, and
-- names none. The owner of the tables is not exempt; superusers and roles with BYPASSRLS are.
-- A later migration that makes a table with a tenant does the same for it.
DO $$
DECLARE
  one record;
  -- True when no tenant is named. As one expression it counts for little in the planner's estimates.
  policy text := 'coalesce(%I = nullif(current_setting(''jamjet.tenant'', true), ''''), true)';
BEGIN
  FOR one IN
    SELECT c.oid::regclass AS name, a.attname AS tenant
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
      AND (a.attname = 'tenant_id' OR (c.relname = 'tenants' AND a.attname = 'id'))
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one.name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one.name);
    EXECUTE format('CREATE POLICY tenant ON %s USING (' || policy || ')', one.name, one.tenant);
  END LOOP;
END $$;

-- Runtimes serve every tenant, and every tenant may see them.
ALTER POLICY tenant ON workers
  USING (tenant_id = '' OR coalesce(tenant_id = nullif(current_setting('jamjet.tenant', true), ''), true))
  WITH CHECK (coalesce(tenant_id = nullif(current_setting('jamjet.tenant', true), ''), true));
