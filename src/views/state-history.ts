import { isObject, type JsonObject, patchState } from '../../machines/json.ts';
import { completedPatch } from '../../machines/step/actions/state-patch.ts';
import type { TimelineEvent } from './timeline.ts';

/** A whole state is kept per so many changes. */
const CHANGES_PER_CHECKPOINT = 64;

/** An event that may have changed the state. */
interface StateChange {
  readonly sequence: number;
  readonly apply: (state: JsonObject) => JsonObject;
}

/**
 * The states of an execution, from the events of its log in order: the state after any event costs at most 64 patches, however long the log is.
 * It is the one that the API returns, except inside a step: `GET /executions/:id/state?at=` has the state before a step until its last event.
 *
 * @example
 * const history = new StateHistory();
 * for (const event of events) history.apply(event);
 * stateDiff(history.at(sequence - 1), history.at(sequence));
 */
export class StateHistory {
  readonly #changes: StateChange[] = [];
  /** The states after each 64th change. */
  readonly #checkpoints: JsonObject[] = [];
  #state: JsonObject = {};
  #sequence = 0;

  /** Sequence of the last event; 0 = none. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The sequences of the events that may have changed the state, ascending: the stops of a slider. */
  get changes(): readonly number[] {
    return this.#changes.map(({ sequence }) => sequence);
  }

  apply(event: TimelineEvent): void {
    this.#sequence = event.sequence;
    const apply = changeOf(event);
    if (apply === null) return;
    const state = apply(this.#state);
    if (state === this.#state) return;
    this.#state = state;
    this.#changes.push({ sequence: event.sequence, apply });
    if (this.#changes.length % CHANGES_PER_CHECKPOINT === 0) this.#checkpoints.push(state);
  }

  /** The state after the event with that sequence; empty before the first. */
  at(sequence: number): JsonObject {
    const count = this.#countUpTo(sequence);
    if (count === this.#changes.length) return this.#state;
    const checkpoint = Math.floor(count / CHANGES_PER_CHECKPOINT);
    let state = checkpoint === 0 ? {} : (this.#checkpoints[checkpoint - 1] ?? {});
    for (const { apply } of this.#changes.slice(checkpoint * CHANGES_PER_CHECKPOINT, count)) state = apply(state);
    return state;
  }

  /** Sequence of the last change before that sequence, or of the next one behind it; null = there is none. */
  changeBefore(sequence: number): number | null {
    return this.#changes[this.#countUpTo(sequence - 1) - 1]?.sequence ?? null;
  }

  changeAfter(sequence: number): number | null {
    return this.#changes[this.#countUpTo(sequence)]?.sequence ?? null;
  }

  /** How many changes there are up to that sequence. */
  #countUpTo(sequence: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What the event does to the state; null = nothing. */
function changeOf({ type, node_id: node, data }: TimelineEvent): StateChange['apply'] | null {
  switch (type) {
    case 'workflow_started': {
      const { initial_input: input } = data;
      return isObject(input) ? () => input : null;
    }
    case 'node_completed': {
      const patch = completedPatch(data, node ?? '');
      return isObject(patch) && Object.keys(patch).length > 0 ? (state) => patchState(state, patch) : null;
    }
    case 'approval_received':
    case 'workflow_forked': {
      const { state_patch: patch } = data;
      return isObject(patch) && Object.keys(patch).length > 0 ? (state) => patchState(state, patch) : null;
    }
    default:
      return null;
  }
}
