import type { EventRow } from '../../store/port/executions.ts';
import { RecentlyUsed } from '../../store/recently-used.ts';

/** As many attempts as are ever in progress at a time. */
const MAX_ATTEMPTS = 100_000;

/** When an attempt, or a wait, began. */
export interface Beginning {
  readonly atMs: number;
  readonly activation: number;
  readonly attempt: number;
  /** Null: a wait. */
  readonly workerId: string | null;
}

/** `event`: `node_started`. */
export function beginningOf({ atMs, data }: EventRow): Beginning {
  const { activation = 1, attempt = 0, worker_id } = data;
  const workerId = typeof worker_id === 'string' ? worker_id : null;
  return { atMs, activation: Number(activation), attempt: Number(attempt), workerId };
}

/** Remembers when attempts began, so that their durations are known when they end. */
export class AttemptClock {
  readonly #beginnings = new RecentlyUsed<string, Beginning>(MAX_ATTEMPTS);

  begin(executionId: string, event: EventRow): void {
    this.#beginnings.set(keyOf(executionId, event), beginningOf(event));
  }

  /** Null: it began before this process did, or not at all. */
  end(executionId: string, event: EventRow): Beginning | null {
    const key = keyOf(executionId, event);
    const beginning = this.#beginnings.get(key);
    if (beginning === undefined) return null;
    this.#beginnings.delete(key);
    return beginning;
  }
}

/** A node has one visit at a time, and that one attempt at a time, or one for each of its items. */
function keyOf(executionId: string, { nodeId, data: { item } }: EventRow): string {
  return item === undefined ? `${executionId}\n${nodeId}` : `${executionId}\n${nodeId}\n${item}`;
}
