import { ChurnMap, ChurnSet } from '../../../store/churn-map.ts';

/** The most that a tenant owes, in shares: its debt ends after as many rounds. */
const MAX_DEBT = 16;

interface Ready {
  /** Is it taken before everything that is not urgent? */
  readonly urgent: boolean;
}

/** The items of one tenant. */
interface Flow<T> {
  readonly tenantId: string;
  readonly items: T[];
  /** What it may still cost before others go first. */
  credit: number;
  /** Has its last item cost more than a share? */
  isCostly: boolean;
}

/**
 * A queue that gives out urgent items first, then one of each tenant in turn, each tenant's in the order in which they came. A tenant whose items have
 * cost more than its share lets the others go first, as in a deficit round robin; one that has not waited lately goes before those that have.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8290 section 4
 */
export class ReadyQueue<T extends Ready> {
  readonly #share: number;
  readonly #urgent: T[] = [];
  readonly #flows = new ChurnMap<string, Flow<T>>();
  /** Those that have had no turn yet, then the others, in the order of their next turns. One without items is dropped at its turn. */
  readonly #fresh = new ChurnSet<Flow<T>>();
  readonly #round = new ChurnSet<Flow<T>>();
  /** Its next item was passed over, because those taken before it would have had to wait for it. */
  #passedOver: Flow<T> | null = null;
  #size = 0;

  /** `share`: the cost of the items that a tenant may take in one round. */
  constructor(share: number) {
    this.#share = share;
  }

  get size(): number {
    return this.#size;
  }

  push(tenantId: string, item: T): void {
    this.#size += 1;
    if (item.urgent) this.#urgent.push(item);
    else (this.#flows.get(tenantId) ?? this.#begin(tenantId)).items.push(item);
  }

  /** Call when an item in the queue has become urgent. */
  promote(tenantId: string, item: T): void {
    const waiting = this.#flows.get(tenantId)?.items ?? [];
    const index = waiting.indexOf(item);
    if (index < 0) return;
    waiting.splice(index, 1);
    this.#urgent.push(item);
  }

  /** Removes and returns the next item; null when the queue is empty. */
  take(): T | null {
    while (this.#size > 0) {
      const next = this.#next(true);
      if (next !== null) return next;
    }
    return null;
  }

  /**
   * Like `take`, for an item that is handled together with those taken before. Null also when only tenants wait that have used up their share of this
   * round, or whose items cost more than a share: such an item is the next that `take` returns.
   */
  takeWithinShare(): T | null {
    return this.#next(false);
  }

  /** Says what an item that was taken has cost. */
  charge(tenantId: string, cost: number): void {
    const flow = this.#flows.get(tenantId);
    if (flow === undefined) return;
    flow.credit = Math.max(flow.credit - cost, -MAX_DEBT * this.#share);
    flow.isCostly = cost > this.#share;
  }

  #begin(tenantId: string): Flow<T> {
    const flow = { tenantId, items: [], credit: this.#share, isCostly: false };
    this.#flows.set(tenantId, flow);
    this.#fresh.add(flow);
    return flow;
  }

  #next(isFirst: boolean): T | null {
    const next = this.#urgent.shift() ?? this.#takeInTurn(isFirst);
    if (next !== null) this.#size -= 1;
    return next;
  }

  /** Each tenant is looked at once. Those that have used up their share are passed over and get another one. */
  #takeInTurn(isFirst: boolean): T | null {
    if (isFirst && this.#passedOver !== null) {
      const { items } = this.#passedOver;
      this.#passedOver = null;
      const item = items.shift();
      if (item !== undefined) return item;
    }
    for (let left = this.#size === 0 ? 0 : this.#flows.size; left > 0; left -= 1) {
      const flow = first(this.#fresh) ?? first(this.#round);
      if (flow === undefined) break;
      this.#fresh.delete(flow);
      this.#round.delete(flow);
      if (flow.items.length === 0 && flow.credit > 0) {
        this.#flows.delete(flow.tenantId);
        continue;
      }
      this.#round.add(flow);
      if (flow.credit <= 0) flow.credit = this.#flows.size === 1 ? this.#share : flow.credit + this.#share;
      else if (flow.isCostly && !isFirst) this.#passedOver ??= flow;
      else return flow.items.shift() ?? null;
    }
    return null;
  }
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
