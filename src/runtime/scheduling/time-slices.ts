import type { Clock } from '../clock.ts';
import { RoundRobin, throwIfAborted, waitTurn } from './round-robin.ts';

/** Time for long computations in one turn of the event loop. The current piece of work is finished first. */
const SLICE_MS = 10;
/** The most pieces of work in one turn, however short they are. */
const PIECES_PER_SLICE = 100;
/** A key that has computed for less time within a window does not wait, unless such keys have used a slice of their own. */
const SPARSE_MS = 5;
const WINDOW_MS = 100;

/** A long computation that yields to the event loop. */
export interface Slice {
  /**
   * Call before every piece of work. Null: continue immediately; else continue when the promise resolves. Throws `shutting_down`
   * once the signal is aborted.
   */
  next(): Promise<void> | null;
}

/**
 * Shares the event loop between long computations, such as handling a request, replaying a log or compiling a workflow: in one turn of the
 * loop, they compute for about 10 ms in all. Keys (tenants) take turns, and so do the computations of one key. A key that computes
 * little goes before keys that compute much, as sparse flows do in FQ-CoDel.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8290 section 3.3
 */
export class TimeSlices {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #waiting = new RoundRobin<() => void>();
  /** The computation whose turn it is; null = the first that asks. */
  #current: Slice | null = null;
  /** When the first computation of this turn of the loop started; null = there was none yet. */
  #sinceMs: number | null = null;
  #pieces = 0;
  /** Time of this turn for keys that compute little. */
  #sparseMs = 0;
  /** How long each key has computed in this window. */
  readonly #spentMs = new Map<string, number>();
  #windowSinceMs = 0;
  /** The key whose piece of work is in progress; null = none is. */
  #running: string | null = null;
  #runningSinceMs = 0;
  #isRunningSparse = false;
  #isEndExpected = false;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  slice(key: string, signal?: AbortSignal): Slice {
    const slice: Slice = {
      next: () => {
        throwIfAborted(signal);
        if (this.#mayGoOn(slice, key)) return null;
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

  #mayGoOn(slice: Slice, key: string): boolean {
    const nowMs = this.#clock.nowMs();
    this.#endPiece(nowMs);
    if (this.#sinceMs === null) this.#begin(nowMs);
    const isNext = this.#waiting.size === 0 || this.#current === slice;
    const isSparse = !(isNext && this.#hasTime(nowMs));
    if (isSparse && !this.#isSparse(key)) return false;
    if (!isSparse) this.#pieces += 1;
    this.#beginPiece(key, nowMs, isSparse);
    return true;
  }

  #isSparse(key: string): boolean {
    return this.#sparseMs < SLICE_MS && (this.#spentMs.get(key) ?? 0) < SPARSE_MS && this.#waiting.sizeOf(key) === 0;
  }

  #hasTime(nowMs: number): boolean {
    const elapsedMs = nowMs - (this.#sinceMs ?? 0);
    // A negative time means that the clock was set back.
    return elapsedMs >= 0 && elapsedMs < SLICE_MS && this.#pieces < PIECES_PER_SLICE;
  }

  #begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#pieces = 0;
    this.#sparseMs = 0;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#sinceMs = null;
    this.#current = null;
    if (this.#waiting.size === 0) return;
    this.#begin(this.#clock.nowMs());
    this.#giveTurn();
  };

  /** Lets the next computation continue, and the one after it in the same turn of the loop if there is time left. */
  #giveTurn(): void {
    const next = this.#waiting.next();
    if (next === null) return;
    this.#pieces += 1;
    this.#beginPiece(next.key, this.#clock.nowMs(), false);
    next.item();
  }

  #beginPiece(key: string, nowMs: number, isSparse: boolean): void {
    this.#running = key;
    this.#runningSinceMs = nowMs;
    this.#isRunningSparse = isSparse;
    if (this.#isEndExpected) return;
    this.#isEndExpected = true;
    // A tick that is scheduled from a microtask runs once the computation has done its pieces, or waits for something else.
    queueMicrotask(this.#expectEnd);
  }

  readonly #expectEnd = (): void => process.nextTick(this.#onPieceEnded);

  readonly #onPieceEnded = (): void => {
    this.#isEndExpected = false;
    const nowMs = this.#clock.nowMs();
    this.#endPiece(nowMs);
    if (this.#sinceMs !== null && this.#hasTime(nowMs)) this.#giveTurn();
  };

  /** Each piece counts for a part of a slice, even if it takes no time. */
  #endPiece(nowMs: number): void {
    if (nowMs - this.#windowSinceMs >= WINDOW_MS || nowMs < this.#windowSinceMs) {
      this.#windowSinceMs = nowMs;
      this.#spentMs.clear();
    }
    if (this.#running === null) return;
    const tookMs = Math.max(nowMs - this.#runningSinceMs, SLICE_MS / PIECES_PER_SLICE);
    this.#spentMs.set(this.#running, (this.#spentMs.get(this.#running) ?? 0) + tookMs);
    if (this.#isRunningSparse) this.#sparseMs += tookMs;
    this.#running = null;
  }
}
