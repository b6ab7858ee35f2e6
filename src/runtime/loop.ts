import type { LRUCache } from 'lru-cache';
import type { Message } from '../../machines/messages.ts';
import { StoreError } from '../../store/errors.ts';
import type { Refusal, Unit } from '../../store/writes.ts';
import type { Clock } from './clock.ts';
import { commitApart, type Fate } from './commit-apart.ts';
import type { Committed } from './committed.ts';
import type { Birth, Draft, Envelope, Outcome } from './envelope.ts';
import { RuntimeError } from './errors.ts';
import type { Hot } from './hot.ts';
import { type LoadOptions, loadHot } from './load.ts';
import { Mailbox } from './mailbox.ts';
import { ReadyQueue } from './ready-queue.ts';
import { type Turn, type TurnContext, takeTurn } from './turn.ts';

/** Messages one commit takes of one execution, and executions it takes. */
const MESSAGES_PER_TURN = 64;
const BOXES_PER_TURN = 512;
/** After so much stepping the rest waits for the next turn of the event loop: a step of a very wide fan-out takes milliseconds. */
const STEPPING_MS = 50;
/** How often a step is redone because the stored execution had moved on. */
const MAX_CONFLICTS = 8;

export interface LoopOptions extends LoadOptions, TurnContext {
  readonly hot: LRUCache<string, Hot>;
  readonly clock: Clock;
  /** Does no other runtime work on the database? */
  readonly isAlone: () => boolean;
  /** Called for every execution after the commit, in the order of the batch. */
  readonly committed: (commit: Committed) => void;
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
export class Loop {
  readonly #options: LoopOptions;
  readonly #boxes = new Map<string, Mailbox>();
  readonly #ready = new ReadyQueue<Mailbox>();
  #scheduled = false;
  #committing = false;
  /** Those who want no commit for a while. */
  #holders = 0;
  #pending = 0;
  #whenIdle: (() => void)[] = [];
  #whenCommitted: (() => void)[] = [];

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Messages that wait for their commit. */
  get pending(): number {
    return this.#pending;
  }

  /** Stores a new execution and takes its first step. */
  begin(birth: Birth, draft: Draft): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#post(birth.id, { birth, message: null, child: null, draft, resolve, reject }));
  }

  /**
   * Delivers a message; resolves after the commit that holds its effects, or with why it was refused. `child` is created in
   * the same unit, if the step takes the message.
   */
  send(executionId: string, message: Message, draft: Draft, child: Birth | null = null): Promise<Outcome> {
    return new Promise((resolve, reject) => this.#post(executionId, { birth: null, message, child, draft, resolve, reject }));
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
    this.#holders += 1;
    try {
      while (this.#committing) await new Promise<void>((resolve) => this.#whenCommitted.push(resolve));
      await work();
    } finally {
      this.#holders -= 1;
      this.#schedule();
    }
  }

  #post(id: string, envelope: Envelope): void {
    let box = this.#boxes.get(id);
    if (box === undefined) {
      box = new Mailbox(id);
      this.#boxes.set(id, box);
    }
    this.#pending += 1;
    box.post(envelope);
    if (box.state === 'idle') this.#rouse(box);
    else if (box.state === 'ready' && box.urgent) this.#ready.hurry(box.tenantId, box);
  }

  /** Makes an idle box with messages ready, loading its execution first if it is not in memory. */
  #rouse(box: Mailbox): void {
    const first = box.queue[0];
    box.hot ??= this.#options.hot.get(box.id) ?? null;
    if (first === undefined) {
      box.state = 'idle';
      this.#boxes.delete(box.id);
    } else if (first.birth !== null || box.hot !== null) {
      box.state = 'ready';
      this.#ready.push(box.tenantId, box);
      this.#schedule();
    } else {
      box.state = 'loading';
      this.#load(box).catch((error: unknown) => this.#giveUp(box, (envelope) => envelope.reject(error)));
    }
  }

  async #load(box: Mailbox): Promise<void> {
    const { store, hot } = this.#options;
    if (store.shared) box.informed = new Set(box.queue);
    const row = await store.execution(box.id);
    if (row === null) {
      this.#giveUp(box, (envelope) => envelope.resolve({ refused: 'unknown', nodes: [] }));
      return;
    }
    // The mailbox keeps it for the messages that wait, also when it is larger than the cache takes.
    box.hot = await loadHot(this.#options, row);
    hot.set(box.id, box.hot);
    this.#rouse(box);
  }

  /** Memory never runs ahead of the store: after a commit that was not applied, the execution is read again. */
  #forget(box: Mailbox): void {
    box.hot = null;
    this.#options.hot.delete(box.id);
  }

  #giveUp(box: Mailbox, answer: (envelope: Envelope) => void): void {
    const envelopes = box.queue.splice(0);
    this.#settle(envelopes.length);
    for (const envelope of envelopes) answer(envelope);
    box.state = 'idle';
    this.#rouse(box);
  }

  #settle(count: number): void {
    this.#pending -= count;
    if (this.#pending === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing || this.#holders > 0 || this.#ready.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#holders === 0) this.#turn().catch(this.#options.failed);
    });
  }

  async #turn(): Promise<void> {
    const { clock, store, isAlone } = this.#options;
    const nowMs = clock.nowMs();
    const inTime = (): boolean => clock.nowMs() - nowMs < STEPPING_MS;
    const units: Unit[] = [];
    const turns: Turn[] = [];
    const boxes: Mailbox[] = [];
    while (turns.length < BOXES_PER_TURN && (turns.length === 0 || inTime())) {
      const box = this.#ready.take();
      if (box === null) break;
      boxes.push(box);
      box.state = 'committing';
      const limit = box.oneByOne ? 1 : MESSAGES_PER_TURN;
      const turn = takeTurn(box.id, box.queue, box.hot, (taken) => taken < limit && inTime(), nowMs, this.#options);
      if (turn.unit !== null) units.push(turn.unit);
      turns.push(turn);
    }
    let fates: readonly Fate[] = [];
    if (units.length > 0) {
      this.#committing = true;
      try {
        fates = await commitApart(units, (some) => store.commit({ atMs: nowMs, units: some, alone: isAlone() }));
      } finally {
        this.#committing = false;
      }
    }
    let unit = 0;
    boxes.forEach((box, i) => {
      const turn = turns[i];
      if (turn === undefined) return;
      const fate = turn.unit === null ? null : (fates[unit++] ?? null);
      if (fate instanceof Error) this.#failed(box, turn, fate);
      else if (fate !== null) this.#refused(box, turn, fate);
      else if (this.#isHearsay(box, turn)) this.#takeAgain(box, turn);
      else this.#applied(box, turn);
      turn.slots.release();
    });
    for (const resolve of this.#whenCommitted.splice(0)) resolve();
    if (store.shared && fates.some((fate) => fate instanceof Error)) this.#options.uncertain();
    if (fates.some((fate) => fate instanceof StoreError)) this.#options.storeFailed();
    this.#schedule();
  }

  /** Refused from memory alone, and somebody else may have moved the execution on. A commit would have found that out. */
  #isHearsay({ hot, informed }: Mailbox, { unit, taken, outcomes }: Turn): boolean {
    if (!this.#options.store.shared || unit !== null || hot === null) return false;
    return taken.some((envelope, i) => {
      const outcome = outcomes[i];
      return outcome !== undefined && 'refused' in outcome && !informed.has(envelope);
    });
  }

  /** From what the store has. */
  #takeAgain(box: Mailbox, turn: Turn): void {
    this.#forget(box);
    box.queue.unshift(...turn.taken);
    box.state = 'idle';
    this.#rouse(box);
  }

  #applied(box: Mailbox, turn: Turn): void {
    for (const commit of turn.commits) this.#options.hot.set(commit.now.id, commit.now);
    box.hot = turn.commits[0]?.now ?? box.hot;
    turn.taken.forEach((envelope, i) => {
      const outcome = turn.outcomes[i];
      if (outcome instanceof Error) envelope.reject(outcome);
      else if (outcome !== undefined) envelope.resolve(outcome);
    });
    for (const commit of turn.commits) this.#options.committed(commit);
    if (turn.corrupt !== null) {
      this.#forget(box);
      this.#options.ended(box.id, turn.corrupt);
    }
    this.#settle(turn.taken.length);
    box.conflicts = 0;
    if (box.queue.length === 0) box.oneByOne = false;
    box.state = 'idle';
    this.#rouse(box);
  }

  /** The store left the unit out: the stored execution has moved on, or a condition does not hold. */
  #refused(box: Mailbox, turn: Turn, refusal: Refusal): void {
    const { taken } = turn;
    const [only] = taken;
    this.#forget(box);
    if (refusal.reason === 'sequence' && ++box.conflicts > MAX_CONFLICTS) {
      for (const envelope of taken)
        envelope.reject(new RuntimeError('overloaded', `execution ${box.id} is changing too fast`, { retryAfterMs: 1000 }));
      this.#settle(taken.length);
      box.conflicts = 0;
    } else if (refusal.reason !== 'sequence' && taken.length === 1 && only !== undefined) {
      only.resolve({ refused: refusal.reason === 'idempotency' ? 'idempotency' : 'stale', nodes: [] });
      this.#settle(1);
    } else {
      box.oneByOne ||= refusal.reason !== 'sequence';
      box.queue.unshift(...taken);
    }
    box.state = 'idle';
    this.#rouse(box);
  }

  /** Nothing was applied: memory is forgotten, and callers are told, unless what is at fault is one of several messages. */
  #failed(box: Mailbox, { taken }: Turn, error: Error): void {
    this.#forget(box);
    if (taken.length > 1 && !(error instanceof StoreError)) {
      box.oneByOne = true;
      box.queue.unshift(...taken);
    } else {
      for (const envelope of taken) envelope.reject(error);
      this.#settle(taken.length);
    }
    box.state = 'idle';
    this.#rouse(box);
  }
}
