import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import { CLIENT_PREFIX, type OnlineChecker } from '../check/online-checker.ts';
import type { Operation, Plan } from '../plan.ts';
import { type Clients, callerOf, type Reply } from './clients.ts';
import { randomStream } from './random-streams.ts';

/** The logged event of each request. */
const EFFECT_EVENTS = {
  start: 'workflow_started',
  event: 'external_event_received',
  approve: 'approval_received',
  cancel: 'workflow_cancelled',
  pause: 'workflow_paused',
  resume: 'workflow_resumed',
  retry: 'workflow_retried',
} as const;

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/** The result of a read, compared with the log at the end. */
export interface ReadView {
  readonly client: string;
  readonly executionId: string;
  readonly sequence: number;
  readonly status: string;
  readonly state: string;
}

/** Performs the operations of the plan, and reports every reply to the checker. */
export class Operations {
  readonly reads: ReadView[] = [];
  /** Sequences received by followers of an execution, in order. */
  readonly followed: { readonly client: string; readonly executionId: string; readonly sequences: number[]; ended: boolean }[] =
    [];
  readonly #plan: Plan;
  readonly #clients: Clients;
  readonly #checker: OnlineChecker;
  readonly #starts = new Map<
    string,
    { readonly promise: Promise<string | null>; readonly resolve: (id: string | null) => void }
  >();
  #pending = 0;

  constructor(plan: Plan, clients: Clients, checker: OnlineChecker) {
    this.#plan = plan;
    this.#clients = clients;
    this.#checker = checker;
    for (const { id, kind } of plan.operations) if (kind === 'start') this.#starts.set(id, deferred());
  }

  get areFinished(): boolean {
    return this.#pending === 0;
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
      input: { mark: first.id },
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
      if (known !== executionId) this.#checker.addViolation(`${client}: one request started ${known} and ${executionId}`);
      return;
    }
    if (reply.is === 'refused') this.#checker.addViolation(`${client}: a start was refused: ${reply.error.message}`);
    started?.resolve(null);
  }

  async #act(operation: Exclude<Operation, Of<'start'> | Of<'start again'>>, executionId: string): Promise<void> {
    const client = `${CLIENT_PREFIX}${operation.id}`;
    switch (operation.kind) {
      case 'event': {
        await this.sendEvent(client, executionId, operation);
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
      case 'resume':
        await this.change(client, executionId, operation.kind);
        return;
      case 'retry': {
        const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
          runtime.retry(callerOf(client), executionId),
        );
        this.#checkReply(client, executionId, EFFECT_EVENTS.retry, reply);
        return;
      }
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
      if (reply.is === 'refused' && !this.#checker.hasEnded(executionId))
        this.#checker.addViolation(`${client}: refused by an execution that had not ended: ${reply.error.message}`);
    };
    await Promise.all(keyed && twice ? [once(client), once(`${client} again`)] : [once(client)]);
  }

  async approve(
    client: string,
    executionId: string,
    { decision, named }: { decision: 'approved' | 'rejected'; named: boolean },
  ): Promise<void> {
    const random = this.#random(client);
    let nodeId: string | undefined;
    if (named) {
      const reply = await this.#clients.ask(random, client, (runtime) => runtime.approvals('default', executionId));
      if (reply.is === 'answer' && reply.value.pending.length > 0) nodeId = random.pick(reply.value.pending).nodeId;
    }
    const decide = { decision, ...(nodeId === undefined ? {} : { nodeId }) };
    const reply = await this.#clients.ask(random, client, (runtime) => runtime.approve(callerOf(client), executionId, decide));
    this.#checkReply(client, executionId, EFFECT_EVENTS.approve, reply);
  }

  async cancel(client: string, executionId: string): Promise<void> {
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
      runtime.cancel(callerOf(client), executionId),
    );
    this.#checkReply(client, executionId, EFFECT_EVENTS.cancel, reply);
    if (reply.is === 'refused' && !this.#checker.hasEnded(executionId))
      this.#checker.addViolation(`${client}: refused by an execution that had not ended: ${reply.error.message}`);
  }

  async change(client: string, executionId: string, kind: 'pause' | 'resume'): Promise<void> {
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) =>
      runtime[kind](callerOf(client), executionId),
    );
    this.#checkReply(client, executionId, EFFECT_EVENTS[kind], reply);
  }

  async read(client: string, executionId: string): Promise<void> {
    let atLeast = 0;
    const reply = await this.#clients.ask(this.#random(client), client, (runtime) => {
      atLeast = this.#checker.knownSequence(executionId);
      return runtime.execution('default', executionId);
    });
    if (reply.is === 'refused') this.#checker.addViolation(`${client}: ${executionId} is lost: ${reply.error.message}`);
    if (reply.is !== 'answer') return;
    const { sequence, status, state } = reply.value;
    this.#checker.onRead(client, executionId, sequence, atLeast);
    this.reads.push({ client, executionId, sequence, status, state: JSON.stringify(state) });
  }

  async #follow(client: string, executionId: string): Promise<void> {
    const follower = { client, executionId, sequences: [] as number[], ended: false };
    this.followed.push(follower);
    for (let n = 1; !follower.ended; n += 1) {
      const after = follower.sequences.at(-1) ?? 0;
      let live = true;
      await this.#clients.ask(this.#random(`${client} ${n}`), client, async (runtime) => {
        for await (const { sequence } of runtime.subscribe('default', executionId, { after })) {
          if (!live) return;
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
    if (reply.is === 'refused' && reply.error.code === 'not_found')
      this.#checker.addViolation(`${client}: ${executionId} is lost`);
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
