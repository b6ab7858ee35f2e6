/** How many characters may still be compared; below 0 = too many were. */
export interface Work {
  left: number;
}

/** Values that begin alike, in order: those that a text goes on with are found in the logarithm of their number. */
export class SortedValues {
  readonly #values: readonly string[];
  /** For each value, the longest other one that it begins with; -1 = none. */
  readonly #beginnings: readonly number[];

  constructor(values: Iterable<string>) {
    this.#values = [...values].sort((a, b) => (a < b ? -1 : 1));
    const open: number[] = [];
    this.#beginnings = this.#values.map((value, i) => {
      while (open.length > 0 && !value.startsWith(this.#values[open.at(-1) as number] as string)) open.pop();
      const beginning = open.at(-1) ?? -1;
      open.push(i);
      return beginning;
    });
  }

  /** The longest value that stands at a place of a text. */
  longestAt(text: string, start: number, work: Work): string | undefined {
    // All values that stand there are beginnings of the last one that is not behind the text.
    let at = this.#firstBehind(text, start, work) - 1;
    if (at < 0) return undefined;
    const common = commonLength(this.#values[at] as string, text, start, work);
    for (; at >= 0; at = this.#beginnings[at] as number) {
      const value = this.#values[at] as string;
      if (value.length <= common) return value;
      work.left -= 1;
    }
    return undefined;
  }

  /** Whether the text from a place on is the beginning of a longer value. */
  goesOnFrom(text: string, start: number, work: Work): boolean {
    const value = this.#values[this.#firstBehind(text, start, work)];
    return value !== undefined && commonLength(value, text, start, work) === text.length - start;
  }

  /** The index of the first value that is greater than the text from a place on. */
  #firstBehind(text: string, start: number, work: Work): number {
    let low = 0;
    let high = this.#values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBehind(this.#values[middle] as string, text, start, work)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function isBehind(value: string, text: string, start: number, work: Work): boolean {
  const common = commonLength(value, text, start, work);
  if (common === value.length) return false;
  return start + common === text.length || value.charCodeAt(common) > text.charCodeAt(start + common);
}

/** How many characters a value and the text from a place on begin with alike. */
function commonLength(value: string, text: string, start: number, work: Work): number {
  const most = Math.min(value.length, text.length - start, Math.max(0, work.left) + 1);
  let length = 0;
  while (length < most && value.charCodeAt(length) === text.charCodeAt(start + length)) length += 1;
  work.left -= length + 1;
  return length;
}
