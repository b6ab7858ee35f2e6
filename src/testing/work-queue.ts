/**
 * What was found and not looked into yet. Between places, the one that was looked into least often comes first: so a loop, whose rounds are all
 * at the same few places, cannot keep others from their turn however many it has. At one place, beginnings take turns, and of those with the
 * same beginning the first that was found comes first. (Choosing rarely visited cells: A. Ecoffet et al., First return, then explore, 2021.)
 */
export class WorkQueue<T> {
  readonly #buckets = new Map<string, Bucket<T>>();

  add(item: T, bucketKey: string, startKey: string): void {
    const bucket = this.#buckets.get(bucketKey) ?? { takenCount: 0, waiting: new Map<string, T[]>() };
    this.#buckets.set(bucketKey, bucket);
    const known = bucket.waiting.get(startKey);
    if (known === undefined) bucket.waiting.set(startKey, [item]);
    else known.push(item);
  }

  /** Takes the next one out; undefined when nothing is left. */
  next(): T | undefined {
    let leastTaken: Bucket<T> | undefined;
    for (const place of this.#buckets.values()) {
      if (place.waiting.size > 0 && (leastTaken === undefined || place.takenCount < leastTaken.takenCount)) leastTaken = place;
    }
    const [turn] = leastTaken?.waiting ?? [];
    if (leastTaken === undefined || turn === undefined) return undefined;
    const [startKey, waiting] = turn;
    const item = waiting.shift();
    leastTaken.takenCount += 1;
    leastTaken.waiting.delete(startKey);
    if (waiting.length > 0) leastTaken.waiting.set(startKey, waiting);
    return item;
  }
}

interface Bucket<T> {
  takenCount: number;
  /** By beginning; whose turn it is first. Never empty lists. */
  readonly waiting: Map<string, T[]>;
}
