import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { planOf, type ReadCost, readCounter, readsDuring } from '../support/counted-reads.ts';
import { fullServer } from './support/full-server.ts';
import { type CostRow, CostTable, worst } from './support/read-cost-table.ts';
import { statementsOf } from './support/read-statements.ts';

/**
 * Steps of SQLite's virtual machine that one statement may take before others go on: ten milliseconds or so. A row that is visited takes five at
 * least, one that is returned ten to thirty.
 */
const MOST_STEPS = 400_000;
/** Rows that a statement may visit without an index: those of lists that it is given. */
const MOST_SCANNED = 1_000;
/** Whether `npm run read-costs` writes the page. */
const WRITES = process.env.WRITE_READ_COSTS !== undefined;

/** How tables are read: `search` by an index, `scan` from the beginning. */
function shortPlan(sql: string, details: readonly string[]): string {
  const tables = new Map(
    [...sql.matchAll(/\b(?:FROM|JOIN) (\w+) (?:AS )?(\w+)/g)].map(([, table = '', alias = '']) => [alias, table]),
  );
  const parts = details.flatMap((detail) => {
    const [, how = '', table = '', index] = /^(SEARCH|SCAN) (\S+)(?:.* USING (?:COVERING )?INDEX (\S+))?/.exec(detail) ?? [];
    return how === '' ? [] : [`${how.toLowerCase()} ${index ?? tables.get(table) ?? table}`];
  });
  return [...new Set(parts)].join(', ');
}

describe('a read that a viewer causes', () => {
  it('visits a bounded number of rows before others go on, on a full database', async () => {
    const full = await fullServer();
    const statements = await statementsOf(full, readsDuring);
    const counter = await readCounter(full.server.path);
    const db = new Database(full.server.path, { readonly: true });
    const tooMany: (ReadCost & { readonly route: string; readonly sql: string })[] = [];
    const rows: CostRow[] = [];
    for (const [sql, { route, reads }] of statements) {
      const details = counter.plan(sql);
      // What was counted holds for the server's build of SQLite as far as it has the same plan.
      expect(details).toEqual(planOf(db, sql));
      const costs = [...reads.values()].map((read) => counter.cost(read));
      tooMany.push(
        ...costs
          .filter(({ steps, scanned }) => steps > MOST_STEPS || scanned > MOST_SCANNED)
          .map((cost) => ({ route, sql, ...cost })),
      );
      const { steps, scanned, rows: returned } = worst(costs, (cost) => cost.steps);
      rows.push({ route, plan: shortPlan(sql, details), measures: [steps, scanned, returned] });
    }
    db.close();
    counter.close();
    expect(statements.size).toBeGreaterThan(50);
    expect(tooMany).toEqual([]);
    const table = new CostTable('SQLite', ['steps', 'rows without an index', 'rows returned']);
    if (WRITES) table.write(rows);
    expect(table.documented()).toEqual(table.of(rows));
  });

  it('counts approvals a slice at a time, and each of them once', async () => {
    const { server, token } = await fullServer();
    const db = new Database(server.path, { readonly: true });
    const pending = db.prepare('SELECT count(*) FROM approvals WHERE decided_at_ms IS NULL').pluck().get();
    db.close();
    for (const query of ['', '?workflow_id=review']) {
      const reply = await server.app.inject({ url: `/approvals/counts${query}`, headers: { authorization: `Bearer ${token}` } });
      expect(reply.json()).toEqual({ pending });
    }
  });
});
