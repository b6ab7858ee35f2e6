import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import type { Tools } from '../../src/runtime/types/work.ts';
import { startWorker, type Worker, type WorkerLogEntry, type WorkerOptions } from '../../src/worker/index.ts';
import { type Api, type ApiOptions, api } from '../api/support/api.ts';
import { eventually, openTestRuntime, type TestRuntime } from '../support/runtimes.ts';

/** A workflow definition with functions. */
export interface Definition {
  readonly id: string;
  readonly tools: Tools;
  readonly document: JsonObject;
}

export interface Serving extends Api {
  readonly url: string;
  readonly lines: WorkerLogEntry[];
  /** Starts a worker for the functions, with the clock of the server. */
  work(id: string, options?: Partial<WorkerOptions>): Worker;
}

/** A server that listens and has none of the functions. */
export async function serving(definitions: readonly Definition[], options: ApiOptions = {}): Promise<Serving> {
  const server = await api(options);
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const token = await server.token('worker', { name: 'worker' });
  const lines: WorkerLogEntry[] = [];
  for (const { document } of definitions) await server.post('/workflows', { ir: document });
  const work = (id: string, more: Partial<WorkerOptions> = {}) => {
    const onLog = (entry: WorkerLogEntry): void => void lines.push(entry);
    const worker = startWorker({ url, token, durable: definitions, id, onLog, ...more }, server.clock);
    worker.stopped.catch(() => {});
    onTestFinished(() => stopped(server, worker));
    return worker;
  };
  return { ...server, url, lines, work };
}

/** Stops a worker, whose functions are given no time to end. */
export async function stopped({ clock }: Pick<TestRuntime, 'clock'>, worker: Worker): Promise<void> {
  worker.stop({ timeoutMs: 0 }).catch(() => {});
  await eventually(() => {
    clock.advance(50);
    return worker.status === 'stopped';
  });
}

/** A runtime in whose process the functions run, or a server with a worker that has them. */
export async function hostedBy(host: 'process' | 'worker', definitions: readonly Definition[]): Promise<TestRuntime> {
  if (host === 'worker') {
    const server = await serving(definitions);
    server.work('w1');
    return server;
  }
  const tools: Tools = Object.assign({}, ...definitions.map((definition) => definition.tools));
  return openTestRuntime({ tools });
}

/** The execution once it has ended. */
export async function ended({ settled }: Pick<TestRuntime, 'settled'>, id: string) {
  await eventually(async () => ['completed', 'failed', 'cancelled'].includes((await settled(id)).status));
  return settled(id);
}

/** Lets time pass until something of the execution falls due, and no longer: the leases of others would expire. */
export async function pass({ clock, timeline }: TestRuntime, id: string, ms: number): Promise<void> {
  const { length } = await timeline(id);
  clock.advance(ms);
  await eventually(async () => {
    if ((await timeline(id)).length > length) return true;
    clock.advance(51);
    return false;
  });
}

/** What the function has done, whichever process it ran in: its events without the times that differ. */
export async function performed({ log }: Pick<TestRuntime, 'log'>, id: string): Promise<unknown[]> {
  const left = (event: Awaited<ReturnType<TestRuntime['log']>>[number]) => {
    const { duration_ms: _, in_process: __, worker_id: ___, stack: ____, ...data } = event.data;
    return { type: event.type, node: event.nodeId, data };
  };
  const events = (await log(id)).map(left).map((event) => (isChance(event.data) ? { ...event, data: {} } : event));
  return JSON.parse(JSON.stringify(events).replaceAll(/exec_[0-9a-f]{32}/g, 'exec')) as unknown[];
}

function isChance({ name }: JsonObject): boolean {
  return name === 'random' || name === 'uuid';
}

/** A process that is gone once it is killed: nothing that it sends arrives any more. */
export function mortal(): { readonly fetch: typeof globalThis.fetch; readonly kill: () => void } {
  const death = new AbortController();
  return {
    kill: () => death.abort(),
    fetch: (url, init = {}) => {
      const signal = init.signal == null ? death.signal : AbortSignal.any([init.signal, death.signal]);
      return globalThis.fetch(url, { ...init, signal });
    },
  };
}
