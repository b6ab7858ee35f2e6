import { type Run, TERMINAL } from '../../../../machines/run.ts';
import { save } from '../../../../machines/step/index.ts';
import type { Checkpoint } from '../loading/execution-cache.ts';

/** A snapshot up to this size is written with every commit. */
const SMALL_BYTES = 4096;

/**
 * Decides whether a commit stores the snapshot. A large one is stored only when the log since the last has grown to its
 * size, or when the execution parks or ends, so that a step writes what it adds and not a megabyte; loading folds the tail.
 */
export function nextCheckpoint(
  last: Checkpoint | null,
  run: Run,
  logBytes: number,
): { readonly text: string | null; readonly checkpoint: Checkpoint } {
  const since = (last?.logBytes ?? 0) + logBytes;
  const due =
    last === null || last.bytes <= SMALL_BYTES || since >= last.bytes || run.status === 'paused' || TERMINAL.has(run.status);
  if (!due) return { text: null, checkpoint: { ...last, logBytes: since } };
  const text = save(run);
  return { text, checkpoint: { seq: run.seq, bytes: text.length, logBytes: 0 } };
}
