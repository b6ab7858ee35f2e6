import type { Context } from './context.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type RecordKey = 'visits' | 'forks' | 'subgraphs' | 'pendingInputs';

/** What a step makes of the stored context: it shares what the step does not change, and copies once what it does. */
export class Draft {
  readonly now: Mutable<Context>;
  readonly #stored: Context;

  constructor(stored: Context) {
    this.#stored = stored;
    this.now = { ...stored };
  }

  set(change: Partial<Context>): void {
    Object.assign(this.now, change);
  }

  /** The record of the step, to be changed in place. */
  record<K extends RecordKey>(key: K): Record<string, Context[K][string]> {
    if (this.now[key] === this.#stored[key]) this.now[key] = { ...this.#stored[key] };
    return this.now[key] as Record<string, Context[K][string]>;
  }
}
