/** A map that takes next to no memory until something is put into it: a step has many, most of which stay empty. */
export class LazyMap<K, V> {
  #map: Map<K, V> | null = null;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  get(key: K): V | undefined {
    return this.#map?.get(key);
  }

  has(key: K): boolean {
    return this.#map?.has(key) === true;
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  delete(key: K): void {
    this.#map?.delete(key);
  }

  clear(): void {
    this.#map = null;
  }

  /** In the order in which the keys were set. */
  entries(): Iterable<[K, V]> {
    return this.#map ?? [];
  }
}
