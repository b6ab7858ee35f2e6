import { ChurnMap } from '../../../store/churn-map.ts';

/** How long requests are watched before the next decision. */
const WINDOW_MS = 100;
/** Fewer requests in progress are no overload: a commit serves so many as fast as one. */
const MIN_IN_PROGRESS = 64;
/** Once requests are refused, the others are to wait so many times as long as on an idle server, which is the time of a commit. */
const TOLERANCE = 2;
const MIN_TARGET_MS = 8;
const MAX_TARGET_MS = 100;
/** The limit grows by this part while the wait is short enough, and shrinks to not less than half at once. */
const MIN_LIMIT = 8;
const GROWTH = 0.1;
const MAX_SHRINK = 0.5;
/** Windows without a refusal after which nothing is limited any more. */
const QUIET_WINDOWS = 10;
/** A backlog must be seen so often in succession. */
const BACKLOGGED_WINDOWS = 2;
/** What is learnt of the server is forgotten after one or two such times: disks and databases change. */
const MEMORY_MS = 60_000;

export interface LoadShedderOptions {
  /** Requests are refused when the ones before them wait for longer. */
  readonly maxWaitMs: number;
  /** How long the work of accepted requests waits already because the server is busy, in milliseconds; 0 = it does not. Null = of all tenants. */
  readonly backlogMs: (tenantId: string | null) => number;
  /** Milliseconds on a clock that is never set back. */
  readonly nowMs: () => number;
  /** Called when requests begin to be refused, and when that is over. */
  readonly onChange?: (change: { readonly isShedding: boolean; readonly refused: number }) => void;
}

/**
 * Refuses requests once those before them wait too long, so that the accepted ones stay quick. As CoDel does with packets, it looks at the
 * shortest wait within a while, since a burst delays only some requests, and a standing queue all of them; and at how long those in progress
 * would take at the highest rate seen. Then it limits the requests in progress to as many as are answered within a short time, and adapts
 * the limit to what it sees. Tenants share it. While the work of a tenant's accepted requests waits too
 * long, none of its requests is admitted.
 *
 * @see https://queue.acm.org/detail.cfm?id=2209336 Nichols, Jacobson: Controlling Queue Delay
 */
export class LoadShedder {
  readonly #options: LoadShedderOptions;
  readonly #byTenant = new ChurnMap<string, number>();
  #inProgress = 0;
  #limit = Number.POSITIVE_INFINITY;
  #window: Window;
  #quietWindows = 0;
  #backloggedWindows = 0;
  #refused = 0;
  /** Of an idle server, in milliseconds. */
  readonly #shortestWait = new Remembered(Math.min);
  /** Requests answered in a millisecond. */
  readonly #highestRate = new Remembered(Math.max);

  constructor(options: LoadShedderOptions) {
    this.#options = options;
    this.#window = emptyWindow(options.nowMs());
  }

  get isShedding(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }

  /** Whether the request is admitted; then `release` must be called once. */
  admit(tenantId: string): boolean {
    if (!this.hasRoom(tenantId)) {
      this.countRefusal();
      return false;
    }
    this.#endWindow(this.#options.nowMs());
    this.#byTenant.set(tenantId, (this.#byTenant.get(tenantId) ?? 0) + 1);
    this.#inProgress += 1;
    return true;
  }

  /** Whether a request of the tenant would be admitted. One below its share of the limit is, beyond it, up to twice as many requests. */
  hasRoom(tenantId: string): boolean {
    if (this.#isBacklogged && this.#options.backlogMs(tenantId) > this.#options.maxWaitMs) return false;
    if (this.#inProgress < this.#limit) return true;
    const own = this.#byTenant.get(tenantId) ?? 0;
    const tenants = this.#byTenant.size + (own === 0 ? 1 : 0);
    return tenants > 1 && own < this.#limit / tenants && this.#inProgress < 2 * this.#limit;
  }

  countRefusal(): void {
    this.#window.refused += 1;
    this.#refused += 1;
    this.#endWindow(this.#options.nowMs());
  }

  /** `tookMs`: from the request to its reply; null = it says nothing of the wait of others. */
  release(tenantId: string, tookMs: number | null): void {
    const own = (this.#byTenant.get(tenantId) ?? 1) - 1;
    if (own === 0) this.#byTenant.delete(tenantId);
    else this.#byTenant.set(tenantId, own);
    this.#inProgress -= 1;
    if (tookMs === null) return;
    this.#window.answered += 1;
    this.#window.shortestMs = Math.min(this.#window.shortestMs, tookMs);
    this.#endWindow(this.#options.nowMs());
  }

  #endWindow(nowMs: number): void {
    const elapsedMs = nowMs - this.#window.sinceMs;
    if (elapsedMs < WINDOW_MS) return;
    const { answered, shortestMs, refused } = this.#window;
    this.#window = emptyWindow(nowMs);
    const wasShedding = this.isShedding;
    if (answered > 0) this.#highestRate.note(answered / elapsedMs, nowMs);
    const isBacklogged = this.#options.backlogMs(null) > this.#options.maxWaitMs;
    this.#backloggedWindows = isBacklogged ? this.#backloggedWindows + 1 : 0;
    if (wasShedding) this.#adapt(shortestMs, refused);
    else if (this.#isBacklogged || this.#isOverloaded(shortestMs)) this.#limit = this.#answeredInTarget;
    else if (answered > 0) this.#shortestWait.note(shortestMs, nowMs);
    if (this.isShedding === wasShedding) return;
    this.#options.onChange?.({ isShedding: this.isShedding, refused: this.#refused });
    this.#refused = 0;
    this.#quietWindows = 0;
  }

  get #isBacklogged(): boolean {
    return this.#backloggedWindows >= BACKLOGGED_WINDOWS;
  }

  #isOverloaded(shortestMs: number): boolean {
    const { maxWaitMs } = this.#options;
    if (this.#inProgress <= MIN_IN_PROGRESS) return false;
    const expectedMs = this.#inProgress / (this.#highestRate.value ?? Number.POSITIVE_INFINITY);
    return expectedMs > maxWaitMs || (shortestMs > maxWaitMs && shortestMs !== Number.POSITIVE_INFINITY);
  }

  #adapt(shortestMs: number, refused: number): void {
    if (shortestMs > this.#targetMs && shortestMs !== Number.POSITIVE_INFINITY)
      this.#limit = Math.max(MIN_LIMIT, this.#limit * Math.max(MAX_SHRINK, this.#targetMs / shortestMs));
    else if (refused > 0 && !this.#isBacklogged)
      this.#limit += Math.max(1, this.#limit * (shortestMs < this.#targetMs / 2 ? 2 : 1) * GROWTH);
    this.#quietWindows = refused > 0 ? 0 : this.#quietWindows + 1;
    if (this.#quietWindows >= QUIET_WINDOWS) this.#limit = Number.POSITIVE_INFINITY;
  }

  get #answeredInTarget(): number {
    return Math.max(MIN_LIMIT, (this.#highestRate.value ?? 0) * this.#targetMs);
  }

  get #targetMs(): number {
    const targetMs = TOLERANCE * (this.#shortestWait.value ?? Number.POSITIVE_INFINITY);
    return Math.min(MAX_TARGET_MS, Math.max(MIN_TARGET_MS, targetMs));
  }
}

/** The best value of this period and of the one before. */
class Remembered {
  readonly #best: (one: number, other: number) => number;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #current: number | null = null;
  #before: number | null = null;

  constructor(best: (one: number, other: number) => number) {
    this.#best = best;
  }

  get value(): number | null {
    return this.#current === null ? this.#before : this.#better(this.#current, this.#before);
  }

  note(value: number, nowMs: number): void {
    if (nowMs - this.#sinceMs >= MEMORY_MS) {
      this.#before = this.#current;
      this.#current = value;
      this.#sinceMs = nowMs;
    } else this.#current = this.#better(value, this.#current);
  }

  #better(one: number, other: number | null): number {
    return other === null ? one : this.#best(one, other);
  }
}

interface Window {
  readonly sinceMs: number;
  answered: number;
  refused: number;
  shortestMs: number;
}

function emptyWindow(sinceMs: number): Window {
  return { sinceMs, answered: 0, refused: 0, shortestMs: Number.POSITIVE_INFINITY };
}
