import { AsyncLocalStorage } from 'node:async_hooks';
import type { WorkError } from './executor.ts';

/** An attempt whose code runs in this process. */
export interface AttemptCode {
  readonly executionId: string;
  readonly node: string;
  readonly attempt: number;
  /** Fails the attempt because of what its code has not handled. False = it has ended already. */
  failUnhandled(error: WorkError): boolean;
}

/** Null = it is not known which code belongs to which attempt: promises cost more while it is. */
let current: AsyncLocalStorage<AttemptCode> | null = null;

/** From now on, what code starts belongs to the attempt that called it. For the programs of this package, which do not end because of it. */
export function trackAttempts(): void {
  current ??= new AsyncLocalStorage();
}

/** Calls code of an attempt. */
export function withinAttempt<T>(attempt: AttemptCode, run: () => T): T {
  return current === null ? run() : current.run(attempt, run);
}

/** The attempt that the code belongs to which runs now, or which has made the promise whose rejection is being reported; undefined = none that is known. */
export function attemptOfCode(): AttemptCode | undefined {
  return current?.getStore();
}
