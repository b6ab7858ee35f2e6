import { LRUCache } from 'lru-cache';
import { type RecordedEvent, RecordingStepper } from '../../../machines/replay/index.ts';
import type { Run } from '../../../machines/run.ts';
import { activeOf } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import { identityIn } from '../engine/loading/cached-execution.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { corruptIfMismatch, replayStored, type StoredReplay } from '../log/replay-log.ts';
import type { ExecutionQueries } from '../queries/execution-queries.ts';
import { redactedInSlices } from '../redaction/in-slices.ts';
import { shownRun } from '../redaction/shown-run.ts';
import type { Slice } from '../scheduling/time-slices.ts';
import type { SnapshotPage, SnapshotView } from '../types/history.ts';
import { assertReplayable } from './at-sequence.ts';
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
    const { revision, labels } = identityIn(execution);
    const { program } = await workflows.load(tenantId, revision);
    assertReplayable(program, id, execution);
    const recorder = new RecordingStepper(program);
    const resumePoint = this.#resumePoints.get(resumeKey(id, after));
    const known = resumePoint?.program === program ? resumePoint.run : null;
    // A retry right after `after` starts the next step, so its resets apply to the page. The page ends before the next one.
    const log = { tenantId, executionId: id, labels, end: seq, from: after, retriesUpTo: after + 1 };
    const collect = ({ steps }: StoredReplay) => this.#collect(program, id, { after, limit }, recorder, steps, slice);
    try {
      return { ...head, snapshots: await replayStored(this.#options.store, recorder.program, log, slice, collect, known) };
    } catch (error) {
      throw corruptIfMismatch(id, error);
    }
  }

  async #collect(
    program: Program,
    id: string,
    { after, limit }: PageRequest,
    recorder: RecordingStepper,
    steps: StoredReplay['steps'],
    slice: Slice,
  ): Promise<readonly SnapshotView[]> {
    const snapshots: SnapshotView[] = [];
    let chars = 0;
    let last: { readonly run: Run; readonly chars: number } | null = null;
    for await (const { run, atMs, firstEvent } of steps) {
      const events = recorder.take(firstEvent);
      if (run.seq <= after) continue;
      const view = await redactedInSlices(slice, () => viewOf(program, run, atMs, events));
      const viewChars = JSON.stringify(view).length;
      snapshots.push(view);
      chars += viewChars;
      last = { run, chars: viewChars };
      if (snapshots.length >= limit || chars >= PAGE_CHARS) break;
    }
    if (last !== null) {
      const size = RUN_OVERHEAD_BYTES + 4 * last.chars;
      this.#resumePoints.set(resumeKey(id, last.run.seq), { run: last.run, program }, { size });
    }
    return snapshots;
  }
}

function viewOf(program: Program, run: Run, atMs: number, events: readonly RecordedEvent[]): SnapshotView {
  const { state, event, json } = shownRun(program, run);
  return {
    sequence: run.seq,
    createdAtMs: atMs,
    events: events.map(event),
    status: run.status,
    value: run.snapshot.configuration.value,
    state,
    active: activeOf(program, run),
    stepsExecuted: run.steps,
    error: json(run.error),
  };
}

function resumeKey(id: string, sequence: number): string {
  return `${id} ${sequence}`;
}
