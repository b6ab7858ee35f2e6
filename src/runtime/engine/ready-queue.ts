interface Ready {
  /** Is it taken before everything that is not urgent? */
  readonly urgent: boolean;
}

/** A queue that gives out urgent items first, then one of each tenant in turn, each tenant's in the order in which they came. */
export class ReadyQueue<T extends Ready> {
  readonly #urgent: T[] = [];
  /** In the order of the tenants' next turns. */
  readonly #tenants = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(tenantId: string, item: T): void {
    const waiting = item.urgent ? this.#urgent : this.#tenants.get(tenantId);
    if (waiting === undefined) this.#tenants.set(tenantId, [item]);
    else waiting.push(item);
    this.#size += 1;
  }

  /** Call when an item in the queue has become urgent. */
  promote(tenantId: string, item: T): void {
    const waiting = this.#tenants.get(tenantId) ?? [];
    const index = waiting.indexOf(item);
    if (index < 0) return;
    waiting.splice(index, 1);
    if (waiting.length === 0) this.#tenants.delete(tenantId);
    this.#urgent.push(item);
  }

  /** Removes and returns the next item; null when the queue is empty. */
  take(): T | null {
    const next = this.#urgent.shift() ?? this.#takeInTurn();
    if (next === null) return null;
    this.#size -= 1;
    return next;
  }

  #takeInTurn(): T | null {
    for (const [tenantId, waiting] of this.#tenants) {
      const next = waiting.shift() ?? null;
      if (this.#tenants.size > 1 || waiting.length === 0) {
        this.#tenants.delete(tenantId);
        if (waiting.length > 0) this.#tenants.set(tenantId, waiting);
      }
      return next;
    }
    return null;
  }
}
