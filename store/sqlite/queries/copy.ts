/** Reads a whole database, to copy it. */

/** In order of creation: a table that refers to another was created later. */
export const TABLES =
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";
export const COLUMNS = 'SELECT name FROM pragma_table_info(?)';

// A compact copy, attached as `copy`

export function countRows(schema: 'main' | 'copy', table: string): string {
  return `SELECT count(*) FROM ${schema}."${table}"`;
}

/** The number of events that have the same position in both databases. */
export function countSamePositions(): string {
  return `SELECT count(*) FROM main.events a JOIN copy.events b ON b.rowid = a.rowid
    WHERE b.execution_id = a.execution_id AND b.seq = a.seq`;
}

// For PostgreSQL

/** Not copied: tables that concern this file alone, or that are part of another table there. */
export const NOT_COPIED: ReadonlySet<string> = new Set(['schema_migrations', 'runtime_holder', 'leases', 'audit_chain']);

export interface DerivedColumns {
  /** Expressions over the row `t` that replace, or add to, the table's own columns. */
  readonly columns: Readonly<Record<string, string>>;
  /** Where the rows come from, for a table that does not exist here. */
  readonly from?: string;
  readonly order?: string;
}

const CHAIN = "'sqlite:' || (SELECT id FROM audit_chain)";

export const DERIVED: Readonly<Record<string, DerivedColumns>> = {
  // Commit order.
  events: { columns: { position: 't.rowid' }, order: 't.rowid' },
  idempotency: {
    columns: { execution_id: "CASE t.scope WHEN 'executions' THEN json_extract(t.response, '$.execution_id') END" },
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
