import { Client } from 'pg';

/** Enough rows that a sequential scan costs more than an index scan. */
const MANY = 5_000;

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /** Text of its check constraints. */
  readonly checks: string | null;
}

const COLUMNS = `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable,
    (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS checks
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attidentity = '' AND a.attgenerated = '' ORDER BY c.relname, a.attnum`;

/** Columns whose values many rows share. */
const SHARED = /^(tenant_id|type|status|queue|actor_id|workflow_id|workflow_version|node_id|kind|key|trait|month|writer|owner)$/;
const JSON_TEXT = /^(labels|limits|policy|data|response|queues|payload|request|card|filter|errors|events)$/;

export interface Filling {
  /** Rows of every table; absent = many. */
  readonly rows?: number;
  /** Rows of single tables, by name. */
  readonly except?: Readonly<Record<string, number>>;
  /** Nearly all rows share one tenant, one status, one actor …, instead of being divided evenly among twenty. */
  readonly skewed?: boolean;
}

/** Fills every table with rows. `url` must be the superuser's. */
export async function fillTables(url: string, { rows: count = MANY, except = {}, skewed = false }: Filling = {}): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // Disables foreign keys.
    await client.query('SET session_replication_role = replica');
    const { rows } = await client.query<Column>(COLUMNS);
    for (const table of new Set(rows.map((column) => column.table))) {
      const columns = rows.filter((column) => column.table === table);
      if (table === 'event_types' || columns.some(({ checks }) => checks?.includes('id = 1'))) continue;
      const names = columns.map(({ name }) => `"${name}"`).join(', ');
      const values = columns.map((column) => value(column, skewed)).join(', ');
      await client.query(`INSERT INTO "${table}" (${names}) SELECT ${values}
        FROM generate_series(1, ${except[table] ?? count}) AS n ON CONFLICT DO NOTHING`);
    }
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}

/** A SQL expression of the row number `n`. */
function value(column: Column, skewed: boolean): string {
  const given = present(column, skewed);
  return column.nullable ? `CASE WHEN n % 3 = 0 THEN ${given} END` : given;
}

function present({ name, type, checks }: Column, skewed: boolean): string {
  const shared = skewed ? 'CASE WHEN n % 100 = 0 THEN n % 20 ELSE 0 END' : 'n % 20';
  const choices = [...(checks ?? '').matchAll(/'([a-z_]+)'::text/g)].map(([, choice]) => `'${choice}'`);
  if (choices.length > 0) return `(ARRAY[${choices.join(', ')}])[1 + n % ${choices.length}]`;
  if (name === 'actor_type') return "(ARRAY['human', 'system', 'agent'])[1 + (n % 50) / 24]";
  if (type === 'boolean') return 'n % 2 = 0';
  if (type === 'bytea') return "'\\x00'::bytea";
  if (type === 'tsvector') return "('word' || n || ':1')::tsvector";
  if (type !== 'text') return 'n';
  if (JSON_TEXT.test(name)) return "'{}'";
  return SHARED.test(name) ? `'shared ' || ${shared}` : `'own ' || n`;
}
