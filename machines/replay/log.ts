import type { LogEvent } from '../events/index.ts';

/** The history is not deterministic: the log was not written by this program, or has been changed. */
export class LogMismatch extends Error {
  readonly code = 'log_mismatch';
  readonly sequence: number;

  constructor(sequence: number, problem: string) {
    super(`event ${sequence}: ${problem}`);
    this.name = 'LogMismatch';
    this.sequence = sequence;
  }
}

export type TimedEvent = LogEvent & { readonly at_ms: number };
