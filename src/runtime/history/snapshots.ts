import { LRUCache } from 'lru-cache';
import type { Program } from '../../../machines/compile/index.ts';
import type { Json } from '../../../machines/json.ts';
import { type History, LogMismatch, type RecordedEvent, RecordingStepper } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import { activeOf, stateOf } from '../../../machines/step/index.ts';
import type { Store } from '../../../store/port/store.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import { readLog } from '../log/read-log.ts';
import type { Queries } from '../queries/queries.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import type { SnapshotPage, SnapshotView } from '../types/history.ts';
import type { ReplayLimiter } from './replay-limiter.ts';
import { readHistory, readReplayableLog, replaySteps } from './replay-log.ts';

/** A page ends with the first snapshot beyond. */
const PAGE_CHARS = 1024 * 1024;
/** Memory for runs at which somebody stopped to read, and will go on. */
const RESUME_CACHE_BYTES = 32 * 1024 * 1024;
/** Fixed cost of one, roughly. */
const RUN_OVERHEAD_BYTES = 8192;

export interface SnapshotsOptions {
  readonly store: Store;
  readonly programs: WorkflowCache;
  readonly reads: Queries;
  readonly limiter: ReplayLimiter;
}

interface PageRequest {
  readonly after: number;
  readonly limit: number;
}

/** Part of a log that folds with one history: it ends before the next retry, since until then nothing of it was forgiven. */
interface ReplayRange {
  readonly history: History;
  readonly upTo: number;
}

/** Where a page ended. */
interface ResumePoint {
  readonly run: Run;
  /** Whose machine it is a run of: one compiled anew has other states, if equal ones. */
  readonly program: Program;
}

/** The machine of an execution after each of its steps, page by page, folded from the log. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** Whoever asks for the next page does not fold again what came before. */
  readonly #resumePoints = new LRUCache<string, ResumePoint>({ maxSize: RESUME_CACHE_BYTES, maxEntrySize: RESUME_CACHE_BYTES });

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  page(tenantId: string, id: string, request: PageRequest, signal?: AbortSignal): Promise<SnapshotPage> {
    return this.#options.limiter.run(tenantId, signal, (slice) => this.#page(tenantId, id, request, slice));
  }

  async #page(tenantId: string, id: string, { after, limit }: PageRequest, slice: Slice): Promise<SnapshotPage> {
    const { reads, programs } = this.#options;
    const execution = await reads.find(tenantId, id);
    const { status, seq } = 'run' in execution ? execution.run : execution;
    const head = { executionId: id, sequence: seq, status: status as Run['status'] };
    if (after >= seq) return { ...head, snapshots: [] };
    const { program } = await programs.load(tenantId, execution.revision);
    const recorder = new RecordingStepper(program);
    const { history, upTo } = await this.#replayRange(id, after, seq);
    const retries = history.resets.ends.size;
    const resumePoint = this.#resumePoints.get(resumeKey(id, after, retries));
    const from = resumePoint?.program === program ? resumePoint.run : null;
    const events = readReplayableLog(this.#options.store, tenantId, id, upTo, slice, from?.seq ?? 0);
    const snapshots: SnapshotView[] = [];
    let chars = 0;
    try {
      for await (const { run, atMs, firstEvent: first } of replaySteps(recorder.program, id, events, history, slice, from)) {
        const events = recorder.take(first);
        if (run.seq <= after) continue;
        const view = viewOf(program, run, atMs, events);
        const viewChars = JSON.stringify(view).length;
        snapshots.push(view);
        chars += viewChars;
        if (snapshots.length < limit && chars < PAGE_CHARS && run.seq < upTo) continue;
        this.#resumePoints.set(resumeKey(id, run.seq, retries), { run, program }, { size: RUN_OVERHEAD_BYTES + 4 * viewChars });
        break;
      }
    } catch (cause) {
      if (!(cause instanceof LogMismatch)) throw cause;
      throw new RuntimeError('corrupt', `the log of execution ${id} does not fold: ${cause.message}`, { cause });
    }
    return { ...head, snapshots };
  }

  async #replayRange(id: string, after: number, end: number): Promise<ReplayRange> {
    const { store } = this.#options;
    let upTo = end;
    // One right after `after` begins the next step: what it forgives is forgiven there.
    for await (const { seq } of readLog(store, id, { type: 'workflow_retried', after: after + 1, limit: 1 }))
      upTo = Math.min(end, seq - 1);
    return { history: await readHistory(store, id, upTo), upTo };
  }
}

function viewOf(program: Program, run: Run, atMs: number, events: readonly RecordedEvent[]): SnapshotView {
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

function resumeKey(id: string, sequence: number, retries: number): string {
  return `${id} ${sequence} ${retries}`;
}
