import { readFileSync, statSync } from 'node:fs';
import type { JsonObject } from '../machines/json.ts';
import type { Runtime } from '../src/index.ts';
import { CALLER, complete, openRuntime } from './in-process.ts';
import { boundBytes, recordWrites, type Write } from './recorder.ts';
import { linear, rounds, WAITING } from './workflows.ts';

/** Bytes written, measured in three ways. */
export interface BytesWritten {
  /** Bytes of the values bound to SQL statements. */
  readonly bound: number;
  /** Bytes passed to write(2) by this process, including WAL pages and WAL checkpoints. Null without /proc. */
  readonly written: number | null;
  /** Growth of the database file after a WAL checkpoint. */
  readonly grown: number;
}

export interface LargeState {
  readonly steps: number;
  readonly stateBytes: number;
  readonly patchBytes: number;
  readonly seconds: number;
  /** Bytes for the start only: the input in the log and in the first checkpoint. */
  readonly start: BytesWritten;
  /** Bytes for the start and the steps, including checkpoints of the state. */
  readonly all: BytesWritten;
}

export interface SmallExecutions {
  readonly executions: number;
  readonly bytes: BytesWritten;
}

const STEPS = 1_000;
const STATE_BYTES = 1_000_000;
const PATCH_BYTES = 1_024;
const EXECUTIONS = 2_000;

/** Measures an execution with a state of 1 MB, of which each of 1,000 steps changes 1 KB. */
export async function largeState(folder: string): Promise<LargeState> {
  const input = { n: 0, ballast: 'x'.repeat(STATE_BYTES) };
  const atRest = await measure(folder, 'large-at-rest', WAITING, async (runtime) => {
    await runtime.start(CALLER, { workflowId: 'waiting', input });
  });
  const stepped = await measure(folder, 'large-stepped', rounds('grow', STEPS), async (runtime) => {
    const startedMs = performance.now();
    const { executionId } = await runtime.start(CALLER, { workflowId: 'rounds-grow', input });
    const view = await runtime.settled(CALLER.tenantId, executionId, 60_000);
    if (view.status !== 'completed' || view.stepsExecuted !== STEPS) {
      throw new Error(`${view.status} after ${view.stepsExecuted} steps: ${view.error ?? 'no error'}`);
    }
    return (performance.now() - startedMs) / 1000;
  });
  return {
    steps: STEPS,
    stateBytes: STATE_BYTES,
    patchBytes: STEPS * PATCH_BYTES,
    seconds: stepped.result,
    start: atRest.bytes,
    all: stepped.bytes,
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

async function measure<T>(folder: string, name: string, document: JsonObject, body: (runtime: Runtime) => Promise<T>) {
  const empty = await openRuntime(folder, name);
  await empty.runtime.register(CALLER, document);
  await empty.close();
  const sizeBefore = statSync(empty.path).size;
  const open = await openRuntime(folder, name);
  const writtenBefore = writtenBytes();
  let recorded: { readonly result: T; readonly writes: readonly Write[] };
  try {
    recorded = await recordWrites(() => body(open.runtime));
  } finally {
    await open.close();
  }
  const writtenAfter = writtenBytes();
  const bytes: BytesWritten = {
    bound: boundBytes(recorded.writes),
    written: writtenBefore === null || writtenAfter === null ? null : writtenAfter - writtenBefore,
    grown: statSync(open.path).size - sizeBefore,
  };
  return { result: recorded.result, bytes };
}

function writtenBytes(): number | null {
  try {
    return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}
