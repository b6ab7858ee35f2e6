import type { Program } from '../../../machines/compile.ts';
import type { Run, Status } from '../../../machines/run.ts';
import { load, OtherCompiler, save } from '../../../machines/step.ts';
import type { ExecutionRow } from '../../../store/rows.ts';
import type { Store } from '../../../store/store.ts';
import { Outbound } from '../../executors/outbound.ts';
import { isErrorOf } from '../failures.ts';
import { Programs } from '../programs.ts';
import { TimeSlices } from '../time-slices.ts';
import { readHistory, replayed, wholeLog } from './replayed.ts';

const PAGE = 100;
const LIVE: readonly Status[] = ['running', 'paused'];

/** An execution whose log was folded again. */
export interface Refolded {
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
export async function* refold(store: Store, { all }: { readonly all: boolean }): AsyncGenerator<Refolded> {
  // Only their machines are asked for: nothing is carried out.
  const programs = new Programs(store, {
    toolsOf: () => ({}),
    varsOf: () => ({}),
    outbound: new Outbound({ allowPrivateAddresses: false }),
  });
  const slices = new TimeSlices({ nowMs: Date.now });
  for await (const { tenantId, id, workflowId } of executions(store, all)) {
    const difference = await compared(store, programs, slices, id);
    if (difference !== undefined) yield { tenantId, executionId: id, workflowId, difference };
  }
}

async function* executions(store: Store, all: boolean): AsyncGenerator<ExecutionRow> {
  for (let offset = 0; ; offset += PAGE) {
    const tenants = await store.tenants.list({ limit: PAGE, offset });
    for (const { id } of tenants) {
      const tenant = store.tenant(id);
      let after: string | null | undefined;
      while (after !== null) {
        const page = await tenant.executions({
          limit: PAGE,
          ...(all ? {} : { statuses: LIVE }),
          ...(after === undefined ? {} : { after }),
        });
        yield* page.rows;
        after = page.next;
      }
    }
    if (tenants.length < PAGE) return;
  }
}

/** Undefined when the execution has been removed. The checkpoint is read before the head, so that it stands at or before it. */
async function compared(store: Store, programs: Programs, slices: TimeSlices, id: string): Promise<string | null | undefined> {
  try {
    const stored = await store.checkpoint(id);
    const row = await store.execution(id);
    if (row === null) return undefined;
    if (stored === null) return 'it has no snapshot';
    const { program } = await programs.load(row.tenantId, row.revision);
    const history = await readHistory(store, id, row.seq);
    const slice = slices.slice(id);
    let run: Run | null = null;
    for await (const point of replayed(program, id, wholeLog(store, row.tenantId, id, row.seq, slice), history, slice)) {
      run = point.run;
      if (run.seq === stored.seq && wroteThis(program, stored, run) && save(run) !== stored.text)
        return `the snapshot at sequence ${stored.seq} is not what its log folds to`;
    }
    if (run?.seq !== row.seq) return `execution ${id} lacks events between ${run?.seq ?? 0} and ${row.seq}`;
    return headDifference(row, run);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A checkpoint of another version of the compiler is never read: the log is folded in its place. */
export function wroteThis(
  program: Program,
  { text, seq }: { readonly text: string; readonly seq: number },
  { input }: Run,
): boolean {
  try {
    load(program, text, { seq, input });
    return true;
  } catch (error) {
    // What cannot be read at all is not what the log folds to.
    return !(error instanceof OtherCompiler);
  }
}

export function headDifference(row: ExecutionRow, run: Run): string | null {
  const fields = ['status', 'steps', 'error', 'localWork'] as const;
  const field = fields.find((name) => (name === 'error' ? !isErrorOf(run, row.error) : row[name] !== run[name]));
  return field === undefined ? null : `${field} is ${JSON.stringify(row[field])}, the log folds to ${JSON.stringify(run[field])}`;
}
