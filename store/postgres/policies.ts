/**
 * A second wall between tenants. What an API request asks is asked as its tenant (`jamjet.tenant`, for one transaction): the database
 * itself then shows, and lets change, no other tenant's rows, whatever the statement says. The runtime works for all tenants, and
 * names none. The owner of the tables is not exempt; superusers and roles with BYPASSRLS are.
 *
 * Carried out after migrations, for every table with a tenant, so that none is forgotten. The policy is one expression, true when no tenant is
 * named: it counts for little in the planner's estimates. Runtimes serve every tenant, and every tenant may see them.
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
