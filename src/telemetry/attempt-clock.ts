import { LRUCache } from 'lru-cache';
import type { EventRow } from '../../store/port/executions.ts';

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
  /** Sized by count, since `max` would allocate everything at once. */
  readonly #beginnings = new LRUCache<string, Beginning>({ maxSize: MAX_ATTEMPTS, sizeCalculation: () => 1 });

  begin(executionId: string, event: EventRow): void {
    this.#beginnings.set(keyOf(executionId, event.nodeId), beginningOf(event));
  }

  /** Null: it began before this process did, or not at all. */
  end(executionId: string, nodeId: string | null): Beginning | null {
    const key = keyOf(executionId, nodeId);
    const beginning = this.#beginnings.get(key);
    if (beginning === undefined) return null;
    this.#beginnings.delete(key);
    return beginning;
  }
}

/** A node has one visit at a time. */
function keyOf(executionId: string, nodeId: string | null): string {
  return `${executionId}\n${nodeId}`;
}
