import { type Run, TERMINAL } from '../../../../machines/run.ts';
import { save } from '../../../../machines/step/index.ts';
import type { CheckpointWrite } from '../../../../store/port/commit.ts';
import type { Checkpoint } from '../loading/cached-execution.ts';

/** An execution that ends after more events than this gets a checkpoint, so that reading it replays fewer. */
const MAX_EVENTS_AFTER_LAST = 200;

/** The events of a commit, as far as checkpoints depend on them. */
export interface CommittedEvents {
  /** Bytes of their data. */
  readonly bytes: number;
  /** Sequence of the first failure that a retry among them has reset; null = there is none. */
  readonly firstReset: number | null;
}

export interface NextCheckpoint {
  /** Null = the commit stores none. */
  readonly write: CheckpointWrite | null;
  /** After the commit. */
  readonly checkpoint: Checkpoint;
}

/**
 * Decides whether a commit stores a checkpoint: when the log since the last one is larger than the snapshot, and than
 * `minLogBytes`. Loading replays the events since. So a step writes what it adds, and most executions have no checkpoint at all.
 * None from between a failure and the retry that reset it is kept, because replays leave the failure out.
 */
export function nextCheckpoint(
  last: Checkpoint,
  run: Run,
  { bytes, firstReset }: CommittedEvents,
  minLogBytes: number,
): NextCheckpoint {
  const logBytes = last.logBytes + bytes;
  const isLastInvalid = last.isUnusable === true || (firstReset !== null && firstReset <= last.seq);
  const isLongAfterEnd = TERMINAL.has(run.status) && run.seq - last.seq > MAX_EVENTS_AFTER_LAST;
  const isNeeded = isLastInvalid || isLongAfterEnd || minLogBytes === 0;
  if (!isNeeded && logBytes <= Math.max(minLogBytes, last.bytes)) return { write: null, checkpoint: { ...last, logBytes } };
  const text = save(run);
  if (!isNeeded && logBytes <= text.length) return { write: null, checkpoint: { ...last, bytes: text.length, logBytes } };
  return {
    write: { text, replacesFrom: replacedFrom(last, firstReset) },
    checkpoint: { seq: run.seq, bytes: text.length, logBytes: 0 },
  };
}

function replacedFrom({ seq, isUnusable }: Checkpoint, firstReset: number | null): number | null {
  if (isUnusable === true) return 1;
  return seq === 0 ? null : Math.min(seq, firstReset ?? seq);
}
