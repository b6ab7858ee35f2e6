import type { Effect, Run, StepEnv } from '../../machines/run.ts';
import { start, step } from '../../machines/step.ts';
import type { IdempotencyRow } from '../../store/rows.ts';
import type { ExecutionWrite, Unit } from '../../store/writes.ts';
import { timeoutFrom } from './birth.ts';
import { nextCheckpoint } from './checkpoint.ts';
import type { Birth, Conditions, Draft, Envelope, Outcome } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Hot } from './hot.ts';
import type { Ids } from './ids.ts';
import { monthOf } from './quotas/month.ts';
import { addConditions, addEffects, addEvents, addPast, type Draught, emptyDraught, headOf, isEmpty } from './write.ts';

export interface TurnContext {
  readonly ids: Ids;
  readonly runtimeId: string;
  /** Who does the in-process work of an execution after a commit of this runtime, given who did before it. */
  readonly ownerAfter: (executionId: string, owner: string | null) => string;
  readonly stepLimit: number;
  /** Outputs larger than this are kept apart from the log; 0 = none. */
  readonly artifactThresholdBytes: number;
  readonly vars: Readonly<Record<string, string>>;
}

/** What a commit does to one execution. */
export interface Committed {
  readonly before: Hot | null;
  readonly now: Hot;
  readonly write: ExecutionWrite;
  /** Effects in order, each with the run of the step that asked for it. */
  readonly effects: readonly { readonly effect: Effect; readonly run: Run }[];
  /** What the steps could not evaluate, e.g. a condition: worth telling, but no part of the log. */
  readonly diagnostics: readonly string[];
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
}

const UNKNOWN: Outcome = { refused: 'unknown', nodes: [] };
const STALE: Outcome = { refused: 'stale', nodes: [] };

/**
 * Steps messages of one execution, in order, from the front of `queue`, which it shortens: the first, and then as long as `more`
 * says so. Touches nothing else: a failed
 * commit is forgotten by dropping the turn.
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
  const outcomes: (Outcome | Error)[] = [];
  const children: Committed[] = [];
  const draught = emptyDraught();
  const owner = context.ownerAfter(id, before?.owner ?? null);
  let base: Hot | Birth | null = before;
  let run: Run | null = before?.run ?? null;
  let idempotency: IdempotencyRow | null = null;
  let revives = false;
  while (taken.length === 0 || more(taken.length)) {
    const envelope = queue[0];
    // A unit remembers one request.
    if (envelope === undefined || (idempotency !== null && envelope.draft.remember !== undefined)) break;
    queue.shift();
    taken.push(envelope);
    if (envelope.birth !== null) base = envelope.birth;
    const { conditions, origin, put, remember, revived } = envelope.draft;
    const isRevived = revived !== undefined && run?.seq === revived.seq;
    const from = isRevived ? revived : run;
    const outcome: Outcome | Error =
      base === null
        ? UNKNOWN
        : isAdopted(before, conditions, context)
          ? STALE
          : stepOne(id, base, from, envelope, owner, nowMs, context);
    outcomes.push(outcome);
    if (conditions?.consume !== undefined) draught.consumed.push(conditions.consume);
    if (base === null || outcome instanceof Error || 'refused' in outcome) {
      if (conditions?.always === true) addConditions(draught, conditions, []);
      continue;
    }
    run = outcome.run;
    revives ||= isRevived;
    addConditions(draught, conditions, outcome.events);
    if (envelope.birth?.past !== undefined) addPast(draught, envelope.birth.past);
    addEvents(draught, outcome.events, origin, envelope.message, nowMs, context.artifactThresholdBytes);
    addEffects(draught, outcome.effects, {
      executionId: id,
      loaded: base.loaded,
      run,
      nowMs,
      ids: context.ids,
      vars: context.vars,
    });
    draught.diagnostics.push(...outcome.diagnostics);
    if (put !== undefined) draught.work.push({ op: 'put', item: put });
    if (remember !== undefined) idempotency = remember(outcome);
    if (envelope.child !== null) children.push(bear(envelope.child, envelope.draft, nowMs, context));
  }
  if (base === null || run === null || isEmpty(draught)) return { taken, outcomes, unit: null, commits: [] };
  const commits = [committed(id, before, base, run, draught, revives, owner, nowMs), ...children];
  return { taken, outcomes, unit: { executions: commits.map((commit) => commit.write), idempotency }, commits };
}

/** Somebody else has taken over what the message's sender thinks nobody does. */
function isAdopted(before: Hot | null, conditions: Conditions | undefined, { runtimeId }: TurnContext): boolean {
  if (conditions?.orphanOf === undefined || before === null) return false;
  return before.owner !== conditions.orphanOf && before.owner !== runtimeId;
}

function stepOne(
  id: string,
  base: Hot | Birth,
  run: Run | null,
  envelope: Envelope,
  owner: string,
  nowMs: number,
  context: TurnContext,
): Outcome | Error {
  const { program } = base.loaded;
  try {
    if (envelope.birth !== null) return begin(envelope.birth, envOf(id, base, owner, nowMs, context));
    return run === null ? UNKNOWN : step(program, run, envelope.message, envOf(id, base, owner, nowMs, context));
  } catch (cause) {
    return new RuntimeError(
      'corrupt',
      `execution ${id} cannot be stepped: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** The first step of an execution; a fork's goes on from where another execution's log leads to. */
function begin({ loaded, input, past }: Birth, env: StepEnv): Outcome {
  return past === undefined ? start(loaded.program, input, env) : step(loaded.program, past.run, past.message, env);
}

/** A child's first step, in its parent's unit. */
function bear(birth: Birth, draft: Draft, nowMs: number, context: TurnContext): Committed {
  const { runtimeId } = context;
  const env = envOf(birth.id, birth, runtimeId, nowMs, context);
  const { run, events, effects, diagnostics } = start(birth.loaded.program, birth.input, env);
  const draught = emptyDraught();
  addEvents(draught, events, draft.origin, null, nowMs, context.artifactThresholdBytes);
  addEffects(draught, effects, { executionId: birth.id, loaded: birth.loaded, run, nowMs, ids: context.ids, vars: context.vars });
  draught.diagnostics.push(...diagnostics);
  return committed(birth.id, null, birth, run, draught, false, runtimeId, nowMs);
}

function committed(
  id: string,
  before: Hot | null,
  base: Hot | Birth,
  run: Run,
  draught: Draught,
  revives: boolean,
  owner: string,
  nowMs: number,
): Committed {
  // What a retry forgave can be folded from the start alone, so none must ever load from a checkpoint before it.
  const { text, checkpoint } = nextCheckpoint(revives ? null : (before?.checkpoint ?? null), run, draught.logBytes);
  const head = headOf(run, owner, nowMs);
  const { loaded, tenantId, workflowId, workflowVersion, revision, labels, parentId, depth, createdAtMs } = base;
  const deadlineAtMs = revives ? timeoutFrom(nowMs, loaded) : base.deadlineAtMs;
  const birth = { workflowId, workflowVersion, revision, labels, parentId, depth, deadlineAtMs, createdAtMs };
  const now: Hot = {
    id,
    tenantId,
    loaded,
    run,
    checkpoint,
    ...birth,
    owner: head.owner,
    updatedAtMs: nowMs,
    completedAtMs: head.completedAtMs,
  };
  const news = parentNews(before, now);
  const { events, timers, work, send, consumed, used, spilled } = draught;
  const write: ExecutionWrite = {
    id,
    tenantId,
    fromSeq: before?.run.seq ?? 0,
    create: before === null ? birth : null,
    ...(revives ? { revive: { deadlineAtMs } } : {}),
    head,
    snapshot: text,
    events,
    timers,
    work,
    send: news === null ? send : [...send, news],
    consumed,
    usage: used === null ? null : { month: monthOf(nowMs), ...used },
    ...(spilled.length === 0 ? {} : { spilled }),
  };
  return { before, now, write, effects: draught.effects, diagnostics: draught.diagnostics };
}

function envOf(executionId: string, base: Hot | Birth, owner: string, nowMs: number, { stepLimit, vars }: TurnContext): StepEnv {
  return { executionId, nowMs, stepLimit, runtimeId: owner, isLocal: base.loaded.isLocal, vars };
}

/** A child's news for its parent, when its status has changed. The first step counts as a change unless it leaves the child running. */
function parentNews(before: Hot | null, now: Hot): ExecutionWrite['send'][number] | null {
  if (now.parentId === null || (before?.run.status ?? 'running') === now.run.status) return null;
  return {
    toExecutionId: now.parentId,
    message: JSON.stringify({ type: 'child_status', childId: now.id, status: now.run.status }),
  };
}
