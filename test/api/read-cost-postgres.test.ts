import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PostgresReadCost, postgresReadCost, postgresReadsDuring } from '../support/counted-postgres-reads.ts';
import { postgresServer } from '../support/postgres.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { fullPostgres } from './support/full-postgres.ts';
import { type CostRow, CostTable, worst } from './support/read-cost-table.ts';
import { statementsOf } from './support/read-statements.ts';

/** Rows that one statement may visit: all of one kind that a tenant has; of memory, 10,000 items for each of 50 words. */
const MOST_VISITED = 110_000;
const MOST_ITEMS = 50 * 10_010;
/** Whether `npm run read-costs` writes the page. */
const WRITES = process.env.WRITE_READ_COSTS !== undefined;

const postgres = postgresServer();

async function analysed(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  // As autovacuum does.
  await client.query('ANALYZE');
  return client;
}

describe.runIf(TRIES_ALL)('a read that a viewer causes on PostgreSQL', () => {
  it('visits a bounded number of rows on a full database', async () => {
    const { url, ...full } = await fullPostgres(postgres());
    const client = await analysed(url);
    const statements = await statementsOf(full, postgresReadsDuring);
    const tooMany: (PostgresReadCost & { readonly route: string; readonly sql: string })[] = [];
    const rows: CostRow[] = [];
    for (const [sql, { route, reads }] of statements) {
      const costs: PostgresReadCost[] = [];
      for (const read of reads.values()) costs.push(await postgresReadCost(client, read));
      const { visited, blocks, rows: returned, tables, indexes } = worst(costs, (cost) => cost.visited);
      if (visited > (tables.includes('memory_index') ? MOST_ITEMS : MOST_VISITED))
        tooMany.push({ route, sql, ...worst(costs, (cost) => cost.visited) });
      const plan =
        tables.length === 0 ? 'no table' : `${tables.join(', ')}${indexes.length === 0 ? '' : ` by ${indexes.join(', ')}`}`;
      rows.push({ route, plan, measures: [visited, blocks, returned] });
    }
    expect(statements.size).toBeGreaterThan(50);
    expect(tooMany).toEqual([]);
    // Which of the indexes serves best depends on statistics.
    const tablesOf = (plan: string): string => (plan.split(' by ')[0] ?? '').split(', ').sort().join(', ');
    const table = new CostTable('PostgreSQL', ['rows visited', 'blocks', 'rows returned'], tablesOf);
    if (WRITES) table.write(rows);
    expect(table.documented()).toEqual(table.of(rows));
  });
});
