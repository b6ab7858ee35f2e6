import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Connections } from '../../../store/postgres/connections.ts';
import { ExecutionLists } from '../../../store/postgres/lists/execution-lists.ts';
import { INDEX_SCANS, type IndexScanName, joinExecutions, scanExecutions } from '../../../store/postgres/queries/executions.ts';
import { type PostgresDatabase, postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { batch, context, startExecution } from '../writes.ts';

const server = postgresServer();

/** Failed and labelled executions alternate; only the first one is both. */
async function alternating(count: number): Promise<PostgresDatabase> {
  const database = postgresDatabase(server);
  const writes = Array.from({ length: count }, (_, index) => {
    const labels = index % 2 === 1 || index === 0 ? '{"env":"prod"}' : '{}';
    const progress = { status: index % 2 === 0 ? 'failed' : 'running' };
    const parentId = index % 5 === 0 ? 'exec_p' : null;
    return startExecution(`exec_${String(index).padStart(4, '0')}`, { create: { labels, parentId }, progress });
  });
  await (await database.open()).commit(batch(...writes));
  return database;
}

async function impatient(database: PostgresDatabase): Promise<ExecutionLists> {
  const url = await database.url();
  const timeouts = { statementTimeoutMs: 10_000, readTimeoutMs: 10_000, connectTimeoutMs: 10_000 };
  const settings = { url, listenUrl: url, poolSize: 1, ...timeouts };
  const connections = new Connections(settings, () => {});
  onTestFinished(() => connections.close());
  return new ExecutionLists(connections, { atOnce: 50, idle: 100 });
}

describe('a list with sparse matches', () => {
  const filter = { statuses: ['failed'], labels: [{ key: 'env' }] };

  it.each(['newest', 'oldest'] as const)('ends its page early and continues from there, %s first', async (order) => {
    const lists = await impatient(await alternating(1_000));
    const pages: (readonly string[])[] = [];
    let after: string | null = order === 'newest' ? '\uffff' : '';
    while (after !== null) {
      const { rows, next } = await lists.page('default', { ...filter, order, after, limit: 5 });
      pages.push(rows.map((row) => row.id));
      after = next;
    }
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toEqual(['exec_0000']);
  });

  it('is not cut short by an offset or a count', async () => {
    const lists = await impatient(await alternating(1_000));
    expect(await lists.page('default', { ...filter, limit: 5, offset: 1 })).toEqual({ rows: [], next: null });
    expect(await lists.count('default', filter)).toEqual(new Map([['failed', 1]]));
  });
});

describe('a list of executions', () => {
  const INDEXES: Readonly<Record<IndexScanName, string>> = {
    tenant: 'executions_by_tenant',
    parent: 'executions_by_parent',
    label: 'execution_labels_pkey',
    labelValue: 'execution_labels_by_value',
    version: 'executions_by_version',
    workflow: 'executions_by_workflow',
    status: 'executions_by_status',
    statuses: 'executions_by_status',
  };
  const scans = Object.keys(INDEX_SCANS) as readonly IndexScanName[];

  it.each(scans)('by %s reads only the index of that condition, although the planner knows no values', async (scan) => {
    const database = await alternating(1_000);
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('ANALYZE');
    await client.query('SET plan_cache_mode = force_generic_plan');
    for (const order of ['newest', 'oldest'] as const) {
      const texts = [
        joinExecutions([scan, scan], order).text,
        ...(scan === 'statuses' ? [] : [scanExecutions(scan, order).text]),
      ];
      for (const text of texts) {
        const places = Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, place]) => Number(place)));
        await client.query(`PREPARE asked AS ${text}`);
        const values = Array.from({ length: places }, () => 'NULL').join(', ');
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE asked(${values})`);
        const scans = rows.flatMap((row) => row['QUERY PLAN'].match(/Scan(?: Backward)? using (\w+)|Seq Scan on \w+/) ?? []);
        expect(new Set(scans.filter((_, index) => index % 2 === 1))).toEqual(new Set([INDEXES[scan]]));
        await client.query('DEALLOCATE asked');
      }
    }
  });

  it('does not return labels of removed executions', async () => {
    const database = postgresDatabase(server);
    const store = await database.open();
    const done = { progress: { status: 'completed', completedAtMs: 1 } };
    const labels = '{"env":"prod","odd \\u0000 key":"x"}';
    await store.commit(
      batch(startExecution('exec_1', { create: { labels }, ...done }), startExecution('exec_2', { create: { labels } })),
    );
    const { rows } = await store.tenant('default').executions({ limit: 9, labels: [{ key: 'odd \0 key' }] });
    expect(rows.map(({ id }) => id)).toEqual(['exec_2', 'exec_1']);
    await store.retention.remove({ after: null, endedBeforeMs: 2 }, context());
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    const left = await client.query<{ id: string }>('SELECT DISTINCT execution_id AS id FROM execution_labels');
    await client.end();
    expect(left.rows).toEqual([{ id: 'exec_2' }]);
  });
});
