import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { cpu, exact, type Row, type Table } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { cpuMsOf, difference } from '../../machine.ts';
import type { HttpConnection } from '../../subjects/http-connection.ts';
import { complete, connectionAt, openConnections, register } from '../../subjects/over-http.ts';
import { installedPostgres, type PostgresServer, startPostgres } from '../../subjects/postgres-server.ts';
import { type Server, serveOn } from '../../subjects/server.ts';
import { linear } from '../../subjects/workflows.ts';

const WARM_UP_MS = 300;
const MEASURE_MS = 1_200;
/** Executions of each server before the measurement, so that the code of all servers is compiled equally well. */
const WARM_UP_EXECUTIONS = 1_000;
const WARM_UP_CONNECTIONS = 64;
/** Clients at once, by number of runtimes. */
type Plan = ReadonlyMap<number, readonly number[]>;
const TWO: Plan = new Map([
  [1, [1, 64]],
  [2, [64]],
]);
const THREE: Plan = new Map([
  [1, [64, 256]],
  [2, [64, 256]],
  [3, [64, 256]],
]);

const COLUMNS = [...LOAD_COLUMNS.slice(0, 3), cpu('runtimes CPU µs each', 0), cpu('database CPU µs each', 0)];

/**
 * Measures executions from start to completion over HTTP, distributed over the servers, with the CPU time of the servers and of the database,
 * and the size of what the first of them has stored.
 */
export function postgres(folder: string): Promise<readonly Table[]> {
  return measuredAs(TWO, folder);
}

/** The same for one, two and three servers with more clients. */
export function postgresCluster(folder: string): Promise<readonly Table[]> {
  return measuredAs(THREE, folder);
}

async function measuredAs(plan: Plan, folder: string): Promise<readonly Table[]> {
  const bin = installedPostgres();
  if (bin === null) throw new Error('no PostgreSQL is installed (apt-get install postgresql)');
  const database = await startPostgres(bin);
  const measured: Measured[] = [];
  try {
    for (const [runtimes, concurrencies] of plan) measured.push(await withServers(folder, database, runtimes, concurrencies));
  } finally {
    database.stop();
  }
  const [first] = measured;
  if (first === undefined) throw new RangeError('an empty plan');
  return [
    {
      title: 'One PostgreSQL, fsync on: three-node executions, start → completed over HTTP',
      columns: COLUMNS,
      rows: measured.flatMap(({ loads }) => loads),
    },
    {
      title: `PostgreSQL: bytes of a three-node execution by table, of ${first.executions}, after VACUUM`,
      columns: [exact('rows', 0), exact('with indices', 0)],
      rows: first.bytes,
    },
  ];
}

interface Measured {
  readonly loads: readonly Row[];
  /** Of which the bytes were measured. */
  readonly executions: number;
  /** Of an execution, by table. */
  readonly bytes: readonly Row[];
}

async function withServers(
  folder: string,
  database: PostgresServer,
  count: number,
  concurrencies: readonly number[],
): Promise<Measured> {
  const url = await database.createDatabase(`runtimes_${count}`);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const servers: Server[] = [];
  try {
    for (let i = 0; i < count; i += 1) servers.push(await serveOn(url, home(folder, `${count}-${i}`)));
    const [first] = servers;
    if (first === undefined) throw new RangeError('no server');
    await register(first.url, first.token, [linear(3)]);
    await warmUp(first, WARM_UP_CONNECTIONS);
    const before = await stored(client);
    await Promise.all(servers.map((server) => warmUp(server, WARM_UP_EXECUTIONS)));
    const what = `PostgreSQL, ${count} ${count === 1 ? 'runtime' : 'runtimes'}`;
    const loads = await loadsOf(what, servers, concurrencies, database.cpuMs);
    return { loads, ...growth(before, await stored(client)) };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await client.end();
  }
}

async function loadsOf(
  what: string,
  servers: readonly Server[],
  concurrencies: readonly number[],
  databaseCpuMs: () => number | null,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const concurrency of concurrencies) {
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

async function warmUp({ url, token }: Server, executions: number): Promise<void> {
  const lanes = await openConnections(url, token, WARM_UP_CONNECTIONS);
  let left = executions;
  const run = async (lane: HttpConnection): Promise<void> => {
    for (; left > 0; left -= 1) await complete(lane);
  };
  await Promise.all(lanes.map(run));
  for (const lane of lanes) lane.close();
}

interface Size {
  readonly own: number;
  /** With indices and out-of-line values. */
  readonly total: number;
}

interface Stored {
  readonly executions: number;
  readonly sizes: ReadonlyMap<string, Size>;
}

/** Reads the sizes after a VACUUM, so that versions of rows that updates left behind, and that the next rows reuse, count only as space. */
async function stored(client: pg.Client): Promise<Stored> {
  await client.query('VACUUM');
  const { rows } = await client.query<{ name: string; own: string; total: string }>(
    `SELECT relname AS name, pg_relation_size(oid) AS own, pg_total_relation_size(oid) AS total
     FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace`,
  );
  const counted = await client.query<{ count: string }>('SELECT count(*) FROM executions');
  return {
    executions: Number(counted.rows[0]?.count),
    sizes: new Map(rows.map(({ name, own, total }) => [name, { own: Number(own), total: Number(total) }])),
  };
}

/** What each execution took, without the pages that a table has from its first row on. */
function growth(before: Stored, after: Stored): Pick<Measured, 'executions' | 'bytes'> {
  const executions = after.executions - before.executions;
  const each = (label: string, key: keyof Size) =>
    ((after.sizes.get(label)?.[key] ?? 0) - (before.sizes.get(label)?.[key] ?? 0)) / executions;
  const tables = [...after.sizes.keys()]
    .map((label) => ({ label, values: [each(label, 'own'), each(label, 'total')] }))
    .sort((a, b) => (b.values[1] ?? 0) - (a.values[1] ?? 0));
  const sumOf = (column: number) => tables.reduce((total, { values }) => total + (values[column] ?? 0), 0);
  const shown = tables.filter(({ values }) => Math.abs(values[1] ?? 0) >= 0.5);
  return { executions, bytes: [...shown, { label: 'all tables', values: [sumOf(0), sumOf(1)] }] };
}

function home(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
}
