import type { Journal } from '../../machines/journal.ts';
import type { OperationEntry } from '../../machines/messages.ts';

/** The journal of a visit, as a commit has left it. */
export interface JournalView {
  readonly journal: Journal;
  /** Sequence of the last event of the execution. */
  readonly seq: number;
  /** The execution is paused: the function is to go no further. */
  readonly isSuspended: boolean;
  /** The function holds no slot any more. */
  readonly isParked: boolean;
}

/** A durable function in memory. */
export interface LiveFunction {
  /** Nothing that it waits for comes any more. */
  abandon(reason?: unknown): void;
  /** There is no room for it while it is parked. It goes on if it is about to park and cannot. */
  forget(): void;
}

/** The journal of a visit, for the attempt that works on it. */
export interface JournalAccess {
  readonly clock: {
    nowMs(): number;
    /** Returns a function that cancels it. */
    after(delayMs: number, callback: () => void): () => void;
  };
  /** As the attempt has begun. */
  readonly view: JournalView;
  /**
   * Commits what the function has begun and done. `parkedAfter`: it only waits, and has been given the results up to this position. Null = there is
   * nothing else to commit, and there are results that the function has not been given. Rejects with `WorkError` when the attempt is over.
   */
  append(entries: readonly OperationEntry[], parkedAfter?: number): Promise<JournalView | null>;
  /** Is told when something else than the attempt has changed the journal. */
  onChange(listener: (view: JournalView) => void): void;
  /** Keeps the function in memory while it is parked, as long as there is room. */
  keep(live: LiveFunction): void;
  drop(live: LiveFunction): void;
  /** The function of this visit, if it is still in memory; null = it runs again from its top. */
  take(): LiveFunction | null;
}
