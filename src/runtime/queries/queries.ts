import type { JsonObject } from '../../../machines/json.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import { approvalsOf } from '../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventRow, ExecutionRow } from '../../../store/port/executions.ts';
import type { Clock } from '../clock.ts';
import type { CachedExecution } from '../engine/loading/execution-cache.ts';
import { RuntimeError } from '../errors.ts';
import { offloadedBytes, restorePayload, withUnresolvedPayload } from '../log/offloaded-payloads.ts';
import { eventOf, readLog } from '../log/read-log.ts';
import type { TimeSlices } from '../scheduling/time-slices.ts';
import type { ApprovalsView, EventView, ExecutionView } from '../types/executions.ts';
import { eventViewOf, viewOf } from './views.ts';
import type { WakeupSignal } from './wakeup-signal.ts';

/** The longest a caller may ask `settled` to wait. */
const MAX_SETTLED_WAIT_MS = 60_000;
/** How long memory is believed that an execution has not settled: others may have moved it on, and what they told been lost. */
const MAX_CACHE_AGE_MS = 1_000;
/** Of those who follow a log there may be many, and slow ones. */
const LIVE_PAGE_CHARS = 64 * 1024;

/** The states that events tell, by type. */
const STATE_FIELDS: Readonly<Partial<Record<string, string>>> = {
  interrupt_raised: 'state_for_review',
  workflow_completed: 'final_state',
};

export interface QueriesOptions {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly slices: TimeSlices;
  readonly feed: WakeupSignal;
  /** The execution in memory, if it is. */
  readonly hot: (id: string) => CachedExecution | undefined;
  readonly load: (row: ExecutionRow) => Promise<CachedExecution>;
  /** The state after the step that logged an event, from a replay of the log up to there. */
  readonly stateIn: (tenantId: string, id: string, sequence: number) => Promise<JsonObject>;
  readonly stopped: () => boolean;
  /** Told of what readers can only be shown in part. */
  readonly failed: (error: unknown) => void;
}

/** What clients may look at. Sees only what is committed. */
export class Queries {
  readonly #options: QueriesOptions;

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  /** Throws `not_found` for an unknown id and for another tenant's. */
  async find(tenantId: string, id: string): Promise<CachedExecution | ExecutionRow> {
    const { store, hot } = this.#options;
    const known = hot(id);
    if (known !== undefined && known.tenantId === tenantId && !store.shared) return known;
    const row = known === undefined || store.shared ? await store.tenant(tenantId).execution(id) : null;
    if (row === null) throw new RuntimeError('not_found', `execution ${id}`);
    // On a shared database somebody else may have moved it on, or this runtime while the row was read.
    const current = store.shared ? hot(id) : undefined;
    return current !== undefined && current.run.seq >= row.seq ? current : row;
  }

  async load(tenantId: string, id: string): Promise<CachedExecution> {
    const found = await this.find(tenantId, id);
    return 'run' in found ? found : this.#options.load(found);
  }

  async execution(tenantId: string, id: string): Promise<ExecutionView> {
    return viewOf(await this.load(tenantId, id));
  }

  async settled(tenantId: string, id: string, waitMs: number, signal?: AbortSignal): Promise<ExecutionView> {
    const { store, clock, feed, stopped } = this.#options;
    const untilMs = clock.nowMs() + Math.min(waitMs, MAX_SETTLED_WAIT_MS);
    const isOver = (): boolean => stopped() || signal?.aborted === true || clock.nowMs() >= untilMs;
    let seen = 0;
    for (;;) {
      const next = feed.nextWakeup(id, signal);
      const news = isOver() ? null : this.#fromCache(tenantId, id, seen);
      const doubtMs = news !== null && store.shared ? MAX_CACHE_AGE_MS : Number.POSITIVE_INFINITY;
      const callOff = clock.after(Math.max(0, Math.min(untilMs - clock.nowMs(), doubtMs)), next.stop);
      try {
        const found = news ?? (await this.find(tenantId, id));
        if (isOver() || isSettled(statusOf(found))) return viewOf('run' in found ? found : await this.#options.load(found));
        seen = 'run' in found ? found.run.seq : found.seq;
        await next.woken;
      } finally {
        callOff();
        next.stop();
      }
    }
  }

  /**
   * What memory tells a caller who has seen the execution as far as `seen` (0 = not yet) and waits for it: that it has not settled, or just
   * has. Null = the store has to be asked: what was settled before the caller came may have been moved on elsewhere.
   */
  #fromCache(tenantId: string, id: string, seen: number): CachedExecution | null {
    const known = this.#options.hot(id);
    if (known === undefined || known.tenantId !== tenantId || known.run.seq <= seen) return null;
    return seen > 0 || !isSettled(known.run.status) ? known : null;
  }

  async *events(
    tenantId: string,
    id: string,
    page: { readonly after?: number; readonly limit?: number; readonly type?: string; readonly nodeId?: string } = {},
  ): AsyncGenerator<EventView> {
    const { store, slices } = this.#options;
    await this.find(tenantId, id);
    for await (const row of readLog(store, id, page, slices.slice(tenantId))) yield await this.#eventView(tenantId, id, row);
  }

  async *subscribe(
    tenantId: string,
    id: string,
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<EventView> {
    const { feed, store, stopped } = this.#options;
    let after = options.after ?? 0;
    for (;;) {
      const next = feed.nextWakeup(id, options.signal);
      try {
        const found = await this.find(tenantId, id);
        const { status, seq } = 'run' in found ? found.run : found;
        for await (const row of readLog(store, id, { after, pageChars: LIVE_PAGE_CHARS })) {
          if (options.signal?.aborted) return;
          after = row.seq;
          yield await this.#eventView(tenantId, id, row);
        }
        if (after >= seq && TERMINAL.has(status as Status)) return;
        if (stopped() || options.signal?.aborted) return;
        if (after >= seq) await next.woken;
      } finally {
        next.stop();
      }
    }
  }

  /** An event as its readers see it, wherever its output is kept. */
  async #eventView(tenantId: string, id: string, row: EventRow): Promise<EventView> {
    const data = JSON.parse(row.data) as JsonObject;
    if (offloadedBytes(row.type, data) === 0) return eventViewOf(id, row, await this.#withReplayedState(tenantId, id, row, data));
    try {
      return eventViewOf(id, row, await restorePayload(this.#options.store, tenantId, data));
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#options.failed(error);
      return eventViewOf(id, row, withUnresolvedPayload(data));
    }
  }

  /** Logs of the first releases leave large states out of the events that tell them. */
  async #withReplayedState(tenantId: string, id: string, row: EventRow, data: JsonObject): Promise<JsonObject> {
    const field = STATE_FIELDS[row.type];
    if (field === undefined || Object.hasOwn(data, field)) return data;
    try {
      return { ...data, [field]: await this.#options.stateIn(tenantId, id, row.seq) };
    } catch (error) {
      // What cannot be replayed is shown as far as it is known.
      if (!(error instanceof RuntimeError)) throw error;
      this.#options.failed(error);
      return data;
    }
  }

  async approvals(tenantId: string, id: string): Promise<ApprovalsView> {
    const hot = await this.load(tenantId, id);
    const decided: ApprovalsView['decided'][number][] = [];
    for await (const row of readLog(this.#options.store, id, { type: 'approval_received' })) {
      const { data } = eventOf(row);
      decided.push({
        node_id: row.nodeId ?? '',
        status: data.decision === 'approved' ? 'approved' : 'rejected',
        user_id: String(data.user_id),
        actor_id: row.actorId,
        on_behalf_of: row.onBehalfOf,
        comment: typeof data.comment === 'string' ? data.comment : null,
        sequence: row.seq,
        decided_at_ms: row.atMs,
      });
    }
    const byNode = (a: { node_id: string }, b: { node_id: string }): number =>
      a.node_id < b.node_id ? -1 : a.node_id > b.node_id ? 1 : 0;
    return { pending: [...approvalsOf(hot.loaded.program, hot.run)].sort(byNode), decided: decided.sort(byNode) };
  }
}

function statusOf(found: CachedExecution | ExecutionRow): Status {
  return ('run' in found ? found.run.status : found.status) as Status;
}

function isSettled(status: Status): boolean {
  return status === 'paused' || TERMINAL.has(status);
}
