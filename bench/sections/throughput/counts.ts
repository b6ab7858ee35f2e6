import { closeSync, openSync, readSync } from 'node:fs';
import pg from 'pg';
import { openPostgres } from '../../../store/postgres/open.ts';
import { exact, type Table } from '../../figures.ts';
import { CountingProxy } from '../../subjects/counting-proxy.ts';
import { CALLER, completeMany, onStore, withRuntime } from '../../subjects/in-process.ts';
import { installedPostgres, startPostgres } from '../../subjects/postgres-server.ts';
import { recordStatements } from '../../subjects/recorder.ts';
import { linear } from '../../subjects/workflows.ts';

const WARM_UP = 20;
/** So few that SQLite copies no page of its log to the database meanwhile. */
const MEASURED = 40;
/** Of which the one with the fewest turns of the event loop counts: timers add some. */
const ROUNDS = 5;
/** Where the index of a write-ahead log has the number of its pages (https://sqlite.org/walformat.html#the_wal_index_header). */
const PAGES_OFFSET = 16;

const LABEL = 'three-node execution';

/** Counts what an execution costs that runs alone, so that nothing is shared with others. */
export function counts(folder: string): Promise<readonly Table[]> {
  return withRuntime(folder, 'counts', async ({ runtime, path }) => {
    await runtime.register(CALLER, linear(3));
    await completeMany(runtime, WARM_UP, 1);
    const before = pagesInLog(path);
    const { statements } = await recordStatements(() => completeMany(runtime, MEASURED, 1));
    const pages = pagesInLog(path) - before;
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = turns();
      await completeMany(runtime, MEASURED, 1);
      rounds.push(turns() - started);
    }
    const each = (count: number) => count / MEASURED;
    return [
      {
        title: 'SQLite, one execution at a time: counted',
        columns: [
          exact('transactions', 2),
          exact('statements', 1),
          exact('pages of the write-ahead log', 1),
          exact('turns of the event loop', 2),
        ],
        rows: [
          {
            label: LABEL,
            values: [
              each(statements.filter(({ sql }) => sql === 'COMMIT').length),
              each(statements.length),
              each(pages),
              each(Math.min(...rounds)),
            ],
          },
        ],
      },
    ];
  });
}

function pagesInLog(path: string): number {
  const index = openSync(`${path}-shm`, 'r');
  try {
    const pages = Buffer.alloc(4);
    readSync(index, pages, 0, pages.length, PAGES_OFFSET);
    return pages.readUInt32LE();
  } finally {
    closeSync(index);
  }
}

function turns(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}

/** The same on PostgreSQL. How often an execution is read while it runs depends on how fast the database answers. */
export async function postgresCounts(): Promise<readonly Table[]> {
  const bin = installedPostgres();
  if (bin === null) throw new Error('no PostgreSQL is installed (apt-get install postgresql)');
  // A page is written whole after a checkpoint, and vacuuming writes too: neither depends on the executions alone.
  const database = await startPostgres(bin, { full_page_writes: 'off', autovacuum: 'off' });
  try {
    const url = new URL(await database.createDatabase('counts'));
    const proxy = await CountingProxy.to(Number(url.port));
    const direct = new pg.Client({ connectionString: url.href });
    await direct.connect();
    url.port = String(proxy.port);
    const walBytes = async () => {
      const { rows } = await direct.query<{ bytes: string }>("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes");
      return Number(rows[0]?.bytes);
    };
    try {
      return await onStore(await openPostgres({ url: url.href }), async (runtime) => {
        await runtime.register(CALLER, linear(3));
        await completeMany(runtime, WARM_UP, 1);
        const before = { roundTrips: proxy.roundTrips, sent: proxy.sentBytes, written: await walBytes() };
        await completeMany(runtime, MEASURED, 1);
        const each = (count: number) => count / MEASURED;
        return [
          {
            title: 'PostgreSQL, one execution at a time: counted',
            columns: [
              { ...exact('round trips', 1), tolerance: 0.15 },
              { ...exact('sent bytes', 0), tolerance: 0.05 },
              exact('bytes of the write-ahead log', 0),
            ],
            rows: [
              {
                label: LABEL,
                values: [
                  each(proxy.roundTrips - before.roundTrips),
                  each(proxy.sentBytes - before.sent),
                  each((await walBytes()) - before.written),
                ],
              },
            ],
          },
        ];
      });
    } finally {
      await direct.end();
      await proxy.close();
    }
  } finally {
    database.stop();
  }
}
