import type { Json } from '../../../machines/json.ts';
import type { Run } from '../../../machines/run.ts';
import { load, SnapshotVersionMismatch } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { StoredCheckpoint } from '../../../store/port/executions.ts';
import { RuntimeError } from '../errors.ts';
import { inputOf, readFirst } from './read-log.ts';

/** The run of a checkpoint; null when another version of the compiler wrote it. Throws when the text is no snapshot. */
export function runOf(program: Program, { text, seq }: Pick<StoredCheckpoint, 'text' | 'seq'>, input: Json): Run | null {
  try {
    return load(program, text, { seq, input });
  } catch (error) {
    if (error instanceof SnapshotVersionMismatch) return null;
    throw error;
  }
}

/** The checkpoints of an execution, at or before a sequence if given, the newest first. */
export async function* checkpointsUpTo(
  store: ExecutionStore,
  executionId: string,
  at?: number,
): AsyncGenerator<StoredCheckpoint> {
  for (let upTo = at; upTo === undefined || upTo > 0; ) {
    const stored = await store.checkpoint(executionId, upTo);
    if (stored === null) return;
    yield stored;
    upTo = stored.seq - 1;
  }
}

/** The run of the newest usable checkpoint at or before a sequence; null = there is none. Throws `corrupt` for one that cannot be read. */
export async function newestRunUpTo(
  store: ExecutionStore,
  program: Program,
  executionId: string,
  at: number,
): Promise<Run | null> {
  let input: Json | undefined;
  for await (const stored of checkpointsUpTo(store, executionId, at)) {
    if (stored.seal !== undefined) continue;
    input ??= await inputOf(store, executionId, await readFirst(store, executionId));
    const run = readable(program, executionId, stored, input);
    if (run !== null) return run;
  }
  return null;
}

function readable(program: Program, executionId: string, stored: StoredCheckpoint, input: Json): Run | null {
  try {
    return runOf(program, stored, input);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the checkpoint of execution ${executionId} at sequence ${stored.seq} cannot be read: ${reason}`;
    throw new RuntimeError('corrupt', message, { cause });
  }
}
