import type { Visit } from '../../../../machines/messages.ts';
import { visitKey } from '../../../../machines/visit-key.ts';
import { RecentlyUsed } from '../../../../store/recently-used.ts';

/** As many attempts as are ever in flight at a time, and some more. */
const MAX_REMEMBERED = 100_000;

/**
 * The attempts that this runtime has started. On a shared database, the commit that asks for an attempt and a later look at the
 * store may both find it, in either order: it is started once.
 */
export class StartedAttempts {
  readonly #isShared: boolean;
  /** By attempt: the sequence of the run that it was started from. */
  readonly #started = new RecentlyUsed<string, number>(MAX_REMEMBERED);
  /** By attempt whose outcome was refused: the sequence of the run that did not want it, and how many were refused before. */
  readonly #refused = new RecentlyUsed<string, { readonly seq: number; readonly nth: number }>(MAX_REMEMBERED);
  #refusals = 0;

  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  /** Records the start of an attempt that the run at `seq` asks for; false = it was started already. */
  add(executionId: string, visit: Visit, seq: number): boolean {
    if (!this.#isShared) return true;
    const key = attemptKey(executionId, visit);
    const startedAt = this.#started.get(key);
    if (startedAt !== undefined && startedAt >= seq) return false;
    const refused = this.#refused.get(key);
    if (refused !== undefined && seq < refused.seq) return false;
    this.#started.set(key, seq);
    return true;
  }

  has(executionId: string, visit: Visit): boolean {
    return this.#started.has(attemptKey(executionId, visit));
  }

  /**
   * Lets the attempt be started again, unless by an older state than the run at `seq`, which refused its outcome: a slow reply of the store
   * may bring one.
   */
  refused(executionId: string, visit: Visit, seq: number | undefined): void {
    const key = attemptKey(executionId, visit);
    this.#started.delete(key);
    if (seq !== undefined && this.#isShared) this.#refused.set(key, { seq, nth: this.#refusals++ });
  }

  /** Attempts that were refused until now. */
  get refusals(): number {
    return this.#refusals;
  }

  /**
   * The run at `seq` was read when `refusals` attempts had been refused, and wants this one. If it is older than the run that refused it then, the database
   * has gone back to an earlier state.
   */
  wantedAgain(executionId: string, visit: Visit, seq: number, refusals: number): void {
    const key = attemptKey(executionId, visit);
    const refused = this.#refused.get(key);
    if (refused !== undefined && refused.nth < refusals && seq < refused.seq) this.#refused.delete(key);
  }

  clear(): void {
    this.#started.clear();
    this.#refused.clear();
  }
}

export function attemptKey(executionId: string, visit: Visit): string {
  return `${executionId}\n${visitKey(visit)}`;
}
