import type { LRUCache } from 'lru-cache';
import type { Message } from '../../../machines/messages.ts';
import type { CommitRejection, CommitUnit } from '../../../store/port/commit.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { Clock } from '../clock.ts';
import { RuntimeError } from '../errors.ts';
import { type CommitResult, commitBisecting } from './commit/commit-bisecting.ts';
import type { ExecutionCommit } from './commit/execution-commit.ts';
import type { Envelope, ExecutionStart, MessageOptions, MessageOutcome } from './envelope.ts';
import type { CachedExecution } from './loading/execution-cache.ts';
import { type LoadDeps, loadExecution } from './loading/load-execution.ts';
import { Mailbox } from './mailbox.ts';
import { ReadyQueue } from './ready-queue.ts';
import { type StepBatch, type StepBatchDeps, stepMailbox } from './step-mailbox.ts';

/** Messages one commit takes of one execution, and executions it takes. */
const MAX_MESSAGES_PER_EXECUTION = 64;
const MAX_EXECUTIONS_PER_BATCH = 512;
/** After so much stepping the rest waits for the next turn of the event loop: a step of a very wide fan-out takes milliseconds. */
const MAX_STEPPING_MS = 50;
/** How often a step is redone because the stored execution had moved on. */
const MAX_CONFLICTS = 8;

export interface EngineOptions extends LoadDeps, StepBatchDeps {
  readonly hot: LRUCache<string, CachedExecution>;
  readonly clock: Clock;
  /** Does no other runtime work on the database? */
  readonly isAlone: () => boolean;
  /** Called for every execution after the commit, in the order of the batch. */
  readonly committed: (commit: ExecutionCommit) => void;
  /** Told of each execution that a step has shown to be corrupt, and that has ended for it. */
  readonly ended: (executionId: string, error: RuntimeError) => void;
  readonly failed: (error: unknown) => void;
  /** Called after a commit that failed, when it is not known whether the store has made it all the same. */
  readonly uncertain: () => void;
  /** Called after a commit that the store could not make. */
  readonly storeFailed: () => void;
}

/**
 * The only loop: message → mailbox of its execution → load → step → batch → commit → reply, publish, dispatch.
 * Everything that is ready in one turn of the event loop shares one transaction; replies wait for it. When there is more than one turn
 * holds, tenants have their turns one after the other, and what is urgent goes first.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #ready = new ReadyQueue<Mailbox>();
  #scheduled = false;
  #committing = false;
  /** Those who want no commit for a while. */
  #commitHolds = 0;
  #pending = 0;
  #whenIdle: (() => void)[] = [];
  #whenCommitted: (() => void)[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** Messages that wait for their commit. */
  get pending(): number {
    return this.#pending;
  }

  /** Stores a new execution and takes its first step. */
  startExecution(birth: ExecutionStart, draft: MessageOptions): Promise<MessageOutcome> {
    return new Promise((resolve, reject) =>
      this.#enqueue(birth.id, { birth, message: null, child: null, options: draft, resolve, reject }),
    );
  }

  /**
   * Delivers a message; resolves after the commit that holds its effects, or with why it was refused. `child` is created in
   * the same unit, if the step takes the message.
   */
  send(
    executionId: string,
    message: Message,
    draft: MessageOptions,
    child: ExecutionStart | null = null,
  ): Promise<MessageOutcome> {
    return new Promise((resolve, reject) =>
      this.#enqueue(executionId, { birth: null, message, child, options: draft, resolve, reject }),
    );
  }

  /** Resolves when no message is waiting any more. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /**
   * Runs `work` when no commit is under way, and lets none begin before it is done: what it reads in the store is what everybody has been
   * told of. Everything waits for it, so it must be quick.
   */
  async betweenCommits(work: () => Promise<void>): Promise<void> {
    this.#commitHolds += 1;
    try {
      while (this.#committing) await new Promise<void>((resolve) => this.#whenCommitted.push(resolve));
      await work();
    } finally {
      this.#commitHolds -= 1;
      this.#scheduleBatch();
    }
  }

  #enqueue(id: string, envelope: Envelope): void {
    let box = this.#mailboxes.get(id);
    if (box === undefined) {
      box = new Mailbox(id);
      this.#mailboxes.set(id, box);
    }
    this.#pending += 1;
    box.add(envelope);
    if (box.state === 'idle') this.#scheduleMailbox(box);
    else if (box.state === 'ready' && box.urgent) this.#ready.promote(box.tenantId, box);
  }

  /** Makes an idle box with messages ready, loading its execution first if it is not in memory. */
  #scheduleMailbox(box: Mailbox): void {
    const first = box.queue[0];
    box.execution ??= this.#options.hot.get(box.id) ?? null;
    if (first === undefined) {
      box.state = 'idle';
      this.#mailboxes.delete(box.id);
    } else if (first.birth !== null || box.execution !== null) {
      box.state = 'ready';
      this.#ready.push(box.tenantId, box);
      this.#scheduleBatch();
    } else {
      box.state = 'loading';
      this.#load(box).catch((error: unknown) => this.#failAll(box, (envelope) => envelope.reject(error)));
    }
  }

  async #load(box: Mailbox): Promise<void> {
    const { store, hot } = this.#options;
    if (store.shared) box.enqueuedBeforeLoad = new Set(box.queue);
    const row = await store.execution(box.id);
    if (row === null) {
      this.#failAll(box, (envelope) => envelope.resolve({ refused: 'unknown', nodes: [] }));
      return;
    }
    // The mailbox keeps it for the messages that wait, also when it is larger than the cache takes.
    box.execution = await loadExecution(this.#options, row);
    hot.set(box.id, box.execution);
    this.#scheduleMailbox(box);
  }

  /** Memory never runs ahead of the store: after a commit that was not applied, the execution is read again. */
  #evict(box: Mailbox): void {
    box.execution = null;
    this.#options.hot.delete(box.id);
  }

  #failAll(box: Mailbox, answer: (envelope: Envelope) => void): void {
    const envelopes = box.queue.splice(0);
    this.#countDone(envelopes.length);
    for (const envelope of envelopes) answer(envelope);
    box.state = 'idle';
    this.#scheduleMailbox(box);
  }

  #countDone(count: number): void {
    this.#pending -= count;
    if (this.#pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #scheduleBatch(): void {
    if (this.#scheduled || this.#committing || this.#commitHolds > 0 || this.#ready.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#commitHolds === 0) this.#runBatch().catch(this.#options.failed);
    });
  }

  async #runBatch(): Promise<void> {
    const { clock, store, isAlone } = this.#options;
    const nowMs = clock.nowMs();
    const inTime = (): boolean => clock.nowMs() - nowMs < MAX_STEPPING_MS;
    const units: CommitUnit[] = [];
    const turns: StepBatch[] = [];
    const boxes: Mailbox[] = [];
    while (turns.length < MAX_EXECUTIONS_PER_BATCH && (turns.length === 0 || inTime())) {
      const box = this.#ready.take();
      if (box === null) break;
      boxes.push(box);
      box.state = 'committing';
      const limit = box.oneByOne ? 1 : MAX_MESSAGES_PER_EXECUTION;
      const turn = stepMailbox(box.id, box.queue, box.execution, (taken) => taken < limit && inTime(), nowMs, this.#options);
      if (turn.write !== null) units.push(turn.write);
      turns.push(turn);
    }
    let fates: readonly CommitResult[] = [];
    if (units.length > 0) {
      this.#committing = true;
      try {
        fates = await commitBisecting(units, (some) => store.commit({ atMs: nowMs, units: some, singleProcess: isAlone() }));
      } finally {
        this.#committing = false;
      }
    }
    let unit = 0;
    boxes.forEach((box, i) => {
      const turn = turns[i];
      if (turn === undefined) return;
      const fate = turn.write === null ? null : (fates[unit++] ?? null);
      if (fate instanceof Error) this.#onFailed(box, turn, fate);
      else if (fate !== null) this.#onRejected(box, turn, fate);
      else if (this.#isRejectedFromStaleCache(box, turn)) this.#reloadAndRetry(box, turn);
      else this.#onCommitted(box, turn);
      turn.reservation.release();
    });
    for (const resolve of this.#whenCommitted.splice(0)) resolve();
    if (store.shared && fates.some((fate) => fate instanceof Error)) this.#options.uncertain();
    if (fates.some((fate) => fate instanceof StoreError)) this.#options.storeFailed();
    this.#scheduleBatch();
  }

  /** Refused from memory alone, and somebody else may have moved the execution on. A commit would have found that out. */
  #isRejectedFromStaleCache(
    { execution: hot, enqueuedBeforeLoad: informed }: Mailbox,
    { write: unit, envelopes: taken, outcomes }: StepBatch,
  ): boolean {
    if (!this.#options.store.shared || unit !== null || hot === null) return false;
    return taken.some((envelope, i) => {
      const outcome = outcomes[i];
      return outcome !== undefined && 'refused' in outcome && !informed.has(envelope);
    });
  }

  /** From what the store has. */
  #reloadAndRetry(box: Mailbox, turn: StepBatch): void {
    this.#evict(box);
    box.queue.unshift(...turn.envelopes);
    box.state = 'idle';
    this.#scheduleMailbox(box);
  }

  #onCommitted(box: Mailbox, turn: StepBatch): void {
    for (const commit of turn.commits) this.#options.hot.set(commit.after.id, commit.after);
    box.execution = turn.commits[0]?.after ?? box.execution;
    turn.envelopes.forEach((envelope, i) => {
      const outcome = turn.outcomes[i];
      if (outcome instanceof Error) envelope.reject(outcome);
      else if (outcome !== undefined) envelope.resolve(outcome);
    });
    for (const commit of turn.commits) this.#options.committed(commit);
    if (turn.corrupt !== null) {
      this.#evict(box);
      this.#options.ended(box.id, turn.corrupt);
    }
    this.#countDone(turn.envelopes.length);
    box.conflicts = 0;
    if (box.queue.length === 0) box.oneByOne = false;
    box.state = 'idle';
    this.#scheduleMailbox(box);
  }

  /** The store left the unit out: the stored execution has moved on, or a condition does not hold. */
  #onRejected(box: Mailbox, turn: StepBatch, refusal: CommitRejection): void {
    const { envelopes: taken } = turn;
    const [only] = taken;
    this.#evict(box);
    if (refusal.reason === 'sequence' && ++box.conflicts > MAX_CONFLICTS) {
      for (const envelope of taken)
        envelope.reject(new RuntimeError('overloaded', `execution ${box.id} is changing too fast`, { retryAfterMs: 1000 }));
      this.#countDone(taken.length);
      box.conflicts = 0;
    } else if (refusal.reason !== 'sequence' && taken.length === 1 && only !== undefined) {
      only.resolve({ refused: refusal.reason === 'idempotency' ? 'idempotency' : 'stale', nodes: [] });
      this.#countDone(1);
    } else {
      box.oneByOne ||= refusal.reason !== 'sequence';
      box.queue.unshift(...taken);
    }
    box.state = 'idle';
    this.#scheduleMailbox(box);
  }

  /** Nothing was applied: memory is forgotten, and callers are told, unless what is at fault is one of several messages. */
  #onFailed(box: Mailbox, { envelopes: taken }: StepBatch, error: Error): void {
    this.#evict(box);
    if (taken.length > 1 && !(error instanceof StoreError)) {
      box.oneByOne = true;
      box.queue.unshift(...taken);
    } else {
      for (const envelope of taken) envelope.reject(error);
      this.#countDone(taken.length);
    }
    box.state = 'idle';
    this.#scheduleMailbox(box);
  }
}
