import { type Run, TERMINAL } from '../../../../machines/run.ts';
import { save } from '../../../../machines/step/index.ts';
import type { CheckpointWrite } from '../../../../store/port/commit.ts';
import { type Checkpoint, NO_CHECKPOINT } from '../loading/cached-execution.ts';

/** Of an ended execution, at most so many events are replayed: a shorter log needs no checkpoint any more, a longer one may need one at its end. */
const MAX_EVENTS_AFTER_LAST = 200;

/** Checkpoints that are kept have at least so many events between them: replaying them takes less than 0.1 s. */
export const MIN_EVENTS_BETWEEN_KEPT = 4096;
/**
 * And at least so many bytes of log, for each byte of the later one: the kept checkpoints are at most 4 % of the log. An event takes 100 bytes
 * or more.
 */
const MIN_LOG_RATIO = 25;
const MIN_EVENT_BYTES = 100;

/** The events of a commit, as far as checkpoints depend on them. */
export interface CommittedEvents {
  /** Bytes of their data. */
  readonly bytes: number;
  /** Sequence of the first failure that a retry among them has reset; null = there is none. */
  readonly firstReset: number | null;
  /** Do they end the execution because it could not be stepped? Then its log may not replay, and it is read from a checkpoint. */
  readonly isCorrupt: boolean;
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
 * It replaces the last one, unless that is kept to read the execution as it was. An execution that ends with a short log keeps none. None from between a failure and the retry that
 * reset it is kept, because replays leave the failure out.
 */
export function nextCheckpoint(
  last: Checkpoint,
  run: Run,
  { bytes, firstReset, isCorrupt }: CommittedEvents,
  minLogBytes: number,
): NextCheckpoint {
  const isEnded = TERMINAL.has(run.status);
  if (isEnded && run.seq <= MAX_EVENTS_AFTER_LAST && !isCorrupt && minLogBytes > 0) return withoutCheckpoint(last, bytes);
  const logBytes = last.logBytes + bytes;
  const isLastInvalid = last.isUnusable === true || (firstReset !== null && firstReset <= last.seq);
  const isLongAfterEnd = isEnded && run.seq - last.seq > MAX_EVENTS_AFTER_LAST;
  const isNeeded = isLastInvalid || isLongAfterEnd || isCorrupt || minLogBytes === 0;
  if (!isNeeded && logBytes <= Math.max(minLogBytes, last.bytes)) return { write: null, checkpoint: { ...last, logBytes } };
  const text = save(run);
  if (!isNeeded && logBytes <= text.length) return { write: null, checkpoint: { ...last, bytes: text.length, logBytes } };
  const replacesFrom = replacedFrom(last, firstReset);
  return {
    write: { text, replacesFrom },
    checkpoint: { seq: run.seq, keptSeq: keptBefore(last, replacesFrom), bytes: text.length, logBytes: 0 },
  };
}

function withoutCheckpoint(last: Checkpoint, bytes: number): NextCheckpoint {
  const checkpoint = { ...NO_CHECKPOINT, bytes: last.bytes, logBytes: last.logBytes + bytes };
  return { write: last.seq === 0 ? null : { text: null, replacesFrom: 1 }, checkpoint };
}

/** Where the checkpoints begin that the next one replaces; null = it replaces none. */
function replacedFrom(last: Checkpoint, firstReset: number | null): number | null {
  const { seq, keptSeq, bytes } = last;
  if (last.isUnusable === true) return 1;
  if (firstReset !== null && firstReset <= seq) return firstReset;
  const minEvents = Math.max(MIN_EVENTS_BETWEEN_KEPT, (bytes * MIN_LOG_RATIO) / MIN_EVENT_BYTES);
  return seq - keptSeq >= minEvents || seq === 0 ? null : seq;
}

function keptBefore({ seq, keptSeq }: Checkpoint, replacesFrom: number | null): number {
  if (replacesFrom === null) return seq;
  // Earlier ones may be kept: then the next one is kept early.
  return keptSeq < replacesFrom ? keptSeq : 0;
}
