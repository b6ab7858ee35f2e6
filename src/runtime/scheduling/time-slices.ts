import type { Clock } from '../clock.ts';
import { RoundRobin, throwIfAborted, waitTurn } from './round-robin.ts';
import { SpentTime } from './spent-time.ts';

/** Time for long computations in one turn of the event loop. The current piece of work is finished first. */
const SLICE_MS = 10;
/** The most pieces of work in one turn, however short they are. */
const PIECES_PER_SLICE = 100;
/**
 * While several keys compute, a turn is shorter for long pieces of work, and for a key that computes much more than the others: these would wait for ten
 * milliseconds at each of their turns. Many short pieces share one commit, so that their turn stays as long.
 */
const SHARED_SLICE_MS = 2;
const LONG_PIECE_MS = 1;
/** When thousands of keys wait, the next is chosen among so many. */
const KEYS_LOOKED_AT = 32;

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
 * loop, they compute for about 10 ms in all, or for about 2 ms if others would have to wait for it. Keys (tenants) take turns, and so do the computations of
 * one key. A key that has computed less than the mean goes before the others, as sparse flows do in FQ-CoDel.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8290 section 3.3
 */
export class TimeSlices {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #waiting = new RoundRobin<() => void>();
  readonly #spent = new SpentTime();
  /** What may go before those that wait. */
  #first: (() => void)[] = [];
  /** Do they wait for it, and have they left out a turn of the loop because it took long? */
  #waitsForFirst = false;
  #hasGivenWay = false;
  #isEndScheduled = false;
  /** The computation whose turn it is; null = the first that asks. */
  #current: Slice | null = null;
  /** When the first computation of this turn of the loop started; null = there was none yet. */
  #sinceMs: number | null = null;
  #pieces = 0;
  /** Time of this turn for keys that have computed less than the mean. */
  #sparseMs = 0;
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

  /** Calls back in the next turn of the loop, like `setImmediate`, but before long computations that wait. What it computes has to be charged. */
  goFirst(callback: () => void): void {
    if (this.#first.length === 0) setImmediate(this.#runFirst);
    this.#first.push(callback);
  }

  /** Counts time for which something else has computed for the key. */
  charge(key: string, tookMs: number): void {
    this.#spent.add(key, tookMs);
  }

  #mayGoOn(slice: Slice, key: string): boolean {
    const nowMs = this.#clock.nowMs();
    this.#endPiece(nowMs);
    if (this.#sinceMs === null) this.#begin(nowMs);
    const isNext = this.#waiting.size === 0 || this.#current === slice;
    const isSparse = !(isNext && this.#hasTimeFor(key, nowMs));
    if (isSparse && !this.#isSparse(key)) return false;
    if (!isSparse) this.#pieces += 1;
    this.#beginPiece(key, nowMs, isSparse);
    return true;
  }

  #isSparse(key: string): boolean {
    return this.#sparseMs < SLICE_MS && this.#waiting.sizeOf(key) === 0 && this.#spent.isLight(key);
  }

  #hasTimeFor(key: string, nowMs: number): boolean {
    return this.#hasTime(nowMs) && (!this.#spent.isHeavy(key) || this.#isWithin(SHARED_SLICE_MS, nowMs));
  }

  #hasTime(nowMs: number): boolean {
    return this.#pieces < PIECES_PER_SLICE && this.#isWithin(this.#areLong(nowMs) ? SHARED_SLICE_MS : SLICE_MS, nowMs);
  }

  #areLong(nowMs: number): boolean {
    return this.#spent.keys > 1 && this.#elapsedMs(nowMs) >= this.#pieces * LONG_PIECE_MS;
  }

  #isWithin(sliceMs: number, nowMs: number): boolean {
    const elapsedMs = this.#elapsedMs(nowMs);
    // A negative time means that the clock was set back.
    return elapsedMs >= 0 && elapsedMs < sliceMs;
  }

  #elapsedMs(nowMs: number): number {
    return nowMs - (this.#sinceMs ?? nowMs);
  }

  #begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#pieces = 0;
    this.#sparseMs = 0;
    this.#scheduleEnd();
  }

  #scheduleEnd(): void {
    if (this.#isEndScheduled) return;
    this.#isEndScheduled = true;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    const nowMs = this.#clock.nowMs();
    this.#endPiece(nowMs);
    const isDelaying = this.#areLong(nowMs) || this.#waiting.some((key) => this.#spent.isHeavy(key), KEYS_LOOKED_AT);
    this.#isEndScheduled = false;
    this.#sinceMs = null;
    this.#current = null;
    this.#waitsForFirst = isDelaying && this.#first.length > 0;
    if (!this.#waitsForFirst) this.#giveFirstTurn(nowMs);
  };

  readonly #runFirst = (): void => {
    const startedMs = this.#clock.nowMs();
    for (const callback of this.#first.splice(0)) callback();
    if (!this.#waitsForFirst) return;
    this.#waitsForFirst = false;
    // They go on once everything that follows from these calls has been done.
    queueMicrotask(() => process.nextTick(this.#giveTurnAfterFirst, startedMs));
  };

  readonly #giveTurnAfterFirst = (startedMs: number): void => {
    const nowMs = this.#clock.nowMs();
    this.#endPiece(nowMs);
    this.#hasGivenWay = !this.#hasGivenWay && nowMs - startedMs >= SHARED_SLICE_MS;
    if (this.#hasGivenWay) this.#scheduleEnd();
    else this.#giveFirstTurn(nowMs);
  };

  #giveFirstTurn(nowMs: number): void {
    if (this.#waiting.size === 0) return;
    this.#begin(nowMs);
    this.#giveTurn(nowMs, () => true);
  }

  /** Lets the next computation continue, and the one after it in the same turn of the loop if there is time left. */
  #giveTurn(nowMs: number, mayGoOn: (key: string) => boolean): void {
    const next =
      this.#waiting.next((key) => this.#spent.isLight(key) && mayGoOn(key), KEYS_LOOKED_AT) ??
      this.#waiting.next(mayGoOn, KEYS_LOOKED_AT);
    if (next === null) return;
    this.#pieces += 1;
    this.#beginPiece(next.key, nowMs, false);
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
    if (this.#sinceMs === null || this.#waiting.size === 0 || !this.#hasTime(nowMs)) return;
    this.#giveTurn(nowMs, (key) => this.#hasTimeFor(key, nowMs));
  };

  /** Each piece counts for a part of a slice, even if it takes no time. */
  #endPiece(nowMs: number): void {
    this.#spent.decay(nowMs);
    if (this.#running === null) return;
    const tookMs = Math.max(nowMs - this.#runningSinceMs, SLICE_MS / PIECES_PER_SLICE);
    this.#spent.add(this.#running, tookMs);
    if (this.#isRunningSparse) this.#sparseMs += tookMs;
    this.#running = null;
  }
}
