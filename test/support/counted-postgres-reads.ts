import { AsyncLocalStorage } from 'node:async_hooks';
import { Client } from 'pg';
import type { Read } from './counted-reads.ts';

/** The reads that `work` makes in PostgreSQL; those of background tasks meanwhile do not count. */
export async function postgresReadsDuring(work: () => Promise<unknown>): Promise<readonly Read[]> {
  const reads: Read[] = [];
  const within = new AsyncLocalStorage<true>();
  const { prototype } = Client as unknown as { prototype: { query(...given: unknown[]): unknown } };
  const { query } = prototype;
  prototype.query = function (...given) {
    const [asked, values] = given as [string | { text?: string; values?: unknown[] }, unknown[] | undefined];
    const { text = '', values: bound = values ?? [] } = typeof asked === 'string' ? { text: asked } : asked;
    if (within.getStore() === true && isRead(text)) reads.push({ sql: text, bound });
    return query.apply(this, given);
  };
  try {
    await within.run(true, work);
  } finally {
    prototype.query = query;
  }
  return reads;
}

function isRead(text: string): boolean {
  return (
    /^\s*(SELECT|WITH)\b/.test(text) && /\bFROM\b/.test(text) && !/\b(INSERT INTO|UPDATE|DELETE FROM|FOR SHARE)\b/.test(text)
  );
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly PlanNode[];
}

export interface PostgresReadCost {
  /** Rows of tables that are looked at, each time. */
  readonly visited: number;
  /** Blocks of tables and indexes, each time that one is used. */
  readonly blocks: number;
  readonly rows: number;
  /** Tables and indexes that are read, in the order of the plan. */
  readonly tables: readonly string[];
  readonly indexes: readonly string[];
}

/** Makes a read again as tenant `default` with the settings of the store, and counts what it visits. */
export async function postgresReadCost(client: Client, { sql, bound }: Read): Promise<PostgresReadCost> {
  await client.query('BEGIN READ ONLY');
  try {
    await client.query("SELECT set_config('jamjet.tenant', 'default', true)");
    await client.query("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)");
    const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, [...bound]);
    const [{ Plan: plan }] = rows[0]['QUERY PLAN'];
    const nodes = [...nodesOf(plan)];
    const named = (key: 'Relation Name' | 'Index Name') => [...new Set(nodes.flatMap((node) => node[key] ?? []))];
    return {
      visited: nodes.reduce((sum, node) => sum + (node['Relation Name'] === undefined ? 0 : visitedBy(node)), 0),
      blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
      rows: plan['Actual Rows'],
      tables: named('Relation Name'),
      indexes: named('Index Name'),
    };
  } finally {
    await client.query('ROLLBACK');
  }
}

function visitedBy(node: PlanNode): number {
  const { 'Rows Removed by Filter': filtered = 0, 'Rows Removed by Index Recheck': rechecked = 0 } = node;
  return (node['Actual Rows'] + filtered + rechecked) * node['Actual Loops'];
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const inner of node.Plans ?? []) yield* nodesOf(inner);
}
