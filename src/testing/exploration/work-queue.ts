/**
 * Items to be expanded. The bucket that was taken from least often comes first, so that a loop, whose iterations share a few buckets, cannot
 * delay the rest. Within a bucket, start keys take turns; within a start key, items are first in, first out. (Choosing rarely visited
 * cells: A. Ecoffet et al., First return, then explore, 2021.)
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

  /** Removes and returns the next item; undefined if the queue is empty. */
  next(): T | undefined {
    let leastTaken: Bucket<T> | undefined;
    for (const bucket of this.#buckets.values()) {
      if (bucket.waiting.size > 0 && (leastTaken === undefined || bucket.takenCount < leastTaken.takenCount)) leastTaken = bucket;
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
  /** Items by start key, in the order of turns. Lists are never empty. */
  readonly waiting: Map<string, T[]>;
}
