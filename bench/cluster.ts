import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpConnection } from './http-connection.ts';
import { type Load, runLoad } from './load.ts';
import { cpuMsOf, cpuMsOfThisProcess } from './machine.ts';
import { complete, connectionAt, openConnections, register } from './over-http.ts';
import { installedPostgres, type PostgresServer, startPostgres } from './postgres-server.ts';
import { type Server, serve, serveOn } from './server.ts';
import { CONCURRENCIES } from './throughput.ts';
import { linear } from './workflows.ts';

const WARM_UP_MS = 500;
const MEASURE_MS = 3_000;
/** Executions of each server before the measurement, so that the code of all servers is compiled equally well. */
const WARM_UP_EXECUTIONS = 2_000;
const WARM_UP_CONNECTIONS = 64;

export interface ClusterLoad {
  readonly load: Load;
  /** Cores used by PostgreSQL during the measurement; null for SQLite, and if unknown on this platform. */
  readonly databaseCores: number | null;
}

export interface ClusterResults {
  /** One server on an SQLite file, for comparison. */
  readonly sqlite: readonly ClusterLoad[];
  /** By the number of servers on one PostgreSQL, from one; null if it is not installed. */
  readonly postgres: readonly (readonly ClusterLoad[])[] | null;
}

const RUNTIMES = [1, 2, 3] as const;

/** Measures executions from start to completion over HTTP, distributed over the servers, and the CPU usage of the database. */
export async function postgres(folder: string): Promise<ClusterResults> {
  const bin = installedPostgres();
  if (bin === null) return { sqlite: [], postgres: null };
  const alone = await serve(folder, 'sqlite.db');
  const sqlite = await measured([alone], () => null).finally(() => alone.stop());
  const database = await startPostgres(bin);
  try {
    const loads: (readonly ClusterLoad[])[] = [];
    for (const runtimes of RUNTIMES) loads.push(await withServers(folder, database, runtimes));
    return { sqlite, postgres: loads };
  } finally {
    database.stop();
  }
}

async function withServers(folder: string, database: PostgresServer, count: number): Promise<readonly ClusterLoad[]> {
  const url = await database.createDatabase(`runtimes_${count}`);
  const servers: Server[] = [];
  try {
    for (let i = 0; i < count; i += 1) {
      const home = join(folder, `${count}-${i}`);
      mkdirSync(home);
      servers.push(await serveOn(url, home));
    }
    return await measured(servers, database.cpuMs);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function measured(servers: readonly Server[], databaseCpuMs: () => number | null): Promise<readonly ClusterLoad[]> {
  const [first] = servers;
  if (first === undefined) throw new RangeError('no server');
  await register(first.url, first.token, [linear(3)]);
  await Promise.all(servers.map(warmUp));
  const loads: ClusterLoad[] = [];
  for (const concurrency of CONCURRENCIES) {
    const shares = await Promise.all(
      servers.map(({ url, token }, i) =>
        openConnections(url, token, Math.floor((concurrency + servers.length - 1 - i) / servers.length)),
      ),
    );
    const lanes = shares.flat();
    const database = { startMs: null as number | null, endMs: null as number | null };
    // Called at the start and at the end of the measurement.
    const serverCpuMs = (): number | null => {
      database.startMs ??= databaseCpuMs();
      database.endMs = databaseCpuMs();
      return servers.reduce<number | null>((sum, { pid }) => add(sum, cpuMsOf(pid)), 0);
    };
    const load = await runLoad({
      concurrency,
      warmUpMs: WARM_UP_MS,
      measureMs: MEASURE_MS,
      once: (lane) => complete(connectionAt(lanes, lane)),
      cpuMs: { server: serverCpuMs, client: cpuMsOfThisProcess },
    });
    for (const lane of lanes) lane.close();
    const { startMs, endMs } = database;
    loads.push({ load, databaseCores: startMs === null || endMs === null ? null : (endMs - startMs) / MEASURE_MS });
  }
  return loads;
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

function add(sum: number | null, value: number | null): number | null {
  return sum === null || value === null ? null : sum + value;
}
