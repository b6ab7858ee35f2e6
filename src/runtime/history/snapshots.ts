import { LRUCache } from 'lru-cache';
import { type History, type RecordedEvent, RecordingStepper } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import { activeOf, stateOf } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { readLog } from '../log/read-log.ts';
import { corruptIfMismatch, readHistory, replayStoredLog } from '../log/replay-log.ts';
import type { ExecutionQueries } from '../queries/execution-queries.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import type { SnapshotPage, SnapshotView } from '../types/history.ts';
import type { ReplayLimiter } from './replay-limiter.ts';

/** A page ends with the snapshot that exceeds this size. */
const PAGE_CHARS = 1024 * 1024;
/** Memory for the runs at the ends of pages, from which the next page resumes. */
const RESUME_CACHE_BYTES = 32 * 1024 * 1024;
/** Approximate fixed cost of a cached run. */
const RUN_OVERHEAD_BYTES = 8192;

export interface SnapshotsOptions {
  readonly store: ExecutionStore;
  readonly workflows: WorkflowCache;
  readonly executions: ExecutionQueries;
  readonly limiter: ReplayLimiter;
}

interface PageRequest {
  readonly after: number;
  readonly limit: number;
}

/** A part of a log that replays with one history: it ends before the next retry, which resets earlier failures. */
interface ReplayRange {
  readonly history: History;
  readonly upTo: number;
}

/** The run at the end of a page. */
interface ResumePoint {
  readonly run: Run;
  /** The program of the run. A run does not fit a program compiled again, whose state nodes are different objects. */
  readonly program: Program;
}

/** Pages of the machine snapshots of an execution after each step, replayed from its log. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** Lets the next page resume without replaying earlier events. */
  readonly #resumePoints = new LRUCache<string, ResumePoint>({ maxSize: RESUME_CACHE_BYTES, maxEntrySize: RESUME_CACHE_BYTES });

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  page(tenantId: string, id: string, request: PageRequest, signal?: AbortSignal): Promise<SnapshotPage> {
    return this.#options.limiter.run(tenantId, signal, (slice) => this.#page(tenantId, id, request, slice));
  }

  async #page(tenantId: string, id: string, { after, limit }: PageRequest, slice: Slice): Promise<SnapshotPage> {
    const { executions, workflows } = this.#options;
    const execution = await executions.find(tenantId, id);
    const { status, seq } = 'run' in execution ? execution.run : execution;
    const head = { executionId: id, sequence: seq, status: status as Run['status'] };
    if (after >= seq) return { ...head, snapshots: [] };
    const { program } = await workflows.load(tenantId, execution.revision);
    const recorder = new RecordingStepper(program);
    const { history, upTo } = await this.#replayRange(id, after, seq);
    const retries = history.resets.ends.size;
    const resumePoint = this.#resumePoints.get(resumeKey(id, after, retries));
    const from = resumePoint?.program === program ? resumePoint.run : null;
    const log = { tenantId, executionId: id, upTo, after: from?.seq ?? 0 };
    const steps = replayStoredLog(this.#options.store, recorder.program, log, history, slice, from);
    const snapshots: SnapshotView[] = [];
    let chars = 0;
    try {
      for await (const { run, atMs, firstEvent } of steps) {
        const events = recorder.take(firstEvent);
        if (run.seq <= after) continue;
        const view = viewOf(program, run, atMs, events);
        const viewChars = JSON.stringify(view).length;
        snapshots.push(view);
        chars += viewChars;
        if (snapshots.length < limit && chars < PAGE_CHARS && run.seq < upTo) continue;
        this.#resumePoints.set(resumeKey(id, run.seq, retries), { run, program }, { size: RUN_OVERHEAD_BYTES + 4 * viewChars });
        break;
      }
    } catch (error) {
      throw corruptIfMismatch(id, error);
    }
    return { ...head, snapshots };
  }

  async #replayRange(id: string, after: number, end: number): Promise<ReplayRange> {
    const { store } = this.#options;
    let upTo = end;
    // A retry right after `after` starts the next step, so its resets apply to the page.
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
    value: run.snapshot.configuration.value,
    state: stateOf(run),
    active: activeOf(program, run),
    stepsExecuted: run.steps,
    error: run.error,
  };
}

function resumeKey(id: string, sequence: number, retries: number): string {
  return `${id} ${sequence} ${retries}`;
}
