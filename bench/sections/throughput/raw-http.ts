import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Row, Table } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { complete, connectionAt, openConnections } from '../../subjects/over-http.ts';

const BARE_SERVER = fileURLToPath(new URL('../../subjects/bare-server.js', import.meta.url));
const SERVERS = { http: 'node:http', fastify: 'bare Fastify' } as const;
const CONCURRENCIES = [1, 64] as const;
const WARM_UP_MS = 400;
const MEASURE_MS = 700;

/** The upper bound of HTTP on this machine, with the client of the other sections. */
export async function rawHttp(): Promise<readonly Table[]> {
  const rows = [...(await loadsOf('http')), ...(await loadsOf('fastify'))];
  return [{ title: 'HTTP without a runtime: the same two requests per execution', columns: LOAD_COLUMNS, rows }];
}

async function loadsOf(kind: keyof typeof SERVERS): Promise<readonly Row[]> {
  const server = spawn(process.execPath, [BARE_SERVER, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      server.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
      server.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
    });
    const rows: Row[] = [];
    for (const concurrency of CONCURRENCIES) {
      const lanes = await openConnections(url, 'none', concurrency);
      const once = (lane: number) => complete(connectionAt(lanes, lane));
      const load = await runLoad({ concurrency, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS, once, pid: server.pid ?? 0 });
      rows.push(loadRow(load, SERVERS[kind]));
      for (const lane of lanes) lane.close();
    }
    return rows;
  } finally {
    server.kill();
    await ended;
  }
}
