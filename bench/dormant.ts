import { statSync } from 'node:fs';
import { CALLER, openRuntime } from './in-process.ts';
import { WAITING } from './workflows.ts';

export interface Dormant {
  readonly executions: number;
  readonly startSeconds: number;
  /** Memory after starting all executions, with warm caches. */
  readonly afterStart: Memory;
  readonly reopenMs: number;
  /** Memory of a newly opened runtime on the same database. */
  readonly afterReopen: Memory;
  /** Time from the event to the completion of an execution that is loaded from disk. */
  readonly wakeMs: number;
  readonly fileBytesEach: number;
}

export interface Memory {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

const EXECUTIONS = 100_000;
const LANES = 512;

/** Requires `--expose-gc`, so that garbage is not counted. */
export async function dormant(folder: string): Promise<Dormant> {
  const first = await openRuntime(folder, 'dormant');
  await first.runtime.register(CALLER, WAITING);
  const startedMs = performance.now();
  let left = EXECUTIONS;
  let last = '';
  const lane = async () => {
    while (left-- > 0) last = (await first.runtime.start(CALLER, { workflowId: 'waiting', input: { n: left } })).executionId;
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const startSeconds = (performance.now() - startedMs) / 1000;
  const afterStart = memory();
  await first.close();

  const reopeningMs = performance.now();
  const second = await openRuntime(folder, 'dormant');
  const reopenMs = performance.now() - reopeningMs;
  const afterReopen = memory();
  const wakingMs = performance.now();
  await second.runtime.sendEvent(CALLER, last, { key: 'wake', payload: {} });
  const { status } = await second.runtime.settled(CALLER.tenantId, last, 10_000);
  const wakeMs = performance.now() - wakingMs;
  if (status !== 'completed') throw new Error(`${last} is ${status} after its event`);
  await second.close();
  const fileBytesEach = statSync(second.path).size / EXECUTIONS;
  return { executions: EXECUTIONS, startSeconds, afterStart, reopenMs, afterReopen, wakeMs, fileBytesEach };
}

function memory(): Memory {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss };
}
