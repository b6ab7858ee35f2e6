import { readdirSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sql } from '../../../store/postgres/connections.ts';
import { openPostgres } from '../../../store/postgres/open.ts';
import { countAudited, countAuditedOf, pageOfAudited, pageOfAuditedOf } from '../../../store/postgres/queries/audit.ts';
import { alongExecutions, countExecutions, WAYS, walkExecutions } from '../../../store/postgres/queries/executions.ts';
import { listEvents } from '../../../store/postgres/queries/log.ts';
import { WRITES } from '../../../store/postgres/queries/positions.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { fillTables } from '../../support/postgres-rows.ts';
import { AT_MS } from '../writes.ts';

/** These read all rows, and say so. */
const WHOLE_TABLES = new Set(['COUNT_AUDITED', 'CHAINS', 'COUNT_BY_STATUS', 'COUNT_CONTENT', 'COLUMNS']);
/** These do not grow with what is done: one row, or one per process or webhook. */
const SMALL_TABLES = new Set(['log_key', 'webhook_cursor', 'webhooks', 'audit_chains']);

/** The writer asks these, in transactions of its own, and whatever writes. */
const WRITERS = new Set(['HELD_EXECUTIONS']);

const folder = new URL('../../../store/postgres/queries/', import.meta.url);
const queries: Record<string, unknown> = {};
for (const file of readdirSync(folder)) Object.assign(queries, await import(new URL(file, folder).href));

function statements(): readonly (readonly [name: string, text: string])[] {
  const named = Object.entries(queries).flatMap(([name, given]) =>
    [given]
      .flat()
      .filter(isSql)
      .map(({ text }, index, { length }) => [length === 1 ? name : `${name} ${index + 1}`, text] as const),
  );
  const logs = [0, 1, 2, 3].map((bits) => {
    const by = { type: (bits & 1) > 0, nodeId: (bits & 2) > 0 };
    return [`listEvents ${JSON.stringify(by)}`, listEvents(by).text] as const;
  });
  const audits = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bits) => {
    const by = { executionId: (bits & 4) > 0, type: (bits & 1) > 0, actorId: (bits & 2) > 0 };
    const builders = by.executionId ? { countAuditedOf, pageOfAuditedOf } : { countAudited, pageOfAudited };
    return Object.entries(builders).map(([name, build]) => [`${name} ${JSON.stringify(by)}`, build(by).text] as const);
  });
  const ways = Object.keys(WAYS) as readonly (keyof typeof WAYS)[];
  const lists = ways.flatMap((way) => [
    ...(['newest', 'oldest'] as const).flatMap((order) => [
      [`walkExecutions ${way}, ${order} first`, walkExecutions([way], order).text] as const,
      [`walkExecutions ${way} and label, ${order} first`, walkExecutions([way, 'labelValue'], order).text] as const,
      ...(way === 'statuses' ? [] : [[`alongExecutions ${way}, ${order} first`, alongExecutions(way, order).text] as const]),
    ]),
    [`countExecutions ${way}`, countExecutions([way]).text] as const,
    [`countExecutions ${way} and label`, countExecutions([way, 'labelValue']).text] as const,
  ]);
  return [...named, ...logs, ...audits, ...lists].filter(([name]) => !WHOLE_TABLES.has(name));
}

function isSql(given: unknown): given is Sql {
  return typeof given === 'object' && given !== null && 'text' in given && 'name' in given;
}

let server: PostgresServer;
let client: Client;
beforeAll(async () => {
  server = await startPostgres();
  const url = await server.createDatabase();
  await (await openPostgres({ url, nowMs: () => AT_MS })).close();
  await fillTables(server.url.replace(/postgres$/, new URL(url).pathname.slice(1)));
  client = new Client({ connectionString: url });
  await client.connect();
  // Named statements are planned for any values.
  await client.query('SET plan_cache_mode = force_generic_plan');
}, 60_000);
afterAll(async () => {
  await client.end();
  server.stop();
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

function scanned(node: PlanNode): readonly string[] {
  const relation = node['Relation Name'];
  const own = node['Node Type'] === 'Seq Scan' && relation !== undefined && !SMALL_TABLES.has(relation) ? [relation] : [];
  return [...own, ...(node.Plans ?? []).flatMap(scanned)];
}

async function plan(name: string, text: string): Promise<PlanNode> {
  const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, place]) => Number(place)));
  await client.query('BEGIN');
  if (WRITERS.has(name) || !text.startsWith('SELECT')) await client.query(WRITES.text, ['rt_1']);
  await client.query(`PREPARE asked AS ${text}`);
  try {
    const values = count === 0 ? '' : `(${Array.from({ length: count }, () => 'NULL').join(', ')})`;
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (FORMAT JSON) EXECUTE asked${values}`);
    const [first] = rows;
    if (first === undefined) throw new Error('no plan');
    return first['QUERY PLAN'][0].Plan;
  } finally {
    await client.query('ROLLBACK');
    await client.query('DEALLOCATE asked');
  }
}

describe('every statement finds its rows by an index, under row-level security', () => {
  it.each(statements())('%s', async (name, text) => {
    expect(scanned(await plan(name, text))).toEqual([]);
  });
});
