interface Ready {
  /** Is it taken before everything that is not urgent? */
  readonly urgent: boolean;
}

/** A queue that gives out urgent items first, then one of each tenant in turn, each tenant's in the order in which they came. */
export class ReadyQueue<T extends Ready> {
  readonly #urgent = new Set<T>();
  /** In the order of the tenants' next turns. */
  readonly #tenants = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(tenantId: string, item: T): void {
    const waiting = item.urgent ? this.#urgent : (this.#tenants.get(tenantId) ?? new Set());
    if (!item.urgent) this.#tenants.set(tenantId, waiting);
    waiting.add(item);
    this.#size += 1;
  }

  /** Call when an item in the queue has become urgent. */
  promote(tenantId: string, item: T): void {
    const waiting = this.#tenants.get(tenantId);
    if (waiting?.delete(item) !== true) return;
    if (waiting.size === 0) this.#tenants.delete(tenantId);
    this.#urgent.add(item);
  }

  /** Removes and returns the next item; null when the queue is empty. */
  take(): T | null {
    const [urgent] = this.#urgent;
    if (urgent !== undefined) {
      this.#urgent.delete(urgent);
      this.#size -= 1;
      return urgent;
    }
    const [turn] = this.#tenants;
    if (turn === undefined) return null;
    const [tenantId, waiting] = turn;
    const [next] = waiting;
    this.#tenants.delete(tenantId);
    if (next === undefined) return null;
    waiting.delete(next);
    if (waiting.size > 0) this.#tenants.set(tenantId, waiting);
    this.#size -= 1;
    return next;
  }
}
