import type { LRUCache } from 'lru-cache';
import { fold } from '../../machines/fold.ts';
import type { Message } from '../../machines/messages.ts';
import type { Effect, Run, StepEnv, Stepped } from '../../machines/run.ts';
import { load, start, step } from '../../machines/step.ts';
import type { ExecutionRow, ExecutionWrite, Refusal, Store, Unit } from '../../store/store.ts';
import { nextCheckpoint } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import type { Birth, Draft, Envelope, Outcome } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Hot } from './hot.ts';
import type { Ids } from './ids.ts';
import { readInput, readTail } from './log.ts';
import type { Programs } from './programs.ts';
import { addConditions, addEffects, addEvents, type Draught, emptyDraught, headOf } from './write.ts';

/** Messages one commit takes of one execution, and executions it takes: bounds the time between two turns of the event loop. */
const MESSAGES_PER_TURN = 64;
const BOXES_PER_TURN = 512;
/** How often a step is redone because the stored execution had moved on. */
const MAX_CONFLICTS = 8;

export interface LoopOptions {
  readonly store: Store;
  readonly programs: Programs;
  readonly hot: LRUCache<string, Hot>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly runtimeId: string;
  readonly stepLimit: number;
  readonly vars: Readonly<Record<string, string>>;
  /** Called for every applied execution after its commit, in the order of the batch. */
  readonly committed: (commit: Committed) => void;
}

/** What a commit did to one execution. */
export interface Committed {
  readonly before: Hot | null;
  readonly now: Hot;
  readonly write: ExecutionWrite;
  /** Effects in order, each with the run of the step that asked for it. */
  readonly effects: readonly { readonly effect: Effect; readonly run: Run }[];
}

/** The mailbox of one execution. */
interface Box {
  readonly id: string;
  queue: Envelope[];
  state: 'idle' | 'loading' | 'ready' | 'committing';
  /** After a refusal the messages go one by one, so that only the one at fault is refused. */
  oneByOne: boolean;
  conflicts: number;
}

/** The steps of one box in one turn, not yet committed. */
interface Turn {
  readonly box: Box;
  readonly before: Hot | null;
  readonly taken: Envelope[];
  readonly outcomes: Outcome[];
  readonly unit: Unit | null;
  readonly commits: Committed[];
}

/**
 * The only loop: message → mailbox of its execution → load → step → batch → commit → reply, publish, dispatch.
 * Everything that is ready in one turn of the event loop shares one transaction; replies wait for it.
 */
export class Loop {
  readonly #options: LoopOptions;
  readonly #boxes = new Map<string, Box>();
  #ready: Box[] = [];
  #scheduled = false;
  #committing = false;
  #pending = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Messages that wait for their commit. */
  get pending(): number {
    return this.#pending;
  }

  /** Stores a new execution and takes its first step. */
  begin(birth: Birth, draft: Draft): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#post(birth.id, { ...draft, birth, message: null, resolve, reject }));
  }

  /** Delivers a message; resolves after the commit that holds its effects, or with why it was refused. */
  send(executionId: string, message: Message, draft: Draft, child?: Birth): Promise<Outcome> {
    return new Promise((resolve, reject) =>
      this.#post(executionId, { ...draft, birth: null, message, resolve, reject, ...(child === undefined ? {} : { child }) }),
    );
  }

  /** Resolves when no message is waiting any more. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #post(id: string, envelope: Envelope): void {
    let box = this.#boxes.get(id);
    if (box === undefined) {
      box = { id, queue: [], state: 'idle', oneByOne: false, conflicts: 0 };
      this.#boxes.set(id, box);
    }
    this.#pending += 1;
    box.queue.push(envelope);
    if (box.state === 'idle') this.#rouse(box);
  }

  /** Makes an idle box with messages ready, loading its execution first if it is not in memory. */
  #rouse(box: Box): void {
    const first = box.queue[0];
    if (first === undefined) {
      box.state = 'idle';
      this.#boxes.delete(box.id);
      return;
    }
    if (first.birth !== null || this.#options.hot.has(box.id)) {
      box.state = 'ready';
      this.#ready.push(box);
      this.#schedule();
      return;
    }
    box.state = 'loading';
    this.#load(box.id).then(
      (hot) => {
        box.state = 'idle';
        if (hot !== null) this.#options.hot.set(box.id, hot);
        if (hot === null) this.#answerAll(box, { refused: 'unknown', nodes: [] });
        else if (this.#options.hot.has(box.id)) this.#rouse(box);
        else
          this.#rejectAll(
            box,
            new RuntimeError('corrupt', `execution ${box.id} is larger than the memory set aside for hot executions`),
          );
      },
      (error: unknown) => {
        box.state = 'idle';
        this.#rejectAll(box, error);
      },
    );
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing || this.#ready.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#turn();
    });
  }

  async #turn(): Promise<void> {
    const boxes = this.#ready.length <= BOXES_PER_TURN ? this.#ready : this.#ready.slice(0, BOXES_PER_TURN);
    this.#ready = this.#ready.slice(boxes.length);
    const nowMs = this.#options.clock.nowMs();
    const turns: Turn[] = [];
    const units: Unit[] = [];
    for (const box of boxes) {
      box.state = 'committing';
      const turn = this.#take(box, nowMs);
      turns.push(turn);
      if (turn.unit !== null) units.push(turn.unit);
    }
    this.#committing = true;
    let refusals: readonly (Refusal | null)[] = [];
    let failure: unknown = null;
    try {
      if (units.length > 0) refusals = await this.#options.store.commit({ atMs: nowMs, units });
    } catch (error) {
      failure = error ?? new Error('commit failed');
    }
    this.#committing = false;
    let next = 0;
    for (const turn of turns) {
      const refusal = turn.unit === null ? null : (refusals[next++] ?? null);
      if (failure !== null && turn.unit !== null) this.#failed(turn, failure);
      else if (refusal !== null) this.#refused(turn, refusal);
      else this.#applied(turn);
    }
    this.#schedule();
    if (this.#pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Steps the messages of one box, without touching anything that outlives a failed commit. */
  #take(box: Box, nowMs: number): Turn {
    const before = this.#options.hot.get(box.id) ?? null;
    const taken: Envelope[] = [];
    const outcomes: Outcome[] = [];
    const births: ExecutionWrite[] = [];
    const commits: Committed[] = [];
    const effects: { effect: Effect; run: Run }[] = [];
    const draught = emptyDraught();
    let base: Hot | Birth | null = before;
    let run: Run | null = before?.run ?? null;
    let remembered: Unit['idempotency'] = null;
    const limit = box.oneByOne ? 1 : MESSAGES_PER_TURN;
    while (taken.length < limit) {
      const envelope = box.queue[0];
      if (envelope === undefined || (remembered !== null && envelope.remember !== undefined)) break;
      box.queue.shift();
      taken.push(envelope);
      if (envelope.birth !== null) base = envelope.birth;
      if (base === null) {
        outcomes.push({ refused: 'unknown', nodes: [] });
        continue;
      }
      const env = this.#env(box.id, base, nowMs);
      const outcome = this.#step(envelope, base, run, env);
      if (outcome instanceof Error) {
        outcomes.push({ refused: 'unknown', nodes: [] });
        envelope.reject(outcome);
        continue;
      }
      outcomes.push(outcome);
      if (envelope.conditions?.consume !== undefined) draught.consumed.push(envelope.conditions.consume);
      if ('refused' in outcome) {
        if (envelope.conditions?.always === true) addConditions(draught, envelope.conditions, []);
        continue;
      }
      addConditions(draught, envelope.conditions, outcome.events);
      addEvents(draught, outcome.events, envelope.origin, nowMs);
      run = outcome.run;
      addEffects(draught, outcome.effects, {
        executionId: box.id,
        loaded: base.loaded,
        run,
        nowMs,
        ids: this.#options.ids,
        vars: this.#options.vars,
      });
      for (const effect of outcome.effects) effects.push({ effect, run });
      if (envelope.remember !== undefined) remembered = envelope.remember(outcome);
      if (envelope.birth === null && envelope.child !== undefined) {
        const child = this.#bear(envelope.child, envelope, nowMs);
        births.push(child.write);
        commits.push(child);
      }
    }
    if (base === null || run === null || isEmpty(draught)) {
      return { box, before, taken, outcomes, unit: null, commits: [] };
    }
    const commit = this.#committed(box.id, before, base, run, draught, effects, nowMs);
    return {
      box,
      before,
      taken,
      outcomes,
      unit: { executions: [commit.write, ...births], idempotency: remembered },
      commits: [commit, ...commits],
    };
  }

  #step(envelope: Envelope, base: Hot | Birth, run: Run | null, env: StepEnv): Outcome | Error {
    try {
      if (envelope.birth !== null) return start(base.loaded.program, envelope.birth.input, env);
      if (run === null) return { refused: 'unknown', nodes: [] };
      return step(base.loaded.program, run, envelope.message, env);
    } catch (cause) {
      return new RuntimeError(
        'corrupt',
        `execution ${env.executionId} cannot be stepped: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  /** A child's first step, in its parent's unit. */
  #bear(birth: Birth, draft: Draft, nowMs: number): Committed {
    const first: Stepped = start(birth.loaded.program, birth.input, this.#env(birth.id, birth, nowMs));
    const draught = emptyDraught();
    addEvents(draught, first.events, draft.origin, nowMs);
    addEffects(draught, first.effects, {
      executionId: birth.id,
      loaded: birth.loaded,
      run: first.run,
      nowMs,
      ids: this.#options.ids,
      vars: this.#options.vars,
    });
    const effects = first.effects.map((effect) => ({ effect, run: first.run }));
    return this.#committed(birth.id, null, birth, first.run, draught, effects, nowMs);
  }

  #committed(
    id: string,
    before: Hot | null,
    base: Hot | Birth,
    run: Run,
    draught: Draught,
    effects: Committed['effects'],
    nowMs: number,
  ): Committed {
    const { text, checkpoint } = nextCheckpoint(before?.checkpoint ?? null, run, draught.logBytes);
    const head = headOf(run, this.#options.runtimeId, nowMs);
    const { loaded, tenantId, workflowId, workflowVersion, revision, labels, parentId, depth, deadlineAtMs, createdAtMs } = base;
    const birth = { workflowId, workflowVersion, revision, labels, parentId, depth, deadlineAtMs, createdAtMs };
    const now: Hot = { id, tenantId, loaded, run, checkpoint, ...birth, updatedAtMs: nowMs, completedAtMs: head.completedAtMs };
    const news = parentNews(before, now);
    const { events, timers, work, send, consumed } = draught;
    const write: ExecutionWrite = {
      id,
      tenantId,
      fromSeq: before?.run.seq ?? 0,
      create: before === null ? birth : null,
      head,
      snapshot: text,
      events,
      timers,
      work,
      send: news === null ? send : [...send, news],
      consumed,
    };
    return { before, now, write, effects };
  }

  #env(executionId: string, base: Hot | Birth, nowMs: number): StepEnv {
    const { runtimeId, stepLimit, vars } = this.#options;
    return { executionId, nowMs, stepLimit, runtimeId, isLocal: base.loaded.isLocal, vars };
  }

  #applied(turn: Turn): void {
    turn.box.conflicts = 0;
    for (const commit of turn.commits) this.#options.hot.set(commit.now.id, commit.now);
    turn.taken.forEach((envelope, i) => {
      const outcome = turn.outcomes[i];
      if (outcome !== undefined) envelope.resolve(outcome);
    });
    this.#pending -= turn.taken.length;
    for (const commit of turn.commits) this.#options.committed(commit);
    if (turn.box.oneByOne && turn.box.queue.length === 0) turn.box.oneByOne = false;
    turn.box.state = 'idle';
    this.#rouse(turn.box);
  }

  #refused(turn: Turn, refusal: Refusal): void {
    const { box, taken } = turn;
    const only = taken[0];
    this.#options.hot.delete(box.id);
    if (refusal.reason !== 'sequence' && taken.length === 1 && only !== undefined) {
      this.#pending -= 1;
      only.resolve({ refused: refusal.reason === 'timer' || refusal.reason === 'inbox' ? 'stale' : refusal.reason, nodes: [] });
    } else if (refusal.reason === 'sequence' && ++box.conflicts > MAX_CONFLICTS) {
      this.#pending -= taken.length;
      for (const envelope of taken)
        envelope.reject(new RuntimeError('overloaded', `execution ${box.id} is changing too fast`, { retryAfterMs: 1000 }));
      box.conflicts = 0;
    } else {
      box.oneByOne = refusal.reason !== 'sequence';
      box.queue = [...taken, ...box.queue];
    }
    box.state = 'idle';
    this.#rouse(box);
  }

  /** Nothing was applied: callers are told, memory is forgotten. */
  #failed(turn: Turn, error: unknown): void {
    this.#options.hot.delete(turn.box.id);
    this.#pending -= turn.taken.length;
    for (const envelope of turn.taken) envelope.reject(error);
    turn.box.state = 'idle';
    this.#rouse(turn.box);
  }

  #answerAll(box: Box, outcome: Outcome): void {
    const envelopes = box.queue.splice(0);
    this.#pending -= envelopes.length;
    for (const envelope of envelopes) envelope.resolve(outcome);
    this.#rouse(box);
  }

  #rejectAll(box: Box, error: unknown): void {
    const envelopes = box.queue.splice(0);
    this.#pending -= envelopes.length;
    for (const envelope of envelopes) envelope.reject(error);
    this.#rouse(box);
  }

  /** From the stored checkpoint and the log's tail. Null = unknown execution. */
  async #load(id: string): Promise<Hot | null> {
    const row = await this.#options.store.execution(id);
    return row === null ? null : loadHot(this.#options, row);
  }
}

function isEmpty(draught: Draught): boolean {
  return draught.events.length === 0 && draught.consumed.length === 0 && draught.timers.length === 0 && draught.work.length === 0;
}

/** The child's news for its parent, when its status has changed. */
function parentNews(before: Hot | null, now: Hot): ExecutionWrite['send'][number] | null {
  if (now.parentId === null || (before?.run.status ?? 'running') === now.run.status) return null;
  return {
    toExecutionId: now.parentId,
    message: JSON.stringify({ type: 'child_status', childId: now.id, status: now.run.status }),
  };
}

/** Brings a stored execution into memory. Throws `corrupt` when its log does not fold. */
export async function loadHot(
  options: Pick<LoopOptions, 'store' | 'programs' | 'runtimeId' | 'stepLimit'>,
  row: ExecutionRow,
): Promise<Hot> {
  const { store, programs, runtimeId, stepLimit } = options;
  const loaded = await programs.load(row.tenantId, row.revision);
  const input = await readInput(store, row.id);
  const stored = await store.checkpoint(row.id);
  const env = { executionId: row.id, stepLimit, runtimeId };
  const bytes = stored?.text.length ?? 0;
  let run = stored === null ? null : load(loaded.program, stored.text, { seq: stored.seq, input });
  let logBytes = 0;
  if (run === null || run.seq < row.seq) {
    const tail = await readTail(store, row.id, run?.seq ?? 0, row.seq);
    logBytes = tail.bytes;
    run = fold(loaded.program, run, tail.events, env);
  }
  const {
    id,
    tenantId,
    workflowId,
    workflowVersion,
    revision,
    labels,
    parentId,
    depth,
    deadlineAtMs,
    createdAtMs,
    updatedAtMs,
    completedAtMs,
  } = row;
  const head = {
    workflowId,
    workflowVersion,
    revision,
    labels,
    parentId,
    depth,
    deadlineAtMs,
    createdAtMs,
    updatedAtMs,
    completedAtMs,
  };
  return { id, tenantId, loaded, run, checkpoint: { seq: stored?.seq ?? 0, bytes, logBytes }, ...head };
}
