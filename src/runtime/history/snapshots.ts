import { LRUCache } from 'lru-cache';
import type { Program } from '../../../machines/compile.ts';
import { type History, LogMismatch, type MachineEvent, Overheard } from '../../../machines/fold.ts';
import type { Json } from '../../../machines/json.ts';
import type { Run } from '../../../machines/run.ts';
import { activeOf, stateOf } from '../../../machines/step.ts';
import type { Store } from '../../../store/store.ts';
import { RuntimeError } from '../errors.ts';
import { readLog } from '../log.ts';
import type { Programs } from '../programs.ts';
import type { Reads } from '../reads.ts';
import type { Slice } from '../time-slices.ts';
import type { SnapshotPage, SnapshotView } from '../types.ts';
import type { ReplayLimiter } from './replay-limiter.ts';
import { readHistory, replayed, wholeLog } from './replayed.ts';

/** A page ends with the first snapshot beyond. */
const PAGE_CHARS = 1024 * 1024;
/** Memory for runs at which somebody stopped to read, and will go on. */
const RESUMED_BYTES = 32 * 1024 * 1024;
/** Fixed cost of one, roughly. */
const RUN_BYTES = 8192;

export interface SnapshotsOptions {
  readonly store: Store;
  readonly programs: Programs;
  readonly reads: Reads;
  readonly limiter: ReplayLimiter;
}

interface PageAsked {
  readonly after: number;
  readonly limit: number;
}

/** Part of a log that folds with one history: it ends before the next retry, since until then nothing of it was forgiven. */
interface Stretch {
  readonly history: History;
  readonly upTo: number;
}

/** Where a page ended. */
interface End {
  readonly run: Run;
  /** Whose machine it is a run of: one compiled anew has other states, if equal ones. */
  readonly program: Program;
}

/** The machine of an execution after each of its steps, page by page, folded from the log. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** Whoever asks for the next page does not fold again what came before. */
  readonly #ends = new LRUCache<string, End>({ maxSize: RESUMED_BYTES, maxEntrySize: RESUMED_BYTES });

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  page(tenantId: string, id: string, asked: PageAsked, signal?: AbortSignal): Promise<SnapshotPage> {
    return this.#options.limiter.run(tenantId, signal, (slice) => this.#page(tenantId, id, asked, slice));
  }

  async #page(tenantId: string, id: string, { after, limit }: PageAsked, slice: Slice): Promise<SnapshotPage> {
    const { reads, programs } = this.#options;
    const execution = await reads.find(tenantId, id);
    const { status, seq } = 'run' in execution ? execution.run : execution;
    const head = { executionId: id, sequence: seq, status: status as Run['status'] };
    if (after >= seq) return { ...head, snapshots: [] };
    const { program } = await programs.load(tenantId, execution.revision);
    const overheard = new Overheard(program);
    const { history, upTo } = await this.#stretch(id, after, seq);
    const retries = history.pardon.ends.size;
    const end = this.#ends.get(keyOf(id, after, retries));
    const from = end?.program === program ? end.run : null;
    const events = wholeLog(this.#options.store, tenantId, id, upTo, slice, from?.seq ?? 0);
    const snapshots: SnapshotView[] = [];
    let chars = 0;
    try {
      for await (const { run, atMs, first } of replayed(overheard.program, id, events, history, slice, from)) {
        const heard = overheard.take(first);
        if (run.seq <= after) continue;
        const view = viewOf(program, run, atMs, heard);
        const viewChars = JSON.stringify(view).length;
        snapshots.push(view);
        chars += viewChars;
        if (snapshots.length < limit && chars < PAGE_CHARS && run.seq < upTo) continue;
        this.#ends.set(keyOf(id, run.seq, retries), { run, program }, { size: RUN_BYTES + 4 * viewChars });
        break;
      }
    } catch (cause) {
      if (!(cause instanceof LogMismatch)) throw cause;
      throw new RuntimeError('corrupt', `the log of execution ${id} does not fold: ${cause.message}`, { cause });
    }
    return { ...head, snapshots };
  }

  async #stretch(id: string, after: number, end: number): Promise<Stretch> {
    const { store } = this.#options;
    let upTo = end;
    // One right after `after` begins the next step: what it forgives is forgiven there.
    for await (const { seq } of readLog(store, id, { type: 'workflow_retried', after: after + 1, limit: 1 }))
      upTo = Math.min(end, seq - 1);
    return { history: await readHistory(store, id, upTo), upTo };
  }
}

function viewOf(program: Program, run: Run, atMs: number, events: readonly MachineEvent[]): SnapshotView {
  return {
    sequence: run.seq,
    createdAtMs: atMs,
    events,
    status: run.status,
    value: run.snapshot.value as Json,
    state: stateOf(run),
    active: activeOf(program, run),
    stepsExecuted: run.steps,
    error: run.error,
  };
}

function keyOf(id: string, sequence: number, retries: number): string {
  return `${id} ${sequence} ${retries}`;
}
