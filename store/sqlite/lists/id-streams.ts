import type { Statement } from 'better-sqlite3';
import type { Order } from '../queries/executions.ts';

/** Ids of executions in order, read lazily. */
export interface IdStream {
  /**
   * `target` if the stream contains it (unless `pass`: then it is skipped); otherwise a later id before which the stream contains nothing, and which it
   * may or may not contain; null at the end of the stream.
   */
  seek(target: string, pass?: boolean): string | null;
  /** Discards ids that were read ahead, because the database may change before the next call. */
  forget(): void;
}

/** The cost of a list so far, in index entries read: about a third of a microsecond each. */
export interface Meter {
  spent: number;
}

/** Whether `a` comes before `b`. Ids are ASCII, so JavaScript and SQLite agree on their order. */
export function precedes(a: string, b: string, order: Order): boolean {
  return order === 'newest' ? a > b : a < b;
}

export interface IdParameters {
  readonly tenantId: string;
  readonly key: string;
  readonly value: string;
  readonly at: string;
  readonly limit: number;
  readonly offset: number;
}

const SMALLEST_BLOCK = 32;
const LARGEST_BLOCK = 2_048;
/** Cost of a query besides the entries it reads. */
const QUERY_COST = 12;

/** One range of one index, read ahead in blocks: large ones while that saves queries, small ones while targets are far apart. */
export class IndexStream implements IdStream {
  readonly #statement: Statement<[IdParameters], string>;
  readonly #range: Pick<IdParameters, 'tenantId' | 'key' | 'value'>;
  readonly #order: Order;
  readonly #meter: Meter;
  #block: readonly string[] = [];
  #next = 0;
  #used = 0;
  #size = SMALLEST_BLOCK;
  #complete = false;

  constructor(
    statement: Statement<[IdParameters], string>,
    range: Pick<IdParameters, 'tenantId' | 'key' | 'value'>,
    order: Order,
    meter: Meter,
  ) {
    this.#statement = statement;
    this.#range = range;
    this.#order = order;
    this.#meter = meter;
  }

  seek(target: string, pass = false): string | null {
    const found = this.#findInBlock(target, pass);
    if (found !== undefined || this.#complete) return found ?? null;
    this.#read(target);
    return this.#findInBlock(target, pass) ?? null;
  }

  /** The id `count` entries after the first one at `target`; null when there are fewer. */
  skipAhead(target: string, count: number): string | null {
    this.#meter.spent += QUERY_COST + count / 8;
    return this.#statement.get({ at: target, ...this.#range, limit: 1, offset: count }) ?? null;
  }

  forget(): void {
    this.#block = [];
    this.#next = 0;
    this.#used = 0;
    this.#complete = false;
  }

  #findInBlock(target: string, pass: boolean): string | undefined {
    let low = this.#next;
    let high = this.#block.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const id = this.#block[middle] ?? '';
      if (precedes(id, target, this.#order) || (pass && id === target)) low = middle + 1;
      else high = middle;
    }
    if (low > this.#next) this.#used += 1;
    this.#next = low;
    return this.#block[low];
  }

  #read(target: string): void {
    const busy = this.#used * QUERY_COST >= this.#block.length;
    this.#size = busy ? Math.min(this.#size * 2, LARGEST_BLOCK) : SMALLEST_BLOCK;
    this.#block = this.#statement.all({ at: target, ...this.#range, limit: this.#size, offset: 0 });
    this.#next = 0;
    this.#used = 0;
    this.#complete = this.#block.length < this.#size;
    this.#meter.spent += QUERY_COST + this.#block.length;
  }
}

/** The union of several streams. */
export class UnionStream implements IdStream {
  readonly #streams: readonly IdStream[];
  readonly #order: Order;

  constructor(streams: readonly IdStream[], order: Order) {
    this.#streams = streams;
    this.#order = order;
  }

  seek(target: string, pass = false): string | null {
    let first: string | null = null;
    for (const stream of this.#streams) {
      const found = stream.seek(target, pass);
      if (found !== null && (first === null || precedes(found, first, this.#order))) first = found;
    }
    return first;
  }

  forget(): void {
    for (const stream of this.#streams) stream.forget();
  }
}
