import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { cpu, exact, type Row, type Table } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { cpuMsOf } from '../../machine.ts';
import type { HttpConnection } from '../../subjects/http-connection.ts';
import { complete, connectionAt, openConnections, register } from '../../subjects/over-http.ts';
import { installedPostgres, type PostgresServer, startPostgres } from '../../subjects/postgres-server.ts';
import { type Server, serve, serveOn } from '../../subjects/server.ts';
import { linear } from '../../subjects/workflows.ts';

const CONCURRENCIES = [1, 64, 256] as const;
const WARM_UP_MS = 500;
const MEASURE_MS = 3_000;
/** Executions of each server before the measurement, so that the code of all servers is compiled equally well. */
const WARM_UP_EXECUTIONS = 2_000;
const WARM_UP_CONNECTIONS = 64;
const RUNTIMES = [1, 2, 3] as const;

const COLUMNS = [...LOAD_COLUMNS.slice(0, 3), cpu('runtimes CPU µs each', 0), cpu('database CPU µs each', 0)];

/**
 * Measures executions from start to completion over HTTP, distributed over the servers, with the CPU time of the servers and of the database,
 * and the size of what one server has stored.
 */
export async function postgres(folder: string): Promise<readonly Table[]> {
  const bin = installedPostgres();
  if (bin === null) throw new Error('no PostgreSQL is installed (apt-get install postgresql)');
  const alone = await serve(folder, 'sqlite.db');
  const rows = await measured('SQLite, 1 runtime', [alone], () => null).finally(() => alone.stop());
  const database = await startPostgres(bin);
  try {
    for (const runtimes of RUNTIMES) rows.push(...(await withServers(folder, database, runtimes)));
    const bytes = await bytesByTable(folder, database);
    return [
      { title: 'One PostgreSQL, fsync on: three-node executions, start → completed over HTTP', columns: COLUMNS, rows },
      {
        title: `PostgreSQL: bytes of a three-node execution by table, of ${WARM_UP_EXECUTIONS}, after VACUUM`,
        columns: [exact('rows', 0), exact('with indices', 0)],
        rows: bytes,
      },
    ];
  } finally {
    database.stop();
  }
}

async function withServers(folder: string, database: PostgresServer, count: number): Promise<readonly Row[]> {
  const url = await database.createDatabase(`runtimes_${count}`);
  const servers: Server[] = [];
  try {
    for (let i = 0; i < count; i += 1) servers.push(await serveOn(url, home(folder, `${count}-${i}`)));
    return await measured(`PostgreSQL, ${count} ${count === 1 ? 'runtime' : 'runtimes'}`, servers, database.cpuMs);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function measured(what: string, servers: readonly Server[], databaseCpuMs: () => number | null): Promise<Row[]> {
  const [first] = servers;
  if (first === undefined) throw new RangeError('no server');
  await register(first.url, first.token, [linear(3)]);
  await Promise.all(servers.map(warmUp));
  const rows: Row[] = [];
  for (const concurrency of CONCURRENCIES) {
    const shares = await Promise.all(
      servers.map(({ url, token }, i) =>
        openConnections(url, token, Math.floor((concurrency + servers.length - 1 - i) / servers.length)),
      ),
    );
    const lanes = shares.flat();
    const samples: { readonly serversMs: number | null; readonly databaseMs: number | null }[] = [];
    const load = await runLoad({
      concurrency,
      warmUpMs: WARM_UP_MS,
      measureMs: MEASURE_MS,
      once: (lane) => complete(connectionAt(lanes, lane)),
      onSample: () => samples.push({ serversMs: sum(servers.map(({ pid }) => cpuMsOf(pid))), databaseMs: databaseCpuMs() }),
    });
    for (const lane of lanes) lane.close();
    const each = (key: 'serversMs' | 'databaseMs') => {
      const used = difference(samples[1]?.[key] ?? null, samples[0]?.[key] ?? null);
      return used === null ? null : (used * 1000) / load.finished;
    };
    const { label, values } = loadRow(load, what);
    rows.push({ label, values: [...values.slice(0, 3), each('serversMs'), each('databaseMs')] });
  }
  return rows;
}

async function warmUp({ url, token }: Server): Promise<void> {
  const lanes = await openConnections(url, token, WARM_UP_CONNECTIONS);
  let left = WARM_UP_EXECUTIONS;
  const run = async (lane: HttpConnection): Promise<void> => {
    for (; left > 0; left -= 1) await complete(lane);
  };
  await Promise.all(lanes.map(run));
  for (const lane of lanes) lane.close();
}

/** Sizes after a VACUUM, so that versions of rows that updates left behind, and that the next rows reuse, count only as space. */
async function bytesByTable(folder: string, database: PostgresServer): Promise<readonly Row[]> {
  const url = await database.createDatabase('bytes');
  const server = await serveOn(url, home(folder, 'bytes'));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await register(server.url, server.token, [linear(3)]);
    const before = await sizes(client);
    await warmUp(server);
    const after = await sizes(client);
    return [...after]
      .map(([label, size]) => {
        const { own, total } = before.get(label) ?? { own: 0, total: 0 };
        return { label, values: [(size.own - own) / WARM_UP_EXECUTIONS, (size.total - total) / WARM_UP_EXECUTIONS] };
      })
      .filter(({ values }) => (values[1] ?? 0) >= 0.5)
      .sort((a, b) => (b.values[1] ?? 0) - (a.values[1] ?? 0));
  } finally {
    await client.end();
    await server.stop();
  }
}

interface Size {
  readonly own: number;
  /** With indices and out-of-line values. */
  readonly total: number;
}

async function sizes(client: pg.Client): Promise<ReadonlyMap<string, Size>> {
  await client.query('VACUUM');
  const { rows } = await client.query<{ name: string; own: string; total: string }>(
    `SELECT relname AS name, pg_relation_size(oid) AS own, pg_total_relation_size(oid) AS total
     FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`,
  );
  return new Map(rows.map(({ name, own, total }) => [name, { own: Number(own), total: Number(total) }]));
}

function home(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
}

function difference(end: number | null, start: number | null): number | null {
  return end === null || start === null ? null : end - start;
}
