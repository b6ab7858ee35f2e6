import type { Order } from '../queries/executions.ts';
import { type IdStream, IndexStream, type Meter, precedes } from './id-streams.ts';

/** Bounds of a list, as ids. */
export interface Range {
  readonly from?: string;
  readonly before?: string;
  readonly after?: string;
}

/** `pause`: the budget is spent; the next call continues from there. */
export type JoinStep = { readonly kind: 'match'; readonly id: string } | { readonly kind: 'end' | 'pause' };

const END: JoinStep = { kind: 'end' };
const PAUSE: JoinStep = { kind: 'pause' };
/** Entries skipped in one query. */
const MAX_SKIP = 8_192;

/**
 * Finds the ids that several streams have in common. Each stream in turn seeks the furthest id another has reached, so a stream is read only where the
 * others have entries: the sparsest stream bounds the cost (leapfrog join: Veldhuizen, ICDT 2014).
 */
export class LeapfrogJoin {
  readonly #streams: readonly IdStream[];
  readonly #order: Order;
  readonly #range: Range;
  readonly #meter: Meter;
  #target: string;
  #pass: boolean;
  #decided: string;
  #ended = false;

  constructor(streams: readonly IdStream[], order: Order, range: Range, meter: Meter) {
    this.#streams = streams;
    this.#order = order;
    this.#range = range;
    this.#meter = meter;
    const { at, pass } = startOf(order, range);
    this.#target = at;
    this.#pass = pass;
    this.#decided = at;
  }

  /** Every match up to this id, inclusive, has been returned. */
  get decided(): string {
    return this.#decided;
  }

  /** The next match, while the meter is below `budget`. */
  next(budget: number): JoinStep {
    while (!this.#ended) {
      if (this.#meter.spent >= budget) {
        for (const stream of this.#streams) stream.forget();
        return PAUSE;
      }
      this.#meter.spent += 1;
      const target = this.#target;
      const reached = this.#reach(target);
      this.#decided = target;
      if (reached === null || this.#isOutOfRange(reached)) break;
      this.#target = reached;
      this.#pass = reached === target;
      if (reached === target) return { kind: 'match', id: target };
    }
    this.#ended = true;
    return END;
  }

  /** Skips matches; returns how many are left to skip when the budget is spent. */
  skip(count: number, budget: number): number {
    const [stream] = this.#streams;
    if (this.#streams.length === 1 && stream instanceof IndexStream) return this.#skipAlongIndex(stream, count, budget);
    for (let left = count; left > 0; left -= 1) {
      const { kind } = this.next(budget);
      if (kind === 'end') return 0;
      if (kind === 'pause') return left;
    }
    return 0;
  }

  /** With a single index, every entry is a match, so SQLite can skip them. */
  #skipAlongIndex(stream: IndexStream, count: number, budget: number): number {
    for (let left = count; left > 0; ) {
      if (this.#meter.spent >= budget) {
        stream.forget();
        return left;
      }
      const first = stream.seek(this.#target, this.#pass);
      const far = Math.min(left, MAX_SKIP);
      const reached = first === null ? null : stream.skipAhead(first, far);
      if (reached === null || this.#isOutOfRange(reached)) {
        this.#ended = true;
        return 0;
      }
      this.#target = reached;
      this.#pass = false;
      left -= far;
    }
    return 0;
  }

  /** The target if all streams contain it; otherwise a later id before which they have none in common. */
  #reach(target: string): string | null {
    let pass = this.#pass;
    for (const stream of this.#streams) {
      const found = stream.seek(target, pass);
      if (found !== target) return found;
      pass = false;
    }
    return target;
  }

  #isOutOfRange(id: string): boolean {
    const { from, before } = this.#range;
    return this.#order === 'newest' ? from !== undefined && id < from : before !== undefined && id >= before;
  }
}

function startOf(order: Order, { from, before, after }: Range): { readonly at: string; readonly pass: boolean } {
  if (order === 'newest') {
    const ends = [before, after].filter((id) => id !== undefined);
    // Sorts after every id.
    return { at: ends.reduce((least, id) => (precedes(least, id, order) ? id : least), '\uffff'), pass: true };
  }
  if (after !== undefined && (from === undefined || from <= after)) return { at: after, pass: true };
  return { at: from ?? '', pass: false };
}
