/** Longer names are not typed by hand. */
const MAX_LENGTH = 64;
const MAX_EDITS = 2;

/** The most similar candidate: at most two edits away, and at most one for each three letters of the name. Null = none. */
export function closest(name: string, candidates: Iterable<string>): string | null {
  if (name.length > MAX_LENGTH) return null;
  const wanted = name.toLowerCase();
  const table = new DistanceTable(wanted);
  let best: string | null = null;
  let limit = Math.min(MAX_EDITS, Math.ceil(name.length / 3));
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) > limit) continue;
    const distance = table.distance(candidate.toLowerCase(), limit);
    if (distance > limit) continue;
    best = candidate;
    if (distance <= 1) return best;
    limit = distance - 1;
  }
  return best;
}

/** `did you mean "b1"?`; null when no candidate is similar. */
export function didYouMean(name: string, candidates: Iterable<string>): string | null {
  const found = closest(name, candidates);
  return found === null ? null : `did you mean "${found}"?`;
}

/**
 * The number of edits between a name and others: insertions, deletions, replacements, and swaps of neighbours, the most common typing error
 * (optimal string alignment; a Levenshtein distance counts a swap as two edits and would suggest `json` for `jion`). A name is compared
 * with thousands, so a comparison allocates nothing.
 */
class DistanceTable {
  readonly #name: string;
  #beforeLast = new Uint8Array(MAX_LENGTH * 2);
  #last = new Uint8Array(MAX_LENGTH * 2);
  #row = new Uint8Array(MAX_LENGTH * 2);

  constructor(name: string) {
    this.#name = name;
  }

  /** The distance, or any number above `limit` when it is more than `limit`. */
  distance(other: string, limit: number): number {
    const name = this.#name;
    const far = limit + 1;
    if (other.length >= this.#row.length) return far;
    for (let j = 0; j <= other.length; j++) this.#last[j] = Math.min(j, far);
    for (let i = 1; i <= name.length; i++) {
      // Cells further from the diagonal than the limit cost more than the limit.
      const from = Math.max(1, i - limit);
      const to = Math.min(other.length, i + limit);
      this.#row.fill(far, 0, other.length + 1);
      this.#row[0] = Math.min(i, far);
      let least = far;
      for (let j = from; j <= to; j++) least = Math.min(least, this.#fill(other, i, j, far));
      if (least >= far) return far;
      [this.#beforeLast, this.#last, this.#row] = [this.#last, this.#row, this.#beforeLast];
    }
    return this.#last[other.length] ?? far;
  }

  #fill(other: string, i: number, j: number, far: number): number {
    const name = this.#name;
    const same = name.charCodeAt(i - 1) === other.charCodeAt(j - 1);
    let cost = same
      ? (this.#last[j - 1] ?? far)
      : 1 + Math.min(this.#last[j - 1] ?? far, this.#last[j] ?? far, this.#row[j - 1] ?? far);
    if (
      !same &&
      i > 1 &&
      j > 1 &&
      name.charCodeAt(i - 1) === other.charCodeAt(j - 2) &&
      name.charCodeAt(i - 2) === other.charCodeAt(j - 1)
    ) {
      cost = Math.min(cost, 1 + (this.#beforeLast[j - 2] ?? far));
    }
    this.#row[j] = Math.min(cost, far);
    return cost;
  }
}
