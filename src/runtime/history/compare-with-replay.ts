import { hash } from 'node:crypto';
import { LogMismatch } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import { save } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import { isErrorOf } from '../engine/loading/failures.ts';
import { RuntimeError } from '../errors.ts';
import { checkpointsUpTo, runOf } from '../log/checkpoints.ts';
import { replayStored } from '../log/replay-log.ts';
import type { Slice } from '../scheduling/time-slices.ts';

/** The first difference between a replayed log and what is stored. */
export interface ReplayMismatch {
  readonly sequence: number;
  readonly problem: string;
}

/** The digests of stored checkpoints, by sequence. */
export type StoredCheckpoints = ReadonlyMap<number, string>;

/** Reads the checkpoints of an execution. Only their digests are kept, because each may be large. */
export async function storedCheckpoints(store: ExecutionStore, executionId: string): Promise<StoredCheckpoints> {
  const digests = new Map<number, string>();
  for await (const { text, seq } of checkpointsUpTo(store, executionId)) digests.set(seq, digestOf(text));
  return digests;
}

/**
 * Replays the log of an execution and compares it with what is stored: the checkpoints byte for byte, and the fields of the row. Null = equal.
 * The checkpoints must have been read before the row, so that the log includes them.
 */
export async function compareWithReplay(
  store: ExecutionStore,
  program: Program,
  row: ExecutionRow,
  checkpoints: StoredCheckpoints,
  slice: Slice,
): Promise<ReplayMismatch | null> {
  const { id, tenantId, labels, seq } = row;
  const log = { tenantId, executionId: id, labels, end: seq, from: 0, retriesUpTo: seq };
  let run: Run | null;
  try {
    run = await replayStored(store, program, log, slice, async ({ steps }) => {
      let last: Run | null = null;
      for await (const step of steps) {
        last = step.run;
        const digest = checkpoints.get(last.seq);
        if (digest === undefined || digest === digestOf(save(last)) || !(await isUsed(store, program, id, last))) continue;
        throw new LogMismatch(last.seq, `the snapshot stored at sequence ${last.seq} differs from the replayed log`);
      }
      return last;
    });
  } catch (error) {
    if (error instanceof LogMismatch) return { sequence: error.sequence, problem: error.message };
    if (error instanceof RuntimeError && error.code === 'corrupt') return { sequence: seq, problem: error.message };
    throw error;
  }
  if (run?.seq !== seq) return { sequence: run?.seq ?? 0, problem: `the log ends before sequence ${seq}` };
  const problem = rowDifference(row, run);
  return problem === null ? null : { sequence: seq, problem };
}

/** False for a checkpoint of another compiler version: the log is replayed instead. */
async function isUsed(store: ExecutionStore, program: Program, executionId: string, { seq, input }: Run): Promise<boolean> {
  const stored = await store.checkpoint(executionId, seq);
  if (stored?.seq !== seq) return false;
  try {
    return runOf(program, stored, input) !== null;
  } catch {
    // One that cannot be read must be reported.
    return true;
  }
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64');
}

function rowDifference(row: ExecutionRow, run: Run): string | null {
  const fields = ['status', 'steps', 'error', 'localWork'] as const;
  const field = fields.find((name) => (name === 'error' ? !isErrorOf(run, row.error) : row[name] !== run[name]));
  if (field === undefined) return null;
  return `${field} is ${JSON.stringify(row[field])}; the replayed log gives ${JSON.stringify(run[field])}`;
}
