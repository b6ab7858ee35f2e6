import type { JsonObject } from '../../machines/json.ts';
import { HttpConnection, type Reply } from './http-connection.ts';

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

export async function start(lane: HttpConnection, workflowId: string): Promise<string> {
  const reply = await lane.send('POST', '/executions', `{"workflow_id":"${workflowId}","input":{"n":0}}`);
  expectStatus(reply, 201);
  return (JSON.parse(reply.body) as { execution_id: string }).execution_id;
}

/** Runs a three-node execution to its end. */
export async function complete(lane: HttpConnection): Promise<void> {
  const id = await start(lane, 'linear-3');
  const reply = await lane.send('GET', `/executions/${id}?wait_ms=30000`);
  expectStatus(reply, 200);
  const { status } = JSON.parse(reply.body) as { status: string };
  if (status !== 'completed') throw new Error(`${id} is ${status}`);
}

export function expectStatus(reply: Reply, status: number): void {
  if (reply.status !== status) throw new Error(`expected ${status}, got ${reply.status}: ${reply.body}`);
}
