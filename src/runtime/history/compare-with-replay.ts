import { LogMismatch } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import { load, SnapshotVersionMismatch, save } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ExecutionRow, StoredCheckpoint } from '../../../store/port/executions.ts';
import { isErrorOf } from '../engine/loading/failures.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import { readHistory, replayStoredLog } from '../log/replay-log.ts';
import type { Slice } from '../scheduling/time-slices.ts';

/** The first difference between a replayed log and what is stored. */
export interface ReplayMismatch {
  readonly sequence: number;
  readonly problem: string;
}

/**
 * Replays the log of an execution and compares it with what is stored: the checkpoint byte for byte, and the fields of the row. Null = equal.
 * The checkpoint, if there is one, must have been read before the row, so that the log includes it.
 */
export async function compareWithReplay(
  store: ExecutionStore,
  workflows: WorkflowCache,
  row: ExecutionRow,
  checkpoint: StoredCheckpoint | null,
  slice: Slice,
): Promise<ReplayMismatch | null> {
  const { id, tenantId, seq } = row;
  const { program } = await workflows.load(tenantId, row.revision);
  const history = await readHistory(store, id, seq);
  const log = { tenantId, executionId: id, upTo: seq };
  let run: Run | null = null;
  try {
    for await (const step of replayStoredLog(store, program, log, history, slice)) {
      run = step.run;
      if (checkpoint?.seq === run.seq && isFromThisCompiler(program, checkpoint, run) && save(run) !== checkpoint.text)
        return { sequence: run.seq, problem: `the snapshot stored at sequence ${run.seq} differs from the replayed log` };
    }
  } catch (error) {
    if (error instanceof LogMismatch) return { sequence: error.sequence, problem: error.message };
    if (error instanceof RuntimeError && error.code === 'corrupt') return { sequence: seq, problem: error.message };
    throw error;
  }
  if (run?.seq !== seq) return { sequence: run?.seq ?? 0, problem: `the log ends before sequence ${seq}` };
  const problem = rowDifference(row, run);
  return problem === null ? null : { sequence: seq, problem };
}

/** False for a checkpoint of another compiler version: it is not used, and the log is replayed instead. */
function isFromThisCompiler(program: Program, { text, seq }: StoredCheckpoint, { input }: Run): boolean {
  try {
    load(program, text, { seq, input });
    return true;
  } catch (error) {
    // A checkpoint that cannot be read at all must be reported as a difference.
    return !(error instanceof SnapshotVersionMismatch);
  }
}

function rowDifference(row: ExecutionRow, run: Run): string | null {
  const fields = ['status', 'steps', 'error', 'localWork'] as const;
  const field = fields.find((name) => (name === 'error' ? !isErrorOf(run, row.error) : row[name] !== run[name]));
  if (field === undefined) return null;
  return `${field} is ${JSON.stringify(row[field])}; the replayed log gives ${JSON.stringify(run[field])}`;
}
