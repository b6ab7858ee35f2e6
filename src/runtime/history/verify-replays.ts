import type { Program } from '../../../machines/compile/index.ts';
import type { Run, Status } from '../../../machines/run.ts';
import { load, SnapshotVersionMismatch, save } from '../../../machines/step/index.ts';
import type { ExecutionRow } from '../../../store/port/rows.ts';
import type { Store } from '../../../store/port/store.ts';
import { Outbound } from '../../executors/outbound.ts';
import { isErrorOf } from '../engine/loading/failures.ts';
import { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { TimeSlices } from '../scheduling/time-slices.ts';
import { readHistory, readReplayableLog, replaySteps } from './replay-log.ts';

const PAGE_SIZE = 100;
const LIVE_STATUSES: readonly Status[] = ['running', 'paused'];

/** An execution whose log was folded again. */
export interface ReplayCheck {
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  /** What does not agree; null = all does. */
  readonly difference: string | null;
}

/**
 * Folds the log of every live execution again, of all tenants (`all`: of the ended ones too), and compares the outcome with what is stored
 * of it: the checkpoint byte for byte, and the head. One execution is in memory at a time. A running system may be compared: what an
 * execution has logged does not change any more. What ends or is removed meanwhile is passed over or compared as it ended.
 */
export async function* verifyReplays(store: Store, { all }: { readonly all: boolean }): AsyncGenerator<ReplayCheck> {
  // Only their machines are asked for: nothing is carried out.
  const programs = new WorkflowCache(store, {
    toolsOf: () => ({}),
    varsOf: () => ({}),
    outbound: new Outbound({ allowPrivateAddresses: false }),
  });
  const slices = new TimeSlices({ nowMs: Date.now });
  for await (const { tenantId, id, workflowId } of executionsOf(store, all)) {
    const difference = await differenceOf(store, programs, slices, id);
    if (difference !== undefined) yield { tenantId, executionId: id, workflowId, difference };
  }
}

async function* executionsOf(store: Store, all: boolean): AsyncGenerator<ExecutionRow> {
  for (let offset = 0; ; offset += PAGE_SIZE) {
    const tenants = await store.tenants.list({ limit: PAGE_SIZE, offset });
    for (const { id } of tenants) {
      const tenant = store.tenant(id);
      let after: string | null | undefined;
      while (after !== null) {
        const page = await tenant.executions({
          limit: PAGE_SIZE,
          ...(all ? {} : { statuses: LIVE_STATUSES }),
          ...(after === undefined ? {} : { after }),
        });
        yield* page.rows;
        after = page.next;
      }
    }
    if (tenants.length < PAGE_SIZE) return;
  }
}

/** Undefined when the execution has been removed. The checkpoint is read before the head, so that it stands at or before it. */
async function differenceOf(
  store: Store,
  programs: WorkflowCache,
  slices: TimeSlices,
  id: string,
): Promise<string | null | undefined> {
  try {
    const stored = await store.checkpoint(id);
    const row = await store.execution(id);
    if (row === null) return undefined;
    if (stored === null) return 'it has no snapshot';
    const { program } = await programs.load(row.tenantId, row.revision);
    const history = await readHistory(store, id, row.seq);
    const slice = slices.slice(id);
    let run: Run | null = null;
    for await (const point of replaySteps(
      program,
      id,
      readReplayableLog(store, row.tenantId, id, row.seq, slice),
      history,
      slice,
    )) {
      run = point.run;
      if (run.seq === stored.seq && isFromThisCompiler(program, stored, run) && save(run) !== stored.text)
        return `the snapshot at sequence ${stored.seq} is not what its log folds to`;
    }
    if (run?.seq !== row.seq) return `execution ${id} lacks events between ${run?.seq ?? 0} and ${row.seq}`;
    return headDifference(row, run);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A checkpoint of another version of the compiler is never read: the log is folded in its place. */
export function isFromThisCompiler(
  program: Program,
  { text, seq }: { readonly text: string; readonly seq: number },
  { input }: Run,
): boolean {
  try {
    load(program, text, { seq, input });
    return true;
  } catch (error) {
    // What cannot be read at all is not what the log folds to.
    return !(error instanceof SnapshotVersionMismatch);
  }
}

export function headDifference(row: ExecutionRow, run: Run): string | null {
  const fields = ['status', 'steps', 'error', 'localWork'] as const;
  const field = fields.find((name) => (name === 'error' ? !isErrorOf(run, row.error) : row[name] !== run[name]));
  return field === undefined ? null : `${field} is ${JSON.stringify(row[field])}, the log folds to ${JSON.stringify(run[field])}`;
}
