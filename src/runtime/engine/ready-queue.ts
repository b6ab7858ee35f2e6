interface Ready {
  /** Something in it is not to wait for what everybody else has. */
  readonly urgent: boolean;
}

/** What is ready for its turn: what is urgent first, then one of each tenant after the other, in the order in which they came. */
export class ReadyQueue<T extends Ready> {
  readonly #urgent = new Set<T>();
  /** Of the tenant whose turn it is first. */
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

  /** One that waits has become urgent. */
  promote(tenantId: string, item: T): void {
    const waiting = this.#tenants.get(tenantId);
    if (waiting?.delete(item) !== true) return;
    if (waiting.size === 0) this.#tenants.delete(tenantId);
    this.#urgent.add(item);
  }

  /** The next, which is ready no more; null = there is none. */
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
