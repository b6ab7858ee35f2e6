import { above, below, concat, forEachIn, get, put, type SortedMap } from '../../sorted-map.ts';

/** What is kept of the current attempt at an item. */
interface Attempt {
  readonly phase: string;
  readonly local?: true;
}

interface Entry<V> {
  readonly item: number;
  readonly visit: V;
}

const NONE = { size: 0, localWork: 0, deferred: 0 };

/** The items of a visit that have begun and not ended, by number. Immutable; a change copies only what it changes. */
export class OpenItems<V extends Attempt> {
  readonly size: number;
  /** Items with in-process work in progress. */
  readonly localWork: number;
  /** Items whose attempt is to begin. */
  readonly deferred: number;
  readonly #entries: SortedMap<Entry<V>>;

  private constructor(entries: SortedMap<Entry<V>>, { size, localWork, deferred }: typeof NONE) {
    this.size = size;
    this.localWork = localWork;
    this.deferred = deferred;
    this.#entries = entries;
  }

  static of<V extends Attempt>(visits: Readonly<Record<string, V>>): OpenItems<V> {
    let all = new OpenItems<V>(null, NONE);
    for (const [item, visit] of Object.entries(visits)) all = all.with(Number(item), visit);
    return all;
  }

  get(item: number): V | undefined {
    return get(this.#entries, item)?.visit;
  }

  with(item: number, visit: V): OpenItems<V> {
    return new OpenItems(put(this.#entries, item, { item, visit }), this.#counted(this.get(item), visit));
  }

  without(item: number): OpenItems<V> {
    const before = this.get(item);
    if (before === undefined) return this;
    return new OpenItems(concat(below(this.#entries, item), above(this.#entries, item)), this.#counted(before, undefined));
  }

  /** By number. */
  entries(): readonly (readonly [item: number, visit: V])[] {
    const entries: [number, V][] = [];
    forEachIn(this.#entries, 0, Number.POSITIVE_INFINITY, ({ item, visit }) => entries.push([item, visit]));
    return entries;
  }

  toJSON(): Readonly<Record<string, V>> {
    return Object.fromEntries(this.entries());
  }

  #counted(before: V | undefined, after: V | undefined): typeof NONE {
    const { size, localWork, deferred } = this;
    return {
      size: size + Number(after !== undefined) - Number(before !== undefined),
      localWork: localWork + Number(after?.local === true) - Number(before?.local === true),
      deferred: deferred + Number(after?.phase === 'deferred') - Number(before?.phase === 'deferred'),
    };
  }
}
