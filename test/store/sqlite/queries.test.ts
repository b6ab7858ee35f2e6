import { readdirSync } from 'node:fs';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { listExecutions } from '../../../store/sqlite/queries/executions.ts';
import { listEvents } from '../../../store/sqlite/queries/log.ts';
import { sqliteDatabase } from '../../support/stores.ts';

/** These read all rows, and say so. */
const WHOLE_TABLES = new Set(['COUNT_AUDITED']);

const folder = new URL('../../../store/sqlite/queries/', import.meta.url);
const queries: Record<string, unknown> = {};
for (const file of readdirSync(folder)) Object.assign(queries, await import(new URL(file, folder).href));

function statements(): readonly (readonly [name: string, sql: string])[] {
  const named = Object.entries(queries).flatMap(([name, sql]) =>
    typeof sql === 'string' && /^(SELECT|INSERT|UPDATE|DELETE|WITH) /.test(sql) && !WHOLE_TABLES.has(name)
      ? [[name, sql] as const]
      : [],
  );
  const lists = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
    const by = { status: (bits & 1) > 0, workflowId: (bits & 2) > 0, parentId: (bits & 4) > 0 };
    return [`listExecutions ${JSON.stringify(by)}`, listExecutions(by)] as const;
  });
  const logs = [0, 1, 2, 3].map((bits) => {
    const by = { type: (bits & 1) > 0, nodeId: (bits & 2) > 0 };
    return [`listEvents ${JSON.stringify(by)}`, listEvents(by)] as const;
  });
  return [...named, ...lists, ...logs];
}

/** Tables that grow without bound, and their aliases. The index of executions with work under way holds only those. */
const SCAN =
  /^SCAN (executions|events|control_events|timers|work_items|workflows|idempotency|tokens|tenants|tenant_usage|inbox|agents|agent_traits|agent_events|e|i|w|a|t|c)\b(?!.* INDEX executions_with_local_work$)/;

async function plan(sql: string): Promise<readonly string[]> {
  const one = sqliteDatabase();
  await one.open();
  const db = new Database(one.path, { readonly: true });
  const rows = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql.replaceAll(/\?|@\w+/g, '1')}`).all();
  db.close();
  return rows.map((row) => row.detail);
}

describe('every statement finds its rows by an index, and in order', () => {
  it.each(statements())('%s', async (_name, sql) => {
    expect((await plan(sql)).filter((detail) => SCAN.test(detail) || detail.includes('TEMP B-TREE'))).toEqual([]);
  });
});

describe('a deep page of a list', () => {
  it.each([
    [{ status: false, workflowId: false, parentId: false }],
    [{ status: true, workflowId: false, parentId: false }],
    [{ status: false, workflowId: true, parentId: false }],
    [{ status: true, workflowId: true, parentId: false }],
  ])('does not read the rows it skips: %o', async (by) => {
    expect((await plan(listExecutions(by))).at(-1)).toContain('COVERING INDEX');
  });
});
