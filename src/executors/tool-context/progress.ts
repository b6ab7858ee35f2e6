import { fitted } from '../../../machines/shortened.ts';
import { toStorableText } from '../../../machines/unicode.ts';
import { WorkError } from '../executor.ts';

/** How far an attempt is, as it last said. */
export interface Progress {
  /** From 0 to 1; null = not said. */
  readonly fraction: number | null;
  /** Null = not said. */
  readonly text: string | null;
}

/** Longest text, in UTF-16 code units: it is shown on a line. */
export const MAX_PROGRESS_TEXT = 200;
/** What sums of floating-point numbers may exceed 1 by. */
const TOLERANCE = 1e-6;

/**
 * The progress after a tool has said a number from 0 to 1 or a text: the other one stays. Throws a `WorkError` that is not retried for
 * anything else, e.g. a percentage.
 */
export function nextProgress(before: Progress | null, said: unknown): Progress {
  const { fraction, text } = before ?? { fraction: null, text: null };
  if (typeof said === 'string') return { fraction, text: fitted(toStorableText(said), MAX_PROGRESS_TEXT) };
  if (typeof said === 'number' && said >= 0 && said <= 1 + TOLERANCE) return { fraction: Math.min(said, 1), text };
  const given = typeof said === 'number' ? String(said) : `a value of type ${said === null ? 'null' : typeof said}`;
  throw new WorkError(`progress: expected a number from 0 to 1 or a text, not ${given}`, {
    retryable: false,
    errorClass: 'validation',
  });
}
