import type { Client } from 'pg';
import { type Cell, type CopiedRows, type CopiedTable, CopyError, type CopyReceipt, type CopySource } from '../../port/copy.ts';
import { runQuery } from '../connections.ts';
import { indexKey } from '../index-key.ts';
import { openPostgres, type PostgresOptions } from '../open.ts';
import { ADVANCE_LOG, COLUMNS, INDEXED_COLUMNS, OWN_TABLES, SEEDED_TABLES } from '../queries/copy.ts';
import { withClient } from '../with-client.ts';
import { CopiedLog } from './log-rows.ts';

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly identity: boolean;
  /** Has a default, or may be null. */
  readonly optional: boolean;
}

/** The columns of each table, by its name. */
type Schema = ReadonlyMap<string, ReadonlyMap<string, Column>>;

/** The array type in which the values of a column are sent, and the cast to the column's type. */
const TYPES: Readonly<Record<string, { readonly array: string; readonly cast?: string }>> = {
  text: { array: 'text[]' },
  bigint: { array: 'bigint[]' },
  integer: { array: 'integer[]' },
  smallint: { array: 'smallint[]' },
  'double precision': { array: 'double precision[]' },
  bytea: { array: 'bytea[]' },
  boolean: { array: 'integer[]', cast: '::boolean' },
};

/**
 * Migrates an empty database and copies everything into it in one transaction, with the tables locked meanwhile. Rejects with `not_empty`,
 * `not_copyable`, `copy_differs`, or `StoreError`.
 */
export async function copyToPostgres(source: CopySource, options: Pick<PostgresOptions, 'url' | 'nowMs'>): Promise<CopyReceipt> {
  await (await openPostgres(options)).close();
  return withClient(options.url, async (client) => {
    const copied = await fill(client, source);
    // The planner has no statistics of the new rows yet.
    await client.query('ANALYZE');
    return copied;
  });
}

async function fill(client: Client, source: CopySource): Promise<CopyReceipt> {
  await client.query('BEGIN');
  try {
    const schema = await schemaOf(client);
    await client.query(`LOCK TABLE ${[...schema.keys()].map(quoted).join(', ')} IN ACCESS EXCLUSIVE MODE`);
    await requireEmpty(client, schema);
    const log = new CopiedLog();
    requireAllColumns(schema, log.tables(source.tables));
    for (const table of SEEDED_TABLES) await client.query(`DELETE FROM ${quoted(table)}`);
    const copied = await insertAll(client, schema, source, log);
    await compare(client, copied);
    await advanceIdentities(client, schema);
    for (const advance of ADVANCE_LOG) await client.query(advance);
    await client.query('COMMIT');
    return copied;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function schemaOf(client: Client): Promise<Schema> {
  const schema = new Map<string, Map<string, Column>>();
  for (const column of await runQuery<Column>(client, COLUMNS, [])) {
    if (OWN_TABLES.includes(column.table)) continue;
    const table = schema.get(column.table) ?? new Map<string, Column>();
    schema.set(column.table, table.set(column.column, column));
  }
  return schema;
}

async function requireEmpty(client: Client, schema: Schema): Promise<void> {
  for (const table of schema.keys()) {
    const seeds = table === 'tenants' ? " WHERE id <> 'default'" : '';
    if (table === 'log_key') continue;
    const { rows } = await client.query(`SELECT 1 FROM ${quoted(table)}${seeds} LIMIT 1`);
    if (rows.length > 0) throw new CopyError('not_empty', `the target is not empty: there are rows in ${table}`);
  }
}

/** Every table and column must exist at the target, so that nothing is left out silently. */
function requireAllColumns(schema: Schema, tables: readonly CopiedTable[]): void {
  const offered = new Map(tables.map(({ name, columns }) => [name, columns]));
  for (const { name, columns } of tables) {
    const there = schema.get(name);
    if (there === undefined) throw new CopyError('not_copyable', `there is no table ${name} at the target`);
    for (const column of columns)
      if (!there.has(column)) throw new CopyError('not_copyable', `there is no column ${name}.${column} at the target`);
  }
  for (const [name, columns] of schema)
    for (const { column, optional } of columns.values())
      if (!optional && offered.get(name)?.includes(column) !== true)
        throw new CopyError('not_copyable', `the source has nothing for ${name}.${column} of the target`);
}

async function insertAll(client: Client, schema: Schema, source: CopySource, log: CopiedLog): Promise<Record<string, number>> {
  const copied: Record<string, number> = Object.fromEntries(log.tables(source.tables).map(({ name }) => [name, 0]));
  for (const offered of source.rows()) {
    for (const batch of log.rows(offered)) {
      await insert(client, schema, batch);
      copied[batch.table.name] = (copied[batch.table.name] ?? 0) + batch.rows.length;
    }
  }
  return copied;
}

async function insert(client: Client, schema: Schema, { table, rows }: CopiedRows): Promise<void> {
  const types = table.columns.map(
    (column) => TYPES[schema.get(table.name)?.get(column)?.type ?? ''] ?? unknownType(table, column),
  );
  const names = table.columns.map(quoted).join(', ');
  const cells = table.columns.map((column, at) => `r.${quoted(column)}${types[at]?.cast ?? ''}`).join(', ');
  const arrays = types.map(({ array }, at) => `$${at + 1}::${array}`).join(', ');
  const text = `INSERT INTO ${quoted(table.name)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${cells} FROM unnest(${arrays}) AS r(${names})`;
  const values = table.columns.map((column, at) => rows.map((row) => storable(row[at] ?? null, table, column)));
  await client.query(text, values);
}

function unknownType(table: CopiedTable, column: string): never {
  throw new CopyError('not_copyable', `${table.name}.${column} is of a type that cannot be copied`);
}

/** PostgreSQL's text cannot hold NUL, and a replacement would not match the sealed digest. */
function storable(cell: Cell, table: CopiedTable, column: string): Cell {
  if (typeof cell === 'string' && cell.includes('\0'))
    throw new CopyError('not_copyable', `${table.name}.${column} holds a NUL character, which PostgreSQL cannot keep`);
  return typeof cell === 'string' && INDEXED_COLUMNS.includes(`${table.name}.${column}`) ? indexKey(cell) : cell;
}

async function compare(client: Client, copied: CopyReceipt): Promise<void> {
  for (const [table, rows] of Object.entries(copied)) {
    const { rows: found } = await client.query<{ rows: number }>(`SELECT count(*)::integer AS rows FROM ${quoted(table)}`);
    if (found[0]?.rows !== rows)
      throw new CopyError('copy_differs', `${table}: ${rows} rows were to be copied, ${found[0]?.rows} were`);
  }
}

/** Advances identity columns past the copied values. */
async function advanceIdentities(client: Client, schema: Schema): Promise<void> {
  for (const [table, columns] of schema)
    for (const { column, identity } of columns.values())
      if (identity)
        await client.query(
          `SELECT setval(pg_get_serial_sequence($1, $2), max(${quoted(column)})) FROM ${quoted(table)} HAVING max(${quoted(column)}) > 0`,
          [table, column],
        );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
