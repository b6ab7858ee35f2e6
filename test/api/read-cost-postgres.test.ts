import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copyToPostgres } from '../../store/postgres/copy/target.ts';
import { openPostgres } from '../../store/postgres/open.ts';
import { openSqliteSource } from '../../store/sqlite/copy/source.ts';
import { type PostgresReadCost, postgresReadCost, postgresReadsDuring } from '../support/counted-postgres-reads.ts';
import { postgresServer } from '../support/postgres.ts';
import { api } from './support/api.ts';
import { fullServer } from './support/full-server.ts';
import { type CostRow, CostTable, worst } from './support/read-cost-table.ts';
import { statementsOf } from './support/read-statements.ts';

/** Rows that one statement may visit: all of one kind that a tenant has; of memory, 10,000 items for each of 50 words. */
const MOST_VISITED = 110_000;
const MOST_ITEMS = 50 * 10_010;
/** Whether `npm run read-costs` writes the page. */
const WRITES = process.env.WRITE_READ_COSTS !== undefined;

const postgres = postgresServer();

/** The full database, copied to PostgreSQL as `jamjet db copy` does. */
async function fullPostgres() {
  const { server, subjects } = await fullServer();
  await server.close();
  const nowMs = () => server.clock.nowMs();
  const url = await postgres().createDatabase();
  const source = await openSqliteSource({ path: server.path, nowMs });
  await copyToPostgres(source, { url, nowMs });
  source.close();
  const client = new Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  // As autovacuum does.
  await client.query('ANALYZE');
  return { client, server: await api({ store: await openPostgres({ url, nowMs }) }), subjects };
}

describe('a read that a viewer causes on PostgreSQL', () => {
  it('visits a bounded number of rows on a full database', async () => {
    const { client, ...full } = await fullPostgres();
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
