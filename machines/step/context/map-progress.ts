import type { Json } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { above, below, concat, firstIn, forEachIn, put, type SortedMap } from '../../sorted-map.ts';

interface Settled {
  readonly item: number;
  readonly value: Json;
}

interface Failed {
  readonly item: number;
  readonly error: string;
}

/** As a snapshot has it. */
interface Stored {
  readonly items: readonly Json[];
  readonly next: number;
  readonly results?: Readonly<Record<string, Json>>;
  readonly errors?: Readonly<Record<string, string>>;
  readonly again?: readonly number[];
}

type Parts = Pick<MapProgress, 'items' | 'next' | 'succeeded' | 'failed' | 'resultChars'> & {
  readonly results: SortedMap<Settled>;
  readonly errors: SortedMap<Failed>;
  readonly again: SortedMap<number>;
};

const EVERY = [0, Number.POSITIVE_INFINITY] as const;

/** How far a visit is that does the same work for every item of a list. Immutable; settling one item copies a path of a tree. */
export class MapProgress {
  /** The list, as it was when the visit began. */
  readonly items: readonly Json[];
  /** The items before this one have begun. */
  readonly next: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Characters of what is kept of the results. */
  readonly resultChars: number;
  readonly #results: SortedMap<Settled>;
  readonly #errors: SortedMap<Failed>;
  /** Items before `next` that begin again: a retry has reset their failure. */
  readonly #again: SortedMap<number>;

  private constructor({ items, next, succeeded, failed, resultChars, results, errors, again }: Parts) {
    this.items = items;
    this.next = next;
    this.succeeded = succeeded;
    this.failed = failed;
    this.resultChars = resultChars;
    this.#results = results;
    this.#errors = errors;
    this.#again = again;
  }

  static start(items: readonly Json[]): MapProgress {
    return new MapProgress({
      items,
      next: 0,
      succeeded: 0,
      failed: 0,
      resultChars: 0,
      results: null,
      errors: null,
      again: null,
    });
  }

  static of({ items, next, results = {}, errors = {}, again = [] }: Stored): MapProgress {
    let progress = MapProgress.start(items).#with({ next });
    for (const [item, value] of Object.entries(results)) progress = progress.succeed(Number(item), value);
    for (const [item, error] of Object.entries(errors)) progress = progress.fail(Number(item), error);
    for (const item of again) progress = progress.#with({ again: put(progress.#again, item, item) });
    return progress;
  }

  get count(): number {
    return this.items.length;
  }

  /** The item that begins next; undefined = all have begun. */
  get upcoming(): number | undefined {
    return firstIn(this.#again, ...EVERY) ?? (this.next < this.count ? this.next : undefined);
  }

  /** The upcoming item has begun. */
  begin(item: number): MapProgress {
    if (item === this.next) return this.#with({ next: this.next + 1 });
    return this.#with({ again: concat(below(this.#again, item), above(this.#again, item)) });
  }

  succeed(item: number, value: Json): MapProgress {
    const resultChars = this.resultChars + charsUpTo(value, Number.POSITIVE_INFINITY);
    return this.#with({ results: put(this.#results, item, { item, value }), succeeded: this.succeeded + 1, resultChars });
  }

  fail(item: number, error: string): MapProgress {
    return this.#with({ errors: put(this.#errors, item, { item, error }), failed: this.failed + 1 });
  }

  /** After a failure of the visit that a retry has reset: what has not succeeded begins again. `open`: the items that were in progress. */
  retry(open: readonly number[]): MapProgress {
    let again = this.#again;
    for (const item of open) again = put(again, item, item);
    forEachIn(this.#errors, ...EVERY, ({ item }) => {
      again = put(again, item, item);
    });
    return this.#with({ errors: null, failed: 0, again });
  }

  /** In the order of the items; the place of one that failed has its error. */
  output(): Json {
    const output: Json[] = [];
    forEachIn(this.#results, ...EVERY, ({ item, value }) => {
      output[item] = value;
    });
    forEachIn(this.#errors, ...EVERY, ({ item, error }) => {
      output[item] = { error };
    });
    return output;
  }

  toJSON(): Stored {
    const results: Record<string, Json> = {};
    const errors: Record<string, string> = {};
    const again: number[] = [];
    forEachIn(this.#results, ...EVERY, ({ item, value }) => {
      results[item] = value;
    });
    forEachIn(this.#errors, ...EVERY, ({ item, error }) => {
      errors[item] = error;
    });
    forEachIn(this.#again, ...EVERY, (item) => again.push(item));
    return { items: this.items, next: this.next, results, errors, again };
  }

  #with(change: Partial<Parts>): MapProgress {
    const { items, next, succeeded, failed, resultChars } = this;
    const parts = {
      items,
      next,
      succeeded,
      failed,
      resultChars,
      results: this.#results,
      errors: this.#errors,
      again: this.#again,
    };
    return new MapProgress(Object.assign(parts, change));
  }
}
