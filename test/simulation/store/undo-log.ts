/** Reversible changes to maps, which make the transactions of the simulated database atomic. */
export class UndoLog {
  readonly #undo: (() => void)[] = [];

  get position(): number {
    return this.#undo.length;
  }

  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    const existed = map.has(key);
    map.set(key, value);
    this.#undo.push(() => {
      if (existed) map.set(key, before as V);
      else map.delete(key);
    });
  }

  /** False if the key does not exist. */
  delete<K, V>(map: Map<K, V>, key: K): boolean {
    const before = map.get(key);
    if (!map.delete(key)) return false;
    this.#undo.push(() => map.set(key, before as V));
    return true;
  }

  undoTo(mark: number): void {
    for (const undo of this.#undo.splice(mark).reverse()) undo();
  }

  /** Forgets the changes of a committed transaction. */
  clear(): void {
    this.#undo.length = 0;
  }
}
