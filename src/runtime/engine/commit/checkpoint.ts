import { type Run, TERMINAL } from '../../../../machines/run.ts';
import { save } from '../../../../machines/step/index.ts';
import type { Checkpoint } from '../loading/cached-execution.ts';

/** A snapshot up to this size is written with every commit. */
const SMALL_BYTES = 4096;

/**
 * Decides whether a commit stores the snapshot. A large snapshot is stored only when the log since the last one has grown to its
 * size, or when the execution is paused or ends, so that a step writes what it adds and not a megabyte. Loading replays the
 * events since.
 */
export function nextCheckpoint(
  last: Checkpoint | null,
  run: Run,
  logBytes: number,
): { readonly text: string | null; readonly checkpoint: Checkpoint } {
  const since = (last?.logBytes ?? 0) + logBytes;
  const isDue =
    last === null || last.bytes <= SMALL_BYTES || since >= last.bytes || run.status === 'paused' || TERMINAL.has(run.status);
  if (!isDue) return { text: null, checkpoint: { ...last, logBytes: since } };
  const text = save(run);
  return { text, checkpoint: { seq: run.seq, bytes: text.length, logBytes: 0 } };
}
