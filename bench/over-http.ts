import type { JsonObject } from '../machines/json.ts';
import { HttpConnection, type Reply } from './http-connection.ts';
import { type Load, runLoad } from './load.ts';
import { cpuMsOf, cpuMsOfThisProcess } from './machine.ts';
import { serve } from './server.ts';
import { CONCURRENCIES } from './throughput.ts';
import { linear, WAITING } from './workflows.ts';

const WARM_UP_MS = 800;
const MEASURE_MS = 2_000;

export interface OverHttp {
  readonly completed: readonly Load[];
  readonly starts: readonly Load[];
}

/** Measures a server in its own process; this process is the client. */
export async function overHttp(folder: string): Promise<OverHttp> {
  const server = await serve(folder, 'http.db');
  const { url, token, pid } = server;
  try {
    const cpuMs = { server: () => cpuMsOf(pid), client: cpuMsOfThisProcess };
    await register(url, token, [linear(3), WAITING]);
    const completed: Load[] = [];
    const starts: Load[] = [];
    for (const concurrency of CONCURRENCIES) {
      const lanes = await openConnections(url, token, concurrency);
      const options = { concurrency, measureMs: MEASURE_MS, cpuMs };
      completed.push(await runLoad({ ...options, warmUpMs: WARM_UP_MS, once: (lane) => complete(connectionAt(lanes, lane)) }));
      starts.push(
        await runLoad({
          ...options,
          measureMs: MEASURE_MS / 2,
          warmUpMs: WARM_UP_MS / 2,
          once: (lane) => start(connectionAt(lanes, lane), 'waiting'),
        }),
      );
      for (const lane of lanes) lane.close();
    }
    return { completed, starts };
  } finally {
    await server.stop();
  }
}

export async function openConnections(url: string, token: string, count: number): Promise<readonly HttpConnection[]> {
  return Promise.all(Array.from({ length: count }, () => HttpConnection.open(url, token)));
}

export function connectionAt(lanes: readonly HttpConnection[], index: number): HttpConnection {
  const lane = lanes[index];
  if (lane === undefined) throw new RangeError(`no lane ${index}`);
  return lane;
}

export async function register(url: string, token: string, documents: readonly JsonObject[]): Promise<void> {
  const lane = await HttpConnection.open(url, token);
  for (const ir of documents) expectStatus(await lane.send('POST', '/workflows', JSON.stringify({ ir })), 201);
  lane.close();
}

async function start(lane: HttpConnection, workflowId: string): Promise<string> {
  const reply = await lane.send('POST', '/executions', `{"workflow_id":"${workflowId}","input":{"n":0}}`);
  expectStatus(reply, 201);
  return (JSON.parse(reply.body) as { execution_id: string }).execution_id;
}

/** Runs an execution to its end. */
export async function complete(lane: HttpConnection): Promise<void> {
  const id = await start(lane, 'linear-3');
  const reply = await lane.send('GET', `/executions/${id}?wait_ms=30000`);
  expectStatus(reply, 200);
  const { status } = JSON.parse(reply.body) as { status: string };
  if (status !== 'completed') throw new Error(`${id} is ${status}`);
}

function expectStatus(reply: Reply, status: number): void {
  if (reply.status !== status) throw new Error(`expected ${status}, got ${reply.status}: ${reply.body}`);
}
