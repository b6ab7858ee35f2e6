import type { Run } from '../../machines/run.ts';
import type { IdempotencyRow } from '../../store/rows.ts';
import type { Unit } from '../../store/writes.ts';
import { type Committed, committed } from './committed.ts';
import type { Reservation } from './dispatch.ts';
import type { Birth, Conditions, Envelope, Outcome } from './envelope.ts';
import type { RuntimeError } from './errors.ts';
import type { Hot } from './hot.ts';
import { brokenBy, refused, type StepContext, type Taken, takeMessage } from './take-message.ts';
import { type Draught, isEmpty, joined } from './write.ts';

export interface TurnContext extends Omit<StepContext, 'slots'> {
  /** Slots for the in-process work that a turn begins. */
  readonly reserve: () => Reservation;
  /** Who does the in-process work of an execution after a commit of this runtime, given who did before it. */
  readonly ownerAfter: (executionId: string, owner: string | null) => string;
}

/** The steps of one execution that share a commit. */
export interface Turn {
  readonly taken: readonly Envelope[];
  /** One per envelope; an `Error` is what its sender gets. */
  readonly outcomes: readonly (Outcome | Error)[];
  /** Null when there is nothing to write. */
  readonly unit: Unit | null;
  /** The execution itself, then children born in the same unit. */
  readonly commits: readonly Committed[];
  /** Why the execution is corrupt; null = it is not. */
  readonly corrupt: RuntimeError | null;
  /** Taken for what begins with the commit; to be released once that has begun, or will not. */
  readonly slots: Reservation;
}

/** Event data of one execution in one commit, beyond which its other messages wait for the next commit. */
const TURN_BYTES = 4 * 1024 * 1024;

const UNKNOWN: Outcome = { refused: 'unknown', nodes: [] };
const STALE: Outcome = { refused: 'stale', nodes: [] };

/**
 * Steps messages of one execution, in order, from the front of `queue`, which it shortens: the first, and then as long as `more`
 * says so. Touches nothing else: a failed commit is forgotten by dropping the turn. Never throws: whatever goes wrong in the steps of an
 * execution, or while their writes are built, is told in the turn and ends that execution alone.
 */
export function takeTurn(
  id: string,
  queue: Envelope[],
  before: Hot | null,
  more: (taken: number) => boolean,
  nowMs: number,
  context: TurnContext,
): Turn {
  const taken: Envelope[] = [];
  const slots = context.reserve();
  try {
    return { ...takeAll(id, queue, before, more, nowMs, { ...context, slots }, taken), slots };
  } catch (cause) {
    const corrupt = brokenBy(id, cause);
    return { taken, outcomes: taken.map(() => corrupt), unit: null, commits: [], corrupt, slots };
  }
}

function takeAll(
  id: string,
  queue: Envelope[],
  before: Hot | null,
  more: (taken: number) => boolean,
  nowMs: number,
  context: TurnContext & StepContext,
  taken: Envelope[],
): Omit<Turn, 'slots'> {
  const outcomes: (Outcome | Error)[] = [];
  const children: Committed[] = [];
  const draughts: Draught[] = [];
  const owner = context.ownerAfter(id, before?.owner ?? null);
  let base: Hot | Birth | null = before;
  let run: Run | null = before?.run ?? null;
  let idempotency: IdempotencyRow | null = null;
  let revives = false;
  let corrupt: RuntimeError | null = null;
  let logBytes = 0;
  while (taken.length === 0 || (logBytes < TURN_BYTES && more(taken.length))) {
    const envelope = queue[0];
    // A unit remembers one request.
    if (envelope === undefined || (idempotency !== null && envelope.draft.remember !== undefined)) break;
    queue.shift();
    taken.push(envelope);
    if (envelope.birth !== null) base = envelope.birth;
    const { conditions, remember, revived } = envelope.draft;
    const isRevived = revived !== undefined && run?.seq === revived.seq;
    const from = isRevived ? revived : run;
    const step: Taken =
      base === null
        ? refused(UNKNOWN, conditions)
        : isAdopted(before, conditions, context)
          ? refused(STALE, conditions)
          : takeMessage({ id, base, owner, nowMs, context }, from, envelope);
    outcomes.push(step.outcome);
    draughts.push(...step.draughts);
    for (const draught of step.draughts) logBytes += draught.logBytes;
    corrupt ??= step.corrupt;
    if (step.run === null) continue;
    run = step.run;
    revives ||= isRevived;
    if (remember !== undefined && !(step.outcome instanceof Error || 'refused' in step.outcome)) {
      idempotency = remember(step.outcome);
    }
    if (step.child !== null) children.push(step.child);
  }
  const draught = joined(draughts);
  if (base === null || run === null || isEmpty(draught)) return { taken, outcomes, unit: null, commits: [], corrupt };
  const commits = [committed(id, before, base, run, draught, revives, owner, nowMs), ...children];
  return { taken, outcomes, unit: { executions: commits.map((commit) => commit.write), idempotency }, commits, corrupt };
}

/** Somebody else has taken over what the message's sender thinks nobody does. */
function isAdopted(before: Hot | null, conditions: Conditions | undefined, { runtimeId }: TurnContext): boolean {
  if (conditions?.orphanOf === undefined || before === null) return false;
  return before.owner !== conditions.orphanOf && before.owner !== runtimeId;
}
