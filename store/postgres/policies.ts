/**
 * Row-level security: a second barrier between tenants. An API request reads as its tenant (`jamjet.tenant`, for one transaction), and the database
 * then hides and protects the rows of other tenants, whatever the statement says. The runtime works for all tenants and names none. The policies bind
 * the owner of the tables, but not superusers and roles with BYPASSRLS.
 *
 * Applied after migrations to every table with a tenant, so that none is forgotten. The policy is a single expression, which is true when no tenant is
 * named and hardly affects the planner's estimates. Runtimes serve every tenant, so every tenant may see them.
 */
export const POLICIES = `DO $$
DECLARE
  one record;
  own text := 'coalesce(%I = nullif(current_setting(''jamjet.tenant'', true), ''''), true)';
BEGIN
  FOR one IN
    SELECT c.oid::regclass AS name, a.attname AS tenant
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
      AND (a.attname = 'tenant_id' OR (c.relname = 'tenants' AND a.attname = 'id'))
      AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', one.name);
    EXECUTE format('CREATE POLICY tenant ON %s USING (' || own || ')', one.name, one.tenant);
    IF one.name = 'workers'::regclass THEN
      EXECUTE format('ALTER POLICY tenant ON workers USING (tenant_id = '''' OR ' || own || ') WITH CHECK (' || own || ')',
        one.tenant, one.tenant);
    END IF;
  END LOOP;
END $$`;
