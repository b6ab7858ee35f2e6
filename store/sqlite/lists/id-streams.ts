import type { Statement } from 'better-sqlite3';
import type { Order } from '../queries/executions.ts';

/** Ids of executions in an order, read as they are needed. */
export interface IdStream {
  /**
   * `target` itself when it is in the stream (unless it is to be passed); else an id further on, before which the stream has nothing and which
   * itself may or may not be in it; null when there is nothing from there on.
   */
  seek(target: string, pass?: boolean): string | null;
  /** Drops what was read ahead: the database may change before the next call. */
  forget(): void;
}

/** Counts what lists cost, in entries of an index read: about a third of a microsecond each. */
export interface Meter {
  spent: number;
}

/** Does `a` come before `b`? Ids are ASCII: JavaScript and SQLite agree on their order. */
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
/** What a query costs beside the entries it reads. */
const QUERY_COST = 12;

/** One range of one index, read ahead in blocks: larger ones while that saves queries, small ones while targets are far apart. */
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

  /** The id `count` entries after the first one at `target`; null when there are not so many. */
  skipAhead(target: string, count: number): string | null {
    this.#meter.spent += QUERY_COST + count / 8;
    return this.#statement.get({ ...this.#range, at: target, limit: 1, offset: count }) ?? null;
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
    this.#block = this.#statement.all({ ...this.#range, at: target, limit: this.#size, offset: 0 });
    this.#next = 0;
    this.#used = 0;
    this.#complete = this.#block.length < this.#size;
    this.#meter.spent += QUERY_COST + this.#block.length;
  }
}

/** What is in any of several streams. */
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
