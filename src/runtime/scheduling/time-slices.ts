import type { Clock } from '../clock.ts';
import { throwIfAborted, waitTurn } from './fair-queue.ts';
import { RoundRobin } from './round-robin.ts';

/** Time for long computations in one turn of the event loop. The current piece of work is finished first. */
const SLICE_MS = 10;
/** The most pieces of work in one turn, however short they are. */
const PIECES_PER_SLICE = 100;

/** A long computation that yields to the event loop. */
export interface Slice {
  /**
   * Call before every piece of work. Null: continue immediately; else continue when the promise resolves. Throws `shutting_down`
   * once the signal is aborted.
   */
  next(): Promise<void> | null;
}

/**
 * Shares the event loop between long computations, such as replaying a log or compiling a workflow: in one turn of the loop, they
 * compute for about 10 ms in all. Keys (tenants) take turns, and so do the computations of one key.
 */
export class TimeSlices {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #waiting = new RoundRobin<() => void>();
  /** The computation whose turn it is; null = the first that asks. */
  #current: Slice | null = null;
  /** When the first computation of this turn of the loop started; null = there was none yet. */
  #sinceMs: number | null = null;
  #pieces = 0;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  slice(key: string, signal?: AbortSignal): Slice {
    const slice: Slice = {
      next: () => {
        throwIfAborted(signal);
        if (this.#mayGoOn(slice)) return null;
        return waitTurn(this.#waiting, key, signal).then(() => {
          this.#current = slice;
        });
      },
    };
    return slice;
  }

  /** Runs a computation that yields between its pieces of work to its end. */
  async drive<T>(slice: Slice, computation: Generator<unknown, T>): Promise<T> {
    for (;;) {
      const turn = slice.next();
      if (turn !== null) await turn;
      const { done, value } = computation.next();
      if (done === true) return value;
    }
  }

  #mayGoOn(slice: Slice): boolean {
    if (this.#sinceMs === null) this.#begin();
    else if (this.#waiting.size > 0 && this.#current !== slice) return false;
    if (!this.#hasTime()) return false;
    this.#pieces += 1;
    return true;
  }

  #hasTime(): boolean {
    const elapsedMs = this.#clock.nowMs() - (this.#sinceMs ?? 0);
    // A negative time means that the clock was set back.
    return elapsedMs >= 0 && elapsedMs < SLICE_MS && this.#pieces < PIECES_PER_SLICE;
  }

  #begin(): void {
    this.#sinceMs = this.#clock.nowMs();
    this.#pieces = 0;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#sinceMs = null;
    this.#current = null;
    if (this.#waiting.size === 0) return;
    this.#begin();
    this.#giveTurn();
  }

  /** Lets the next computation continue, and the one after it in the same turn of the loop if there is time left. */
  #giveTurn(): void {
    const next = this.#waiting.next();
    if (next === null) return;
    this.#pieces += 1;
    next.item();
    // A tick that is scheduled from a microtask runs once the computation has done its pieces, or waits for something else.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (this.#sinceMs !== null && this.#hasTime()) this.#giveTurn();
      }),
    );
  }
}
