import { readFileSync, statSync } from 'node:fs';
import { CALLER, complete, openRuntime } from './in-process.ts';
import { boundBytes, recordWrites } from './recorder.ts';
import { linear, rounds } from './workflows.ts';

/** What writing costs, in bytes, three ways. */
export interface BytesWritten {
  /** Of the values bound to SQL statements. */
  readonly bound: number;
  /** Handed to write(2) by this process: WAL pages and checkpoints too. Null where there is no /proc. */
  readonly written: number | null;
  /** By which the database file has grown once the WAL is in it. */
  readonly grown: number;
}

export interface LargeState {
  readonly steps: number;
  readonly stateBytes: number;
  readonly patchBytes: number;
  readonly seconds: number;
  readonly bytes: BytesWritten;
}

export interface SmallExecutions {
  readonly executions: number;
  readonly bytes: BytesWritten;
}

const STEPS = 1_000;
const STATE_BYTES = 1_000_000;
const PATCH_BYTES = 1_024;
const EXECUTIONS = 2_000;

/** A state of 1 MB, of which each of 1,000 steps changes 1 KB. */
export async function largeState(folder: string): Promise<LargeState> {
  const measured = await measure(folder, 'large-state', rounds('grow', STEPS), async (runtime) => {
    const startedMs = performance.now();
    const input = { n: 0, ballast: 'x'.repeat(STATE_BYTES) };
    const { executionId } = await runtime.start(CALLER, { workflowId: 'rounds-grow', input });
    const view = await runtime.settled(CALLER.tenantId, executionId, 90_000);
    if (view.status !== 'completed' || view.stepsExecuted !== STEPS)
      throw new Error(`${view.status} after ${view.stepsExecuted} steps`);
    return (performance.now() - startedMs) / 1000;
  });
  return {
    steps: STEPS,
    stateBytes: STATE_BYTES,
    patchBytes: STEPS * PATCH_BYTES,
    seconds: measured.result,
    bytes: measured.bytes,
  };
}

export async function smallExecutions(folder: string): Promise<SmallExecutions> {
  const { bytes } = await measure(folder, 'small-executions', linear(3), async (runtime) => {
    let left = EXECUTIONS;
    const lane = async () => {
      while (left-- > 0) await complete(runtime, 'linear-3', { n: 0 });
    };
    await Promise.all(Array.from({ length: 64 }, lane));
  });
  return { executions: EXECUTIONS, bytes };
}

async function measure<T>(
  folder: string,
  name: string,
  document: Parameters<Awaited<ReturnType<typeof openRuntime>>['runtime']['register']>[1],
  body: (runtime: Awaited<ReturnType<typeof openRuntime>>['runtime']) => Promise<T>,
): Promise<{ readonly result: T; readonly bytes: BytesWritten }> {
  const empty = await openRuntime(folder, name);
  await empty.runtime.register(CALLER, document);
  await empty.close();
  const before = { size: statSync(empty.path).size, written: writtenBytes() };
  const open = await openRuntime(folder, name);
  const { result, writes } = await recordWrites(() => body(open.runtime)).finally(() => open.close());
  const after = writtenBytes();
  return {
    result,
    bytes: {
      bound: boundBytes(writes),
      written: before.written === null || after === null ? null : after - before.written,
      grown: statSync(open.path).size - before.size,
    },
  };
}

function writtenBytes(): number | null {
  try {
    return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}
