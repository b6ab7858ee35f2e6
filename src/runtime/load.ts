import type { LRUCache } from 'lru-cache';
import type { Program } from '../../machines/compile.ts';
import { fold } from '../../machines/fold.ts';
import type { Json } from '../../machines/json.ts';
import type { Run } from '../../machines/run.ts';
import { load, OtherCompiler } from '../../machines/step.ts';
import type { ExecutionRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import type { Hot } from './hot.ts';
import { readInput, readTail } from './log.ts';
import type { Programs } from './programs.ts';

export interface LoadOptions {
  readonly store: Store;
  readonly programs: Programs;
  readonly runtimeId: string;
  readonly stepLimit: number;
  /** Makes sure that the owner is not taken for lost because nobody here has heard of him. */
  readonly lookFor: (owner: string) => Promise<void>;
}

/** Brings a stored execution into memory, from its checkpoint and the log's tail. Throws `corrupt` when its log does not fold. */
export async function loadHot(options: LoadOptions, row: ExecutionRow): Promise<Hot> {
  const { store, programs, runtimeId, stepLimit } = options;
  if (row.owner !== null) await options.lookFor(row.owner);
  const loaded = await programs.load(row.tenantId, row.revision);
  const input = await readInput(store, row.id);
  const stored = await store.checkpoint(row.id);
  let run = stored === null ? null : resume(loaded.program, stored, input);
  let logBytes = 0;
  if (run === null || run.seq < row.seq) {
    const tail = await readTail(store, row.tenantId, row.id, run?.seq ?? 0, row.seq);
    logBytes = tail.bytes;
    run = fold(loaded.program, run, tail.events, { executionId: row.id, stepLimit, runtimeId });
  }
  // What the run tells itself is left out.
  const { status, seq, steps, error, localWork, snapshotSeq, ...head } = row;
  return { ...head, loaded, run, checkpoint: { seq: stored?.seq ?? 0, bytes: stored?.text.length ?? 0, logBytes } };
}

/** An execution as it is stored, from memory if that is what memory has; null = unknown. */
export async function currentHot(hot: LRUCache<string, Hot>, options: LoadOptions, id: string): Promise<Hot | null> {
  const { store } = options;
  const known = hot.get(id);
  if (known !== undefined && !store.shared) return known;
  const row = await store.execution(id);
  if (row === null) return null;
  return known !== undefined && known.run.seq === row.seq ? known : loadHot(options, row);
}

/** Null when another version of the compiler wrote the checkpoint: the log is the truth, and is folded from its start. */
function resume(program: Program, stored: { readonly text: string; readonly seq: number }, input: Json): Run | null {
  try {
    return load(program, stored.text, { seq: stored.seq, input });
  } catch (error) {
    if (error instanceof OtherCompiler) return null;
    throw error;
  }
}
