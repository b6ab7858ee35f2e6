/** Distinct values of one label; further ones are counted together. */
const MAX_VALUES = 200;
const OTHER = 'other';

/** Labels whose values come from clients: the number of series must not grow with what they send. */
const UNBOUNDED: ReadonlySet<string> = new Set(['tenant', 'workflow', 'queue', 'provider', 'model']);

/** Replaces values of a label by `other` once it has had 200 different ones. */
export class BoundedLabels {
  readonly #max: number;
  readonly #seen = new Map<string, Set<string>>();

  constructor(max = MAX_VALUES) {
    this.#max = max;
  }

  bounded(label: string, value: string): string {
    if (!UNBOUNDED.has(label)) return value;
    let seen = this.#seen.get(label);
    if (seen === undefined) {
      seen = new Set();
      this.#seen.set(label, seen);
    }
    if (seen.has(value)) return value;
    if (seen.size >= this.#max) return OTHER;
    seen.add(value);
    return value;
  }
}
