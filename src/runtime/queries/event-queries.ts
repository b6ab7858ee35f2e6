import type { Json, JsonObject } from '../../../machines/json.ts';
import { type Status, TERMINAL } from '../../../machines/run.ts';
import type { EventRow, ExecutionRow } from '../../../store/port/executions.ts';
import type { RuntimeContext } from '../context.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import { AppendedLists } from '../log/appended-lists.ts';
import { offloadedBytes, restorePayload, withUnresolvedPayload } from '../log/offloaded-payloads.ts';
import { readLog } from '../log/read-log.ts';
import type { EventView } from '../types/executions.ts';
import type { ExecutionQueries } from './execution-queries.ts';
import { eventViewOf } from './views.ts';
import type { WakeupSignal } from './wakeup-signal.ts';

/** There may be many subscribers, and slow ones, so each holds little of the log in memory. */
const LIVE_PAGE_CHARS = 64 * 1024;

/** The events that show a state, and the field of their data that holds it. */
const STATE_FIELDS: Readonly<Partial<Record<string, string>>> = {
  interrupt_raised: 'state_for_review',
  workflow_completed: 'final_state',
};

/** Gives the state of an execution as it was after the event with that sequence. */
export interface StateReader {
  stateAfterEvent(tenantId: string, executionId: string, sequence: number): Promise<Json>;
}

export interface EventQueriesOptions extends Pick<RuntimeContext, 'store' | 'slices' | 'stopping' | 'onError'> {
  readonly executions: ExecutionQueries;
  readonly history: StateReader;
  readonly workflows: WorkflowCache;
  readonly commits: WakeupSignal;
}

/** The log of an execution as clients see it. */
export class EventQueries {
  readonly #options: EventQueriesOptions;

  constructor(options: EventQueriesOptions) {
    this.#options = options;
  }

  async *events(
    tenantId: string,
    id: string,
    page: { readonly after?: number; readonly limit?: number; readonly type?: string; readonly nodeId?: string } = {},
  ): AsyncGenerator<EventView> {
    const { store, slices, executions } = this.#options;
    const found = await executions.find(tenantId, id);
    const inOrder = page.nodeId === undefined && (page.type === undefined || page.type === 'node_completed');
    const lists = this.#listsOf(tenantId, id, found, inOrder);
    for await (const row of readLog(store, id, page, slices.slice(tenantId))) yield await this.#viewOf(tenantId, id, row, lists);
  }

  async *subscribe(
    tenantId: string,
    id: string,
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<EventView> {
    const { commits, store, executions, stopping } = this.#options;
    let after = options.after ?? 0;
    for (;;) {
      const next = commits.nextWakeup(id, options.signal);
      try {
        const found = await executions.find(tenantId, id);
        const { status, seq } = 'run' in found ? found.run : found;
        const lists = this.#listsOf(tenantId, id, found, true);
        for await (const row of readLog(store, id, { after, pageChars: LIVE_PAGE_CHARS })) {
          if (options.signal?.aborted) return;
          after = row.seq;
          yield await this.#viewOf(tenantId, id, row, lists);
        }
        if (after >= seq && TERMINAL.has(status as Status)) return;
        if (stopping.aborted || options.signal?.aborted) return;
        if (after >= seq) await next.woken;
      } finally {
        next.stop();
      }
    }
  }

  #listsOf(tenantId: string, id: string, found: CachedExecution | ExecutionRow, inOrder: boolean): AppendedLists {
    const { store, workflows } = this.#options;
    const internalState = async () => {
      const { program } = 'run' in found ? found.loaded : await workflows.load(tenantId, found.revision);
      return program.tables.internalState;
    };
    return new AppendedLists(store, tenantId, id, { inOrder, internalState });
  }

  /** An event with its payload in place, wherever that is stored. */
  async #viewOf(tenantId: string, id: string, row: EventRow, lists: AppendedLists): Promise<EventView> {
    const { data } = row;
    const isCompletion = row.type === 'node_completed';
    if (!isCompletion && offloadedBytes(row.type, data) === 0)
      return eventViewOf(id, row, await this.#withReplayedState(tenantId, id, row, data));
    try {
      const isOffloaded = offloadedBytes(row.type, data) > 0;
      const complete = isOffloaded ? await restorePayload(this.#options.store, tenantId, data) : data;
      return eventViewOf(id, row, isCompletion ? await lists.restore(row, complete) : complete);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      this.#options.onError(error);
      return eventViewOf(id, row, offloadedBytes(row.type, data) === 0 ? data : withUnresolvedPayload(data));
    }
  }

  /** Logs of the first releases leave large states out of the events that show them: they are replayed. */
  async #withReplayedState(tenantId: string, id: string, row: EventRow, data: JsonObject): Promise<JsonObject> {
    const field = STATE_FIELDS[row.type];
    if (field === undefined || Object.hasOwn(data, field)) return data;
    try {
      return { ...data, [field]: await this.#options.history.stateAfterEvent(tenantId, id, row.seq) };
    } catch (error) {
      // An event is shown without its state when the log cannot be replayed.
      if (!(error instanceof RuntimeError)) throw error;
      this.#options.onError(error);
      return data;
    }
  }
}
