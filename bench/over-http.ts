import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../machines/json.ts';
import { Lane, type Reply } from './lane.ts';
import { drive, type Load } from './load.ts';
import { cpuMsOf, cpuMsOfThisProcess } from './machine.ts';
import { CONCURRENCIES } from './throughput.ts';
import { linear, WAITING } from './workflows.ts';

const WARM_UP_MS = 800;
const MEASURE_MS = 2_000;
const JAMJET = fileURLToPath(new URL('../../bin/jamjet.js', import.meta.url));
const TOOLS = fileURLToPath(new URL('./tools.js', import.meta.url));

export interface OverHttp {
  readonly completed: readonly Load[];
  readonly starts: readonly Load[];
}

/** The server as it is shipped, in its own process, authentication on; this process is the client. */
export async function overHttp(folder: string): Promise<OverHttp> {
  const server = spawn(process.execPath, [JAMJET, 'dev', '--port', '0', '--db', join(folder, 'http.db'), '--tools', TOOLS], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, JAMJET_LOG: 'warn', NO_COLOR: '1' },
  });
  try {
    const url = await listening(server);
    const token = readFileSync(join(folder, 'token'), 'utf8').trim();
    const pid = server.pid ?? 0;
    const cpuMs = { server: () => cpuMsOf(pid), client: cpuMsOfThisProcess };
    await register(url, token, [linear(3), WAITING]);
    const completed: Load[] = [];
    const starts: Load[] = [];
    for (const concurrency of CONCURRENCIES) {
      const lanes = await openLanes(url, token, concurrency);
      const options = { concurrency, measureMs: MEASURE_MS, cpuMs };
      completed.push(await drive({ ...options, warmUpMs: WARM_UP_MS, once: (lane) => complete(laneOf(lanes, lane)) }));
      starts.push(
        await drive({
          ...options,
          measureMs: MEASURE_MS / 2,
          warmUpMs: WARM_UP_MS / 2,
          once: (lane) => start(laneOf(lanes, lane), 'waiting'),
        }),
      );
      for (const lane of lanes) lane.close();
    }
    return { completed, starts };
  } finally {
    await stop(server);
  }
}

/** The address the server prints when it is ready. */
function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const read = (chunk: Buffer) => {
      printed += chunk;
      const url = /http:\/\/[\w.:[\]]+:\d+/.exec(printed)?.[0];
      if (url !== undefined) resolve(url);
    };
    server.stdout?.on('data', read);
    server.stderr?.on('data', read);
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready:\n${printed}`)));
  });
}

function stop(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once('exit', () => resolve());
    server.kill('SIGTERM');
  });
}

async function openLanes(url: string, token: string, count: number): Promise<readonly Lane[]> {
  return Promise.all(Array.from({ length: count }, () => Lane.open(url, token)));
}

function laneOf(lanes: readonly Lane[], index: number): Lane {
  const lane = lanes[index];
  if (lane === undefined) throw new RangeError(`no lane ${index}`);
  return lane;
}

async function register(url: string, token: string, documents: readonly JsonObject[]): Promise<void> {
  const lane = await Lane.open(url, token);
  for (const ir of documents) expectStatus(await lane.send('POST', '/workflows', JSON.stringify({ ir })), 201);
  lane.close();
}

async function start(lane: Lane, workflowId: string): Promise<string> {
  const reply = await lane.send('POST', '/executions', `{"workflow_id":"${workflowId}","input":{"n":0}}`);
  expectStatus(reply, 201);
  return (JSON.parse(reply.body) as { execution_id: string }).execution_id;
}

async function complete(lane: Lane): Promise<void> {
  const id = await start(lane, 'linear-3');
  const reply = await lane.send('GET', `/executions/${id}?wait_ms=30000`);
  expectStatus(reply, 200);
  const { status } = JSON.parse(reply.body) as { status: string };
  if (status !== 'completed') throw new Error(`${id} is ${status}`);
}

function expectStatus(reply: Reply, status: number): void {
  if (reply.status !== status) throw new Error(`expected ${status}, got ${reply.status}: ${reply.body}`);
}
