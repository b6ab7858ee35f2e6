import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PREFER_INDEXES, type Sql } from '../../../store/postgres/connections.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { countAudited, countAuditedOf, pageOfAudited, pageOfAuditedOf } from '../../../store/postgres/queries/audit.ts';
import { countExecutions, INDEX_SCANS, joinExecutions, scanExecutions } from '../../../store/postgres/queries/executions.ts';
import { listEntries } from '../../../store/postgres/queries/log.ts';
import { BEGIN_WRITER } from '../../../store/postgres/queries/positions.ts';
import { postgresServer } from '../../support/postgres.ts';
import { type Filling, fillTables } from '../../support/postgres-rows.ts';
import { exportsOf, resourceStatements } from '../statements.ts';
import { AT_MS } from '../writes.ts';

/** Statements that read all rows on purpose. */
const WHOLE_TABLES = new Set(['TENANT_POLICIES', 'COUNT_BY_STATUS', 'COUNT_CONTENT', 'COLUMNS', 'KNOWN_EVENT_TYPES']);
/** Tables that stay small: one row, or one per process or webhook. */
const SMALL_TABLES = new Set(['log_key', 'webhook_cursor', 'webhooks', 'audit_chains']);

/** Statements that count or scan many rows anyway, and may use another index while there are few rows. */
const MAY_OVERSCAN = {
  new: /^countExecutions/,
  small: /^(count|along)Executions/,
  filled: /^$/,
  skewed: /^(count|along)Executions/,
} as const;
/** Statements that may scan an index with few entries: tenants, tenants with a retention or a storage limit, inactive tenants, claimed items, pending deliveries, subject tokens. */
const MAY_FULL_SCAN = new Set([
  'RECIPIENT',
  'RETENTION_POLICIES',
  'INACTIVE_TENANTS',
  'WORKERS',
  'NEXT_DUE',
  'INSERT_DELIVERY',
  'REMOVE_EXECUTIONS 8',
  'DELETE_UNUSED_SUBJECT_TOKENS',
  'TENANTS_WITH_LIMIT',
  'COUNTED_TENANTS',
  'TENANTS_TO_COUNT',
]);

/** Statements that run with `INDEX_ONLY_SETTINGS`, as all writes do. */
const KEY_LOOKUPS = new Set(['STILL_NEEDED', 'TENANT_EXECUTIONS', 'LATEST_REVISIONS']);

const queries = await exportsOf(new URL('../../../store/postgres/queries/', import.meta.url));
const resources = await resourceStatements('postgres');

function statements(): readonly (readonly [name: string, text: string])[] {
  const named = queries.flatMap(([name, given]) =>
    [given]
      .flat()
      .filter(isSql)
      .map(({ text }, index, { length }) => [length === 1 ? name : `${name} ${index + 1}`, text] as const),
  );
  const logs = [0, 1, 2, 3].map((bits) => {
    const by = { type: (bits & 1) > 0, text: (bits & 2) > 0 };
    return [`listEntries ${JSON.stringify(by)}`, listEntries(by).text] as const;
  });
  const audits = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bits) => {
    const by = { executionId: (bits & 4) > 0, type: (bits & 1) > 0, actorId: (bits & 2) > 0 };
    const builders = by.executionId ? { countAuditedOf, pageOfAuditedOf } : { countAudited, pageOfAudited };
    return Object.entries(builders).map(([name, build]) => [`${name} ${JSON.stringify(by)}`, build(by).text] as const);
  });
  const scans = Object.keys(INDEX_SCANS) as readonly (keyof typeof INDEX_SCANS)[];
  const lists = scans.flatMap((scan) => [
    ...(['newest', 'oldest'] as const).flatMap((order) => [
      [`walkExecutions ${scan}, ${order} first`, joinExecutions([scan], order).text] as const,
      [`walkExecutions ${scan} and label, ${order} first`, joinExecutions([scan, 'labelValue'], order).text] as const,
      ...(scan === 'statuses' ? [] : [[`alongExecutions ${scan}, ${order} first`, scanExecutions(scan, order).text] as const]),
    ]),
    ...[true, false].flatMap((ranged) => [
      [`countExecutions ${scan}${ranged ? ' in a range' : ''}`, countExecutions([scan], ranged).text] as const,
      [
        `countExecutions ${scan} and label${ranged ? ' in a range' : ''}`,
        countExecutions([scan, 'labelValue'], ranged).text,
      ] as const,
    ]),
  ]);
  return [...named, ...resources, ...logs, ...audits, ...lists].filter(([name]) => !WHOLE_TABLES.has(name));
}

function isSql(given: unknown): given is Sql {
  return typeof given === 'object' && given !== null && 'text' in given && 'name' in given;
}

/**
 * Without statistics, with statistics of small tables, with thousands of rows in every table, and with long logs of few executions of a tenant that has
 * nearly all rows.
 */
const FILLINGS = {
  new: null,
  small: { rows: 60 },
  filled: {},
  skewed: { except: { executions: 50, log_actors: 3, control_events: 10, log_entries: 20_000 }, skewed: true },
} satisfies Readonly<Record<string, Filling | null>>;
const DATABASES = Object.keys(FILLINGS) as readonly (keyof typeof FILLINGS)[];

const server = postgresServer();
const clients = new Map<string, Client>();
/** The columns of each index. */
let indexes: ReadonlyMap<string, readonly string[]>;
beforeAll(async () => {
  for (const database of DATABASES) {
    const url = await server().createDatabase();
    await (await openPostgres({ url, nowMs: () => AT_MS })).close();
    const filling = FILLINGS[database];
    if (filling !== null) await fillTables(server().url.replace(/postgres$/, new URL(url).pathname.slice(1)), filling);
    const client = new Client({ connectionString: url });
    clients.set(database, client);
    await client.connect();
    // Prepared statements are planned without values.
    await client.query('SET plan_cache_mode = force_generic_plan');
    await client.query(PREFER_INDEXES.text);
    indexes = await indexesOf(client);
  }
});
afterAll(async () => {
  for (const client of clients.values()) await client.end();
});

async function indexesOf(client: Client): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await client.query<{ name: string; columns: string[] }>(`SELECT i.indexrelid::regclass::text AS name,
      ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) AS k) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace`);
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** Tables with a sequential scan. */
function sequentialScans(plan: PlanNode): readonly string[] {
  const relations = nodesOf(plan).filter((node) => node['Node Type'] === 'Seq Scan');
  return relations.flatMap(({ 'Relation Name': relation = '' }) => (SMALL_TABLES.has(relation) ? [] : [relation]));
}

/** Indexes that are sequentialScans past entries that do not match: a condition on a column helps little when a preceding column has none. */
function overscanned(plan: PlanNode): readonly string[] {
  return nodesOf(plan).flatMap(({ 'Relation Name': relation = '', 'Index Name': name, 'Index Cond': condition }) => {
    if (name === undefined || condition === undefined || SMALL_TABLES.has(relation)) return [];
    const bound = (indexes.get(name) ?? []).map((column) => new RegExp(`(?<![.\\w])${column}(?!\\w)`).test(condition));
    return bound.lastIndexOf(true) > bound.indexOf(false) && bound.includes(false) ? [`${name}: ${condition}`] : [];
  });
}

/** Indexes that are sequentialScans from end to end, except under a limit. */
function fullScans(plan: PlanNode): readonly string[] {
  if (plan['Node Type'] === 'Limit') return [];
  const { 'Relation Name': relation = '', 'Index Name': name, 'Index Cond': condition } = plan;
  const own = name !== undefined && condition === undefined && !SMALL_TABLES.has(relation) ? [name] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(fullScans)];
}

async function plan(database: string, name: string, text: string): Promise<PlanNode> {
  const client = clients.get(database);
  if (client === undefined) throw new Error(`no database ${database}`);
  const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, place]) => Number(place)));
  await client.query('BEGIN');
  if (KEY_LOOKUPS.has(name) || !text.startsWith('SELECT')) await client.query(BEGIN_WRITER.text, ['rt_1']);
  try {
    await client.query(`PREPARE planned AS ${text}`);
    const values = count === 0 ? '' : `(${Array.from({ length: count }, () => 'NULL').join(', ')})`;
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (FORMAT JSON) EXECUTE planned${values}`);
    const [first] = rows;
    if (first === undefined) throw new Error('no plan');
    return first['QUERY PLAN'][0].Plan;
  } finally {
    await client.query('ROLLBACK');
    await client.query('DEALLOCATE ALL');
  }
}

describe.each(['small', 'filled', 'skewed'])(
  'every statement finds its rows by an index, under row-level security, in a database that was %s',
  (database) => {
    it.each(statements())('%s', async (name, text) => {
      expect(sequentialScans(await plan(database, name, text))).toEqual([]);
    });
  },
);

describe.each(DATABASES)('no statement scans index entries that do not match, in a %s database', (database) => {
  const exempt = MAY_OVERSCAN[database];
  it.each(statements().filter(([name]) => !exempt.test(name)))('%s', async (name, text) => {
    const found = await plan(database, name, text);
    expect([overscanned(found), MAY_FULL_SCAN.has(name) ? [] : fullScans(found)]).toEqual([[], []]);
  });
});
