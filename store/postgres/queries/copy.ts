import { sql } from '../connections.ts';

/** Fills an empty database with the rows of another. */

/** Tables that are not copied, or that triggers or the server fill, and tables that migrations fill in a new database. */
export const OWN_TABLES: readonly string[] = [
  'schema_migrations',
  'event_types',
  'leases',
  'memory_index',
  'tenant_storage',
  'tenant_storage_bytes',
];
export const SEEDED_TABLES: readonly string[] = ['tenants', 'log_key'];

/** Written by `indexKey`. */
export const INDEXED_COLUMNS: readonly string[] = ['execution_labels.key', 'execution_labels.value', 'agent_traits.trait'];

export const COLUMNS = sql(`SELECT c.table_name AS "table", c.column_name AS "column", c.data_type AS type,
  c.is_identity = 'YES' AS identity, c.is_nullable = 'YES' OR c.column_default IS NOT NULL AS optional
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position`);

/** Advances the sequences of the log past the copied values. */
export const ADVANCE_LOG: readonly string[] = [
  "SELECT setval('log_positions', max(position)) FROM log_entries HAVING max(position) > 0",
  "SELECT setval('log_actor_numbers', max(abs(number))) FROM log_actors HAVING max(abs(number)) > 0",
];
