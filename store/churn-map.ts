/** After so many deletions, or as many as there are entries, if that is more, the entries move to a new map. */
const MIN_DELETIONS = 64;

/**
 * A map for entries that come and go as long as the process lives. V8 links each table that a `Map` has outgrown to the next one. Once one of them
 * is old, all that later ones have held survives every scavenge until the next full collection. This map moves its entries to a new `Map` from
 * time to time, and unlinks the old one. It is in order of insertion; an iteration must not change it, except for deleting the last entry it got.
 */
export class ChurnMap<K, V> {
  #map = new Map<K, V>();
  #deletions = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  set(key: K, value: V): void {
    this.#map.set(key, value);
  }

  delete(key: K): boolean {
    if (!this.#map.delete(key)) return false;
    this.#deletions += 1;
    if (this.#deletions >= MIN_DELETIONS && this.#deletions >= this.#map.size) this.#move();
    return true;
  }

  clear(): void {
    this.#map = new Map();
    this.#deletions = 0;
  }

  keys(): MapIterator<K> {
    return this.#map.keys();
  }

  values(): MapIterator<V> {
    return this.#map.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#map.entries();
  }

  #move(): void {
    const left = this.#map as Map<K, V | undefined>;
    this.#map = new Map(this.#map);
    this.#deletions = 0;
    // An old table refers to young entries although it is unreachable.
    for (const key of left.keys()) left.set(key, undefined);
  }
}

/** The same for a set. */
export class ChurnSet<T> {
  readonly #map = new ChurnMap<T, true>();

  get size(): number {
    return this.#map.size;
  }

  has(item: T): boolean {
    return this.#map.has(item);
  }

  add(item: T): void {
    this.#map.set(item, true);
  }

  delete(item: T): boolean {
    return this.#map.delete(item);
  }

  [Symbol.iterator](): MapIterator<T> {
    return this.#map.keys();
  }
}
