/** Reading a whole database, to copy it. */

/** In the order in which they were made: what refers to another came later. */
export const TABLES =
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";
export const COLUMNS = 'SELECT name FROM pragma_table_info(?)';

// A compact copy, attached as `copy`

export function countRows(schema: 'main' | 'copy', table: string): string {
  return `SELECT count(*) FROM ${schema}."${table}"`;
}

/** Events that have kept their place in the log of all executions. */
export function countSamePositions(): string {
  return `SELECT count(*) FROM main.events a JOIN copy.events b ON b.rowid = a.rowid
    WHERE b.execution_id = a.execution_id AND b.seq = a.seq`;
}

// For the scale-out engine

/** What it keeps otherwise, or not at all: of this file alone, or part of another table there. */
export const NOT_COPIED: ReadonlySet<string> = new Set([
  'schema_migrations',
  'runtime_holder',
  'leases',
  'checkpoints',
  'audit_chain',
]);

export interface DerivedColumns {
  /** Expressions over the row, `t`: instead of, or beside, the table's own columns. */
  readonly columns: Readonly<Record<string, string>>;
  /** For a table that is none here. */
  readonly from?: string;
  readonly order?: string;
}

const CHAIN = "'sqlite:' || (SELECT id FROM audit_chain)";

export const DERIVED: Readonly<Record<string, DerivedColumns>> = {
  // The order of commits.
  events: { columns: { position: 't.rowid' }, order: 't.rowid' },
  executions: {
    columns: { snapshot: 'coalesce(t.snapshot, (SELECT c.snapshot FROM checkpoints c WHERE c.execution_id = t.id))' },
  },
  idempotency: {
    columns: { execution_id: "CASE t.scope WHEN 'executions' THEN json_extract(t.response, '$.execution_id') END" },
  },
  tenant_usage: { columns: { slot: '0' } },
  // Nothing runs on the file: a runtime that crashed a moment ago is not to be waited for.
  workers: { columns: { last_seen_at_ms: "iif(t.kind = 'runtime' AND t.stopped_at_ms IS NULL, 0, t.last_seen_at_ms)" } },
  // There each writer has a chain. The one of this database, which all its writers share, stays one of its own.
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
