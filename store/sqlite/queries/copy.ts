/** Reads a whole database, to copy it. */

/** In order of creation: a table that refers to another was created later. Without views of an index, which have no rows of their own. */
export const TABLES = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  AND sql NOT LIKE 'CREATE VIRTUAL TABLE %' ORDER BY rowid`;
export const COLUMNS = 'SELECT name FROM pragma_table_info(?)';

// A compact copy, attached as `copy`

export function countRows(schema: 'main' | 'copy', table: string): string {
  return `SELECT count(*) FROM ${schema}."${table}"`;
}

/** The number of entries that have the same position in both databases. */
export function countSamePositions(): string {
  return `SELECT count(*) FROM main.log_entries a JOIN copy.log_entries b ON b.position = a.position
    WHERE b.log_id = a.log_id AND b.seq = a.seq`;
}

// For PostgreSQL

/** Not copied: tables that concern this file alone, or that are part of another table there. */
export const NOT_COPIED: ReadonlySet<string> = new Set([
  'schema_migrations',
  'runtime_holder',
  'leases',
  'audit_chain',
  'tenant_storage',
  'log_tenants',
  'log_actors',
  'event_types',
  'memory_index_config',
  'memory_index_data',
  'memory_index_idx',
]);

export interface DerivedColumns {
  /** Expressions over the row `t` that replace, or add to, the table's own columns. */
  readonly columns: Readonly<Record<string, string>>;
  /** Columns of its own that the target does not get. */
  readonly without?: readonly string[];
  /** Where the rows come from, if not from the table alone. */
  readonly from?: string;
  readonly order?: string;
}

const CHAIN = "'sqlite:' || (SELECT id FROM audit_chain)";

export const DERIVED: Readonly<Record<string, DerivedColumns>> = {
  // In commit order. An entry without its tenant or its actor was changed by hand: it is copied for the verification to find.
  log_entries: {
    columns: { tenant_id: "coalesce(n.id, '')", actor_id: 'a.id', actor_type: 'a.type', on_behalf_of: 'a.on_behalf_of' },
    without: ['tenant', 'actor'],
    from: 'log_entries t LEFT JOIN log_tenants n ON n.number = t.tenant LEFT JOIN log_actors a ON a.number = t.actor',
    order: 't.position',
  },
  tenant_usage: { columns: { slot: '0' } },
  // No runtime works on the file: the copy must not wait for one that crashed a moment ago.
  workers: { columns: { last_seen_at_ms: "iif(t.kind = 'runtime' AND t.stopped_at_ms IS NULL, 0, t.last_seen_at_ms)" } },
  // In PostgreSQL each writer has a chain. The one chain of this database becomes a chain of its own.
  audit_blocks: { columns: { writer: CHAIN, sealed_by: 't.writer', position: 't.block' }, order: 't.block' },
  audit_chains: {
    columns: {
      writer: CHAIN,
      id: 't.id',
      block: '(SELECT coalesce(max(block), 0) FROM audit_blocks)',
      hash: "coalesce((SELECT hash FROM audit_blocks ORDER BY block DESC LIMIT 1), '')",
    },
    from: 'audit_chain t',
  },
};
