/**
 * Shares the thread between long reads and writes. An embedded engine holds it while a statement runs, so that a store asks before each piece of work
 * whether it may go on.
 */
export interface Turns {
  /** Null: at once; else when the promise resolves. Throws, or rejects, when the work is no longer wanted. */
  next(): Promise<void> | null;
}
