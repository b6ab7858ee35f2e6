import type { Clock } from '../clock.ts';
import { throwIfAborted, waitTurn } from './fair-queue.ts';
import { RoundRobin } from './round-robin.ts';

/** Computing in one turn of the event loop; the piece of work under way then is finished first. */
const SLICE_MS = 10;
/** Pieces of work in one turn, however quick they are. */
const PIECES_PER_SLICE = 100;

/** A long computation that lets others have their turn. */
export interface Slice {
  /**
   * Asked before every piece of work. Null = go on at once; else go on when it resolves. Rejects with `shutting_down` once whoever asked
   * for the result has gone.
   */
  next(): Promise<void> | null;
}

/**
 * Shares the event loop between long computations, such as replaying a log or compiling a workflow: in one turn of the loop, all of them
 * together compute for about 10 ms. Keys (tenants) take turns, and so do the computations of one key.
 */
export class TimeSlices {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #waiting = new RoundRobin<() => void>();
  /** Whose turn it is; null = of whoever comes first. */
  #current: Slice | null = null;
  /** Null = nothing was computed yet in this turn of the loop. */
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

  /** Runs a computation that pauses between its pieces to its end. */
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
    const elapsedMs = this.#clock.nowMs() - (this.#sinceMs ?? 0);
    // A clock that was set back tells nothing.
    if (elapsedMs < 0 || elapsedMs >= SLICE_MS || this.#pieces >= PIECES_PER_SLICE) return false;
    this.#pieces += 1;
    return true;
  }

  #begin(): void {
    this.#sinceMs = this.#clock.nowMs();
    this.#pieces = 0;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#sinceMs = null;
    this.#current = null;
    const next = this.#waiting.next();
    if (next === null) return;
    this.#begin();
    this.#pieces = 1;
    next.item();
  }
}
