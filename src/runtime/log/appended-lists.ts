import {
  type AppendedList,
  appendedIn,
  type Path,
  partAt,
  pathOf,
  placesOf,
  pointerOf,
  wholeList,
  withWholeLists,
} from '../../../machines/appended-lists.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { type InternalState, isConversation } from '../../../machines/program/internal-state.ts';
import { completedPatch } from '../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import { RuntimeError } from '../errors.ts';
import { isRedacted } from '../redaction/original-events.ts';
import { offloadedReplayBytes, restorePayload } from './offloaded-payloads.ts';
import { readLog } from './read-log.ts';

interface KnownList {
  readonly since: number;
  readonly list: readonly Json[];
}

/**
 * Restores the lists of an execution's completions for readers of its log, who have no state to append to. A list is read from the last event that has
 * it whole; while events are read one after the other, only for the first of them. Conversations of agents, which each turn would repeat, are left as
 * they are stored.
 */
export class AppendedLists {
  readonly #store: ExecutionStore;
  readonly #tenantId: string;
  readonly #executionId: string;
  /** Null = events are left out between those that are read. */
  readonly #known: Map<string, KnownList> | null;
  readonly #internalState: () => Promise<InternalState>;
  /** Was any of the events redacted? A list may have been replaced as a whole then, or lack items. */
  #isRedacted = false;

  /**
   * `inOrder`: the events that `restore` gets are all completions of the execution from some sequence on, in order. `internalState`: that of its workflow.
   */
  constructor(
    store: ExecutionStore,
    tenantId: string,
    executionId: string,
    { inOrder, internalState }: { readonly inOrder: boolean; readonly internalState: () => Promise<InternalState> },
  ) {
    this.#store = store;
    this.#tenantId = tenantId;
    this.#executionId = executionId;
    this.#known = inOrder ? new Map() : null;
    this.#internalState = internalState;
  }

  /**
   * `data`: that of the event, with its payload in place. Throws `corrupt` if the log lacks what a list continues. If that was redacted, the event
   * shows what it adds.
   */
  async restore(row: EventRow, data: JsonObject): Promise<JsonObject> {
    this.#isRedacted ||= isRedacted(row);
    try {
      return await this.#restore(row, data);
    } catch (error) {
      const isMismatch = error instanceof TypeError || (error instanceof RuntimeError && error.code === 'corrupt');
      if (!isMismatch) throw error;
      if (this.#isRedacted) return withoutAppended(data);
      throw error instanceof TypeError
        ? new RuntimeError('corrupt', `event ${row.seq}: ${error.message}`, { cause: error })
        : error;
    }
  }

  async #restore({ seq, nodeId }: EventRow, data: JsonObject): Promise<JsonObject> {
    const appended = appendedIn(data);
    const internal = appended === null ? null : await this.#internalState();
    const left: [string, AppendedList][] = [];
    const restored: [string, AppendedList][] = [];
    for (const [pointer, list] of Object.entries(appended ?? {}))
      (internal !== null && isConversation(internal, pathOf(pointer)) ? left : restored).push([pointer, list]);
    if (restored.length === 0) {
      if (this.#known !== null && this.#known.size > 0) this.#noteWhole(seq, completedPatch(data, nodeId ?? ''));
      return data;
    }
    const lists = new Map<string, readonly Json[]>();
    for (const [pointer, { since }] of restored) lists.set(pointer, await this.#listBefore(seq, pointer, since));
    const whole = withWholeLists(withAppended(data, restored), (path) => lists.get(pointerOf(path)));
    const patch = completedPatch(whole, nodeId ?? '');
    this.#noteWhole(seq, patch);
    for (const [pointer, { since }] of restored)
      this.#known?.set(pointer, { since, list: partAt(patch, pathOf(pointer)) as readonly Json[] });
    return left.length === 0 ? whole : withAppended(whole, left);
  }

  /** Lists that an event stores whole are continued from there. */
  #noteWhole(seq: number, patch: Json): void {
    for (const pointer of this.#known?.keys() ?? []) {
      const list = partAt(patch, pathOf(pointer));
      if (Array.isArray(list)) this.#known?.set(pointer, { since: seq, list });
    }
  }

  async #listBefore(seq: number, pointer: string, since: number): Promise<readonly Json[]> {
    const known = this.#known?.get(pointer);
    if (known?.since === since) return known.list;
    const path = pathOf(pointer);
    let list: readonly Json[] = [];
    for await (const row of readLog(this.#store, this.#executionId, { after: since - 1, type: 'node_completed' })) {
      if (row.seq >= seq) break;
      this.#isRedacted ||= isRedacted(row);
      const step = row.seq === since ? null : appendedIn(row.data)?.[pointer];
      if (step === undefined || (step !== null && step.since !== since)) continue;
      const isOffloaded = offloadedReplayBytes(row.type, row.data) > 0;
      const data = isOffloaded ? await restorePayload(this.#store, this.#tenantId, row.data) : row.data;
      list =
        step === null
          ? wholeIn(row, data, path)
          : wholeList(list, step.kept, partAt(data, placesOf(data, path, false)[0] as Path), pointer);
    }
    return list;
  }
}

function withAppended(data: JsonObject, appended: readonly (readonly [string, AppendedList])[]): JsonObject {
  return Object.assign({}, data, { appended: Object.fromEntries(appended) as unknown as Json });
}

function withoutAppended({ appended: _appended, ...data }: JsonObject): JsonObject {
  return data;
}

function wholeIn({ seq, nodeId }: EventRow, data: JsonObject, path: Path): readonly Json[] {
  const list = partAt(completedPatch(data, nodeId ?? ''), path);
  if (Array.isArray(list)) return list;
  throw new RuntimeError('corrupt', `event ${seq} has no list at ${pointerOf(path)}`);
}
