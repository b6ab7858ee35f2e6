/** A set of small non-negative integers. */
export class BitSet {
  readonly #words: Uint32Array;

  constructor(size: number) {
    this.#words = new Uint32Array((size + 31) >>> 5);
  }

  has(i: number): boolean {
    return (((this.#words[i >>> 5] ?? 0) >>> (i & 31)) & 1) === 1;
  }

  add(i: number): void {
    this.#words[i >>> 5] = (this.#words[i >>> 5] ?? 0) | (1 << (i & 31));
  }

  addAll(other: BitSet): void {
    for (let w = 0; w < this.#words.length; w++) this.#words[w] = (this.#words[w] ?? 0) | (other.#words[w] ?? 0);
  }

  removeAll(other: BitSet): void {
    for (let w = 0; w < this.#words.length; w++) this.#words[w] = (this.#words[w] ?? 0) & ~(other.#words[w] ?? 0);
  }

  retainAll(other: BitSet): void {
    for (let w = 0; w < this.#words.length; w++) this.#words[w] = (this.#words[w] ?? 0) & (other.#words[w] ?? 0);
  }

  remove(i: number): void {
    this.#words[i >>> 5] = (this.#words[i >>> 5] ?? 0) & ~(1 << (i & 31));
  }

  isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  /** Is every member also in `other`? */
  isSubsetOf(other: BitSet): boolean {
    return this.#words.every((word, w) => (word & ~(other.#words[w] ?? 0)) === 0);
  }

  copy(): BitSet {
    const copy = new BitSet(this.#words.length << 5);
    copy.#words.set(this.#words);
    return copy;
  }

  /** The members in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let w = 0; w < this.#words.length; w++) {
      let word = this.#words[w] ?? 0;
      while (word !== 0) {
        const low = word & -word;
        yield (w << 5) + (31 - Math.clz32(low));
        word ^= low;
      }
    }
  }
}
