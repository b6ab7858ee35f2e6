import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { cpu, type Table, wall } from '../../figures.ts';
import { cpuMsOf } from '../../machine.ts';
import { HttpConnection } from '../../subjects/http-connection.ts';
import { serve } from '../../subjects/server.ts';
import { WAITING } from '../../subjects/workflows.ts';

const STREAMS = 1_000;
const ALONE_MS = 3_000;
/** Heartbeat interval. */
const HEARTBEAT_MS = 15_000;

/**
 * Measures the shipped server; half of its streams follow one execution each, half the whole tenant. Memory includes garbage. The time of an
 * event ends when every stream of its tenant has received it.
 */
export async function streams(folder: string): Promise<readonly Table[]> {
  const server = await serve(folder, 'streams.db');
  const { url, token, pid } = server;
  const lane = await HttpConnection.open(url, token);
  const open: IdleStream[] = [];
  try {
    const ids = await executions(lane, STREAMS / 2);
    const coresAlone = await coresWhileIdle(pid, ALONE_MS);
    const before = residentBytes(pid);
    for (const id of ids) open.push(await IdleStream.open(url, token, `/executions/${id}/events?after=1000`));
    for (const _ of ids) open.push(await IdleStream.open(url, token, '/events/stream'));
    const after = residentBytes(pid);
    const coresWith = await coresWhileIdle(pid, HEARTBEAT_MS);
    const startedMs = performance.now();
    const received = open.slice(ids.length).map((stream) => stream.waitFor('event: '));
    expect(201, (await lane.send('POST', '/executions', '{"workflow_id":"waiting","input":{"n":0}}')).status);
    await Promise.all(received);
    const fanOutMs = performance.now() - startedMs;
    const kibEach = before === null || after === null ? null : (after - before) / STREAMS / 1024;
    return [
      {
        title: `Event streams: ${STREAMS} idle streams, with a heartbeat of each`,
        columns: [
          cpu('cores without them', 4),
          cpu('cores with them', 4),
          wall('resident KiB each', 1),
          wall('one event to half of them, ms', 1),
        ],
        rows: [{ label: 'idle streams', values: [coresAlone, coresWith, kibEach, fanOutMs] }],
      },
    ];
  } finally {
    for (const stream of open) stream.close();
    lane.close();
    await server.stop();
  }
}

async function executions(lane: HttpConnection, count: number): Promise<readonly string[]> {
  expect(201, (await lane.send('POST', '/workflows', JSON.stringify({ ir: WAITING }))).status);
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const reply = await lane.send('POST', '/executions', '{"workflow_id":"waiting","input":{"n":0}}');
    expect(201, reply.status);
    ids.push((JSON.parse(reply.body) as { execution_id: string }).execution_id);
  }
  return ids;
}

async function coresWhileIdle(pid: number, idleMs: number): Promise<number | null> {
  const before = cpuMsOf(pid);
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const after = cpuMsOf(pid);
  return before === null || after === null ? null : (after - before) / idleMs;
}

/** Null without /proc. */
function residentBytes(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

function expect(status: number, given: number): void {
  if (given !== status) throw new Error(`expected ${status}, got ${given}`);
}

/** An event stream on a plain socket, so that the client uses little CPU. */
class IdleStream {
  readonly #socket: Socket;
  #received = '';
  #waiting: { readonly text: string; readonly found: () => void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#checkReceived();
    });
  }

  /** Resolves once the server has started its reply. */
  static async open(url: string, token: string, path: string): Promise<IdleStream> {
    const { hostname, port, host } = new URL(url);
    const stream = new IdleStream(connect(Number(port), hostname));
    stream.#socket.write(
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    await stream.waitFor('retry: ');
    return stream;
  }

  /** Resolves once the text has arrived; discards what was received before. */
  waitFor(text: string): Promise<void> {
    return new Promise((found) => {
      this.#waiting = { text, found };
      this.#checkReceived();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #checkReceived(): void {
    const waiting = this.#waiting;
    if (waiting === null || !this.#received.includes(waiting.text)) return;
    this.#received = '';
    this.#waiting = null;
    waiting.found();
  }
}
