import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import { CLIENT_PREFIX, type OnlineChecker } from '../check/online-checker.ts';
import type { Operation, Plan } from '../plan.ts';
import { type Clients, callerOf, type Reply } from './clients.ts';
import type { Damage } from './damage.ts';
import { NOTE } from './functions.ts';
import { randomStream } from './random-streams.ts';
import type { Suspensions } from './suspensions.ts';

/** The logged event of each request. */
const EFFECT_EVENTS = {
  start: 'workflow_started',
  event: 'external_event_received',
  approve: 'approval_received',
  cancel: 'workflow_cancelled',
  pause: 'workflow_paused',
  resume: 'workflow_resumed',
  fork: 'workflow_forked',
  retry: 'workflow_retried',
} as const;

/** More than any execution uses. */
const MORE = {
  tokenBudget: { totalTokens: 1e9, inputTokens: 1e9, outputTokens: 1e9 },
  costBudgetUsd: 1e6,
} as const;

/** The version of each workflow into which executions are forked. */
export const FORK_VERSION = '2';

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/** The result of a read, compared with the log at the end. */
export interface ReadView {
  readonly client: string;
  readonly executionId: string;
  readonly sequence: number;
  readonly status: string;
  readonly state: string;
}

/** Follows the log of an execution. */
interface Follower {
  readonly client: string;
  readonly executionId: string;
  readonly sequences: number[];
  ended: boolean;
  /** How often the database had been set back; followers begin anew then. */
  setBacks: number;
}

/** Performs the operations of the plan, and reports every reply to the checker. */
export class Operations {
  readonly reads: ReadView[] = [];
  /** Sequences received by followers of an execution, in order. */
  readonly followed: Follower[] = [];
  readonly #plan: Plan;
  readonly #clients: Clients;
  readonly #checker: OnlineChecker;
  readonly #suspensions: Suspensions;
  readonly #damage: Damage;
  readonly #starts = new Map<
    string,
    { readonly promise: Promise<string | null>; readonly resolve: (id: string | null) => void }
  >();
  #pending = 0;

  constructor(plan: Plan, clients: Clients, checker: OnlineChecker, suspensions: Suspensions, damage: Damage) {
    this.#plan = plan;
    this.#damage = damage;
    this.#clients = clients;
    this.#checker = checker;
    this.#suspensions = suspensions;
    for (const { id, kind } of plan.operations) if (kind === 'start') this.#starts.set(id, deferred());
  }

  get areFinished(): boolean {
    return this.#pending === 0;
  }

  /** The database was set back: what was read is not comparable with the log of today. */
  onSetBack(): void {
    const kept = this.reads.filter(({ executionId, sequence }) => sequence <= this.#checker.durableSequence(executionId));
    this.reads.splice(0, this.reads.length, ...kept);
  }

  /** Called at the time of the operation. */
  perform(operation: Operation): void {
    this.#pending += 1;
    void this.#perform(operation).finally(() => {
      this.#pending -= 1;
    });
  }

  async #perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'start':
      case 'start again':
        return this.#start(operation);
      case 'suspend':
        return this.#suspensions.suspend(operation);
      default: {
        const executionId = await this.#starts.get(operation.of)?.promise;
        if (executionId === null || executionId === undefined) return;
        return this.#act(operation, executionId);
      }
    }
  }

  async #start(operation: Of<'start'> | Of<'start again'>): Promise<void> {
    const first = operation.kind === 'start' ? operation : this.#plan.operations.find(({ id }) => id === operation.of);
    if (first?.kind !== 'start') return;
    const client = `${CLIENT_PREFIX}${first.id}`;
    const random = randomStream(this.#plan.seed, operation.id);
    const request = {
      workflowId: first.workflow,
      input: { mark: `mark-${first.id}` },
      ...(first.keyed ? { idempotencyKey: first.id } : {}),
    };
    const start = (runtime: ServerRuntime) => runtime.start(callerOf(client), request);
    const reply = await (first.keyed
      ? this.#clients.askUntilAnswered(random, client, start)
      : this.#clients.ask(random, client, start));
    const started = this.#starts.get(first.id);
    if (reply.is === 'answer') {
      const { executionId } = reply.value;
      this.#checker.onAcknowledged(client, executionId, EFFECT_EVENTS.start);
      started?.resolve(executionId);
      const known = await started?.promise;
      if (known !== executionId && !this.#checker.isLost(known ?? ''))
        this.#checker.addViolation(`${client}: one request started ${known} and ${executionId}`);
      return;
    }
    if (reply.is === 'refused') this.#checker.addViolation(`${client}: a start was refused: ${reply.error.message}`);
    started?.resolve(null);
  }

  async #act(operation: Exclude<Operation, Of<'start' | 'start again' | 'suspend'>>, executionId: string): Promise<void> {
    const client = `${CLIENT_PREFIX}${operation.id}`;
    switch (operation.kind) {
      case 'event': {
        await this.sendEvent(client, executionId, operation);
        await this.#sendUpdate(`${client} note`, executionId);
        return;
      }
      case 'approve': {
        await this.approve(client, executionId, operation);
        return;
      }
      case 'cancel':
        await this.cancel(client, executionId);
        return;
      case 'pause':
        await this.pause(client, executionId);
        return;
      case 'resume':
        await this.resume(client, executionId, operation.more);
        return;
      case 'enqueue':
        await this.#enqueue(client, executionId, operation.node);
        return;
      case 'fork':
        await this.#fork(client, executionId, operation);
        return;
      case 'retry': {
        if (operation.patient) {
          await this.#checker.whenEnded(executionId);
          await this.#clients.sleep(this.#random(client).between(0, 2_000), `${client} has seen the end`);
        }
        const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
          runtime.retry(callerOf(client), executionId),
        );
        this.#checkReply(client, executionId, EFFECT_EVENTS.retry, reply);
        return;
      }
      case 'inspect':
        await this.#inspect(client, executionId, operation.at);
        return;
      case 'watch':
        await this.#watch(client, executionId, operation.forMs);
        return;
      case 'read':
        await this.read(client, executionId);
        return;
      case 'follow':
        await this.#follow(client, executionId);
        return;
    }
  }

  async sendEvent(
    client: string,
    executionId: string,
    { key, keyed, twice }: { key: string; keyed: boolean; twice: boolean },
  ): Promise<void> {
    const payload = { mark: client, n: key === 'key0' ? 3 : 1, ok: true };
    const event = { key, payload, ...(keyed ? { idempotencyKey: client } : {}) };
    const send = (runtime: ServerRuntime) => runtime.sendEvent(callerOf(client), executionId, event);
    const once = async (name: string): Promise<void> => {
      const random = this.#random(name);
      const reply = await (keyed ? this.#clients.askUntilAnswered(random, name, send) : this.#clients.ask(random, name, send));
      this.#checkReply(client, executionId, EFFECT_EVENTS.event, reply, keyed && twice);
      if (reply.is === 'refused' && !this.#hasGone(executionId) && !this.#checker.hasBegunToEnd(executionId))
        this.#checker.addViolation(`${client}: refused by an execution that had not ended: ${reply.error.message}`);
    };
    await Promise.all(keyed && twice ? [once(client), once(`${client} again`)] : [once(client)]);
  }

  /** An update, which only a live durable function takes. Its answer must be durable. */
  async #sendUpdate(client: string, executionId: string): Promise<void> {
    const random = this.#random(client);
    const update = { name: NOTE, input: random.between(0, 1_000_000), idempotencyKey: client };
    const accepted = await this.#clients.askUntilAnswered(random, client, (runtime) =>
      runtime.sendUpdate(callerOf(client), executionId, update),
    );
    if (accepted.is !== 'answer') return;
    const { executionId: to, sequence } = accepted.value;
    this.#checker.onUpdateAccepted(client, to, sequence);
    const answer = await this.#clients.ask(random, `${client} answer`, (runtime) =>
      runtime.updateOutcome('default', to, sequence, 5_000),
    );
    if (answer.is === 'answer' && answer.value.status === 'completed')
      this.#checker.onUpdateAnswered(client, to, sequence, answer.value.output);
    else if (answer.is === 'answer' && answer.value.status === 'failed')
      this.#checker.addViolation(`${client}: the update failed: ${answer.value.error}`);
  }

  async approve(
    client: string,
    executionId: string,
    { decision, named }: { decision: 'approved' | 'rejected'; named: boolean },
  ): Promise<void> {
    const random = this.#random(client);
    let asked: { readonly nodeId?: string; readonly item?: number } = {};
    if (named) {
      const reply = await this.#clients.ask(random, client, (runtime) => runtime.approvals('default', executionId));
      if (reply.is === 'answer' && reply.value.pending.length > 0) {
        const { nodeId, item } = random.pick(reply.value.pending);
        asked = { nodeId, ...(item === undefined ? {} : { item }) };
      }
    }
    const decide = { decision, ...asked };
    const reply = await this.#clients.ask(random, client, (runtime) => runtime.approve(callerOf(client), executionId, decide));
    this.#checkReply(client, executionId, EFFECT_EVENTS.approve, reply);
  }

  async cancel(client: string, executionId: string): Promise<void> {
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
      runtime.cancel(callerOf(client), executionId),
    );
    if (reply.is === 'answer') this.#checker.onCancelled(client, executionId);
    else this.#checkReply(client, executionId, EFFECT_EVENTS.cancel, reply);
    if (reply.is === 'refused' && !this.#hasGone(executionId) && !this.#checker.hasEnded(executionId))
      this.#checker.addViolation(`${client}: refused by an execution that had not ended: ${reply.error.message}`);
  }

  async pause(client: string, executionId: string): Promise<void> {
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
      runtime.pause(callerOf(client), executionId),
    );
    this.#checkReply(client, executionId, EFFECT_EVENTS.pause, reply);
  }

  /** `more`: with larger budgets, which one that is over its budget needs. */
  async resume(client: string, executionId: string, more: boolean): Promise<void> {
    const budgets = more ? MORE : undefined;
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
      runtime.resume(callerOf(client), executionId, budgets),
    );
    this.#checkReply(client, executionId, EFFECT_EVENTS.resume, reply);
  }

  async #enqueue(client: string, executionId: string, nodeId: string): Promise<void> {
    const item = { executionId, nodeId, queueType: 'tool', payload: { state: { mark: client } } };
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) => runtime.enqueue(callerOf(client), item));
    this.#checkReply(client, executionId, `node_scheduled ${nodeId}`, reply);
  }

  /** Forks at a point of the log as it is now. */
  async #fork(client: string, executionId: string, { at, patched, keepsDecisions, another, keyed }: Of<'fork'>): Promise<void> {
    const random = this.#random(client);
    const read = await this.#clients.ask(random, client, (runtime) => runtime.execution('default', executionId));
    if (read.is !== 'answer') return;
    const request = {
      atSequence: Math.max(1, Math.ceil(at * read.value.sequence)),
      ...(keepsDecisions ? { keepDecisions: true } : {}),
      ...(another ? { workflowVersion: FORK_VERSION } : {}),
      ...(patched ? { statePatch: { x: 1 } } : {}),
      ...(keyed ? { idempotencyKey: client } : {}),
    };
    const fork = (runtime: ServerRuntime) => runtime.fork(callerOf(client), executionId, request);
    const reply = await (keyed ? this.#clients.askUntilAnswered(random, client, fork) : this.#clients.ask(random, client, fork));
    const forkId = reply.is === 'answer' ? (reply.value.executionId ?? '') : executionId;
    // A repeated request may be refused, because the origin is erased, while an earlier one is being carried out.
    this.#checkReply(client, forkId, EFFECT_EVENTS.fork, reply, keyed);
  }

  async read(client: string, executionId: string): Promise<void> {
    let atLeast = 0;
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) => {
      atLeast = this.#checker.knownSequence(executionId);
      return runtime.execution('default', executionId);
    });
    if (reply.is === 'refused' && !this.#hasGone(executionId))
      this.#checker.addViolation(`${client}: ${executionId} is lost: ${reply.error.message}`);
    if (reply.is !== 'answer') return;
    const { sequence, status, state } = reply.value;
    this.#checker.onRead(client, executionId, sequence, atLeast);
    this.reads.push({ client, executionId, sequence, status, state: JSON.stringify(state) });
  }

  /** Replays the log, which must lead to what is stored, and reads the state at a sequence. */
  async #inspect(client: string, executionId: string, at: number): Promise<void> {
    const random = this.#random(client);
    const replayed = await this.#clients.ask(random, client, (runtime) => runtime.replay('default', executionId));
    if (replayed.is !== 'answer') return;
    const { mismatch, sequence } = replayed.value;
    // What follows from a damaged snapshot differs, too.
    const damagedAt = this.#damage.snapshots.get(executionId) ?? Number.POSITIVE_INFINITY;
    if (mismatch !== null && mismatch.sequence < damagedAt)
      this.#checker.addViolation(`${client}: ${executionId} does not replay: ${mismatch.problem}`);
    const end = Math.max(1, Math.ceil(at * sequence));
    const reply = await this.#clients.ask(random, client, async (runtime) => {
      await runtime.snapshots('default', executionId, { after: 0, limit: 20 });
      await runtime.transitionCounts('default', executionId, end);
      return runtime.stateAt('default', executionId, end);
    });
    if (reply.is !== 'answer') return;
    const { status, state } = reply.value;
    this.reads.push({ client, executionId, sequence: reply.value.sequence, status, state: JSON.stringify(state) });
  }

  /** The parts of each text must follow one another, and progress must be a part of the whole. */
  async #watch(client: string, executionId: string, forMs: number): Promise<void> {
    const reader = new AbortController();
    void this.#clients.sleep(forMs, `${client} stops`).then(() => reader.abort());
    await this.#clients.ask(this.#random(client), client, async (runtime) => {
      const lengths = new Map<string, number>();
      for await (const update of runtime.live('default', executionId, reader.signal)) {
        if ('progress' in update) {
          const { fraction } = update.progress;
          if (fraction !== null && (fraction < 0 || fraction > 1))
            this.#checker.addViolation(`${client}: the progress of ${update.nodeId} is ${fraction}`);
          continue;
        }
        const { nodeId, activation, attempt, index, text } = update;
        const name = `${nodeId} ${activation} ${attempt}`;
        const before = lengths.get(name) ?? 0;
        if (index !== 0 && index !== before)
          this.#checker.addViolation(
            `${client}: a part of the text of ${name} begins at ${index}, and the last ended at ${before}`,
          );
        lengths.set(name, index + text.length);
      }
    });
    reader.abort();
  }

  async #follow(client: string, executionId: string): Promise<void> {
    const follower: Follower = { client, executionId, sequences: [], ended: false, setBacks: this.#checker.setBacks };
    this.followed.push(follower);
    for (let n = 1; !follower.ended && !this.#hasGone(executionId); n += 1) {
      if (follower.setBacks !== this.#checker.setBacks) {
        follower.sequences.length = 0;
        follower.setBacks = this.#checker.setBacks;
      }
      const after = follower.sequences.at(-1) ?? 0;
      let live = true;
      await this.#clients.ask(this.#random(`${client} ${n}`), client, async (runtime) => {
        for await (const { sequence } of runtime.subscribe('default', executionId, { after })) {
          if (!live || follower.setBacks !== this.#checker.setBacks) return;
          follower.sequences.push(sequence);
        }
        const { completedAtMs, sequence } = await runtime.execution('default', executionId);
        // A stopping runtime ends its streams as well: the follower is done only if it has the complete log.
        if (live && completedAtMs !== null && sequence === follower.sequences.at(-1)) follower.ended = true;
      });
      live = false;
      if (!follower.ended) await this.#clients.sleep(300, `${client} follows again ${n}`);
    }
  }

  #checkReply(client: string, executionId: string, type: string, reply: Reply<unknown>, several = false): void {
    if (reply.is === 'answer') this.#checker.onAcknowledged(client, executionId, type);
    else if (reply.is === 'unknown') this.#checker.onUnknown(client, type);
    else if (!several) this.#checker.onRefused(client, type);
    if (reply.is === 'refused' && reply.error.code === 'not_found' && !this.#hasGone(executionId))
      this.#checker.addViolation(`${client}: ${executionId} is lost`);
  }

  /** With the state that the database has lost. */
  #hasGone(executionId: string): boolean {
    return this.#checker.isLost(executionId);
  }

  #random(name: string) {
    return randomStream(this.#plan.seed, name);
  }
}

function deferred(): { readonly promise: Promise<string | null>; readonly resolve: (id: string | null) => void } {
  let resolve: (id: string | null) => void = () => {};
  const promise = new Promise<string | null>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
