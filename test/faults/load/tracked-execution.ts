import { isObject, type JsonObject } from '../../../machines/json.ts';
import type { History } from '../history.ts';
import type { Call, Client, Reply } from './client.ts';

/** What a client wants to tell an execution, however often it had to say it. `nonce` finds it in the log. */
export interface Message {
  readonly kind: 'start' | 'event' | 'decision' | 'cancel' | 'pause' | 'resume' | 'retry';
  readonly nonce: string;
  /** Acknowledged. */
  ok: boolean;
  /** Times that nobody knows of whether it happened. */
  unknown: number;
  /** Repeats have the effect of one. */
  readonly once: boolean;
}

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

/** Shown in place of a status by no server: it was acknowledged, and is not there. Its client gives up. */
const LOST_STATUS = 'lost';

/** One execution as its client sees it: what it asked for, and the newest that anybody has shown it. */
export class TrackedExecution {
  readonly key: string;
  readonly workflow: string;
  readonly messages: Message[] = [];
  id: string | null = null;
  /** Its client has gone to the end of it. */
  finished = false;
  readonly #history: History;
  #lastSeen = { sequence: 0, terminal: null as string | null };

  constructor(workflow: string, key: string, history: History) {
    this.workflow = workflow;
    this.key = key;
    this.#history = history;
  }

  /** Starts it, once. Null when the client has walked away without knowing. */
  async start(client: Client, input: JsonObject, patience = Number.POSITIVE_INFINITY): Promise<string | null> {
    const body = { workflow_id: this.workflow, input: { key: this.key, ...input }, labels: { key: this.key } };
    const call = { method: 'POST', path: '/executions', body, idempotencyKey: this.key, what: 'start', about: this.key } as const;
    const reply = await this.#sendMessage(client, { kind: 'start', nonce: this.key, once: true }, call, patience);
    if (reply.outcome !== 'ok') return null;
    this.id = String(reply.body.execution_id);
    return this.id;
  }

  /** Without a key, repeats are messages of their own. */
  async event(
    client: Client,
    key: string,
    payload: JsonObject,
    withKey = true,
    patience = Number.POSITIVE_INFINITY,
  ): Promise<Reply> {
    const nonce = String(payload.nonce);
    const body = { correlation_key: key, payload };
    const call = this.#call('external-event', body, withKey ? nonce : undefined);
    return this.#sendMessage(client, { kind: 'event', nonce, once: withKey }, call, patience);
  }

  async decide(client: Client, decision: 'approved' | 'rejected', nonce: string): Promise<Reply> {
    return this.#sendMessage(
      client,
      { kind: 'decision', nonce, once: true },
      this.#call('approve', { decision, user_id: nonce }),
    );
  }

  async cancel(client: Client, nonce: string): Promise<Reply> {
    return this.#sendMessage(client, { kind: 'cancel', nonce, once: true }, this.#call('cancel', { reason: nonce }));
  }

  async pause(client: Client, nonce: string): Promise<Reply> {
    return this.#sendMessage(client, { kind: 'pause', nonce, once: false }, this.#call('pause', { reason: nonce }));
  }

  async resume(client: Client): Promise<Reply> {
    return this.#sendMessage(client, { kind: 'resume', nonce: 'resume', once: false }, this.#call('resume', {}));
  }

  async retry(client: Client): Promise<Reply> {
    return this.#sendMessage(client, { kind: 'retry', nonce: 'retry', once: false }, this.#call('retry', {}));
  }

  /** Looks at it, at any server: what was shown before must be there. */
  async read(client: Client, waitMs = 0): Promise<JsonObject> {
    const { sequence, terminal } = this.#lastSeen;
    const id = this.id ?? '';
    const reply = await client.askUntilKnown({
      method: 'GET',
      path: `/executions/${id}?wait_ms=${waitMs}`,
      waitMs,
      what: 'read',
      about: id,
    });
    if (reply.status !== 200) {
      this.#history.addViolation('what was acknowledged is there', `${id} (${this.key}) is answered with ${reply.status}`, [
        id,
        this.key,
      ]);
      return { status: LOST_STATUS };
    }
    const { body } = reply;
    const [shown, status] = [Number(body.sequence), String(body.status)];
    if (shown < sequence)
      this.#history.addViolation('nobody is shown an earlier state', `${id}: event ${sequence}, later ${shown}`, [id]);
    if (terminal !== null && status !== terminal && !(terminal === 'failed' && this.#hasSent('retry')))
      this.#history.addViolation('an end is final', `${id}: ${terminal}, later ${status}`, [id]);
    if (shown >= this.#lastSeen.sequence) this.#lastSeen = { sequence: shown, terminal: TERMINAL.has(status) ? status : null };
    return body;
  }

  /** Looks until it has ended, or until it waits for somebody: answers that status. */
  async settled(client: Client): Promise<string> {
    for (;;) {
      const { status } = await this.read(client, 3_000);
      if (status !== 'running' && status !== 'pending' && status !== undefined) return String(status);
    }
  }

  /** Looks until it has ended. */
  async ended(client: Client): Promise<string> {
    for (;;) {
      const status = await this.settled(client);
      if (TERMINAL.has(status) || status === LOST_STATUS) return status;
      await client.pause([100, 400]);
    }
  }

  async pending(client: Client): Promise<boolean> {
    const id = this.id ?? '';
    const reply = await client.askUntilKnown({
      method: 'GET',
      path: `/executions/${id}/approvals`,
      what: 'read approvals',
      about: id,
    });
    return Array.isArray(reply.body.pending) && reply.body.pending.some(isObject);
  }

  #hasSent(kind: Message['kind']): boolean {
    return this.messages.some((message) => message.kind === kind);
  }

  #call(action: string, body: JsonObject, idempotencyKey?: string): Call {
    const id = this.id ?? '';
    const call = { method: 'POST', path: `/executions/${id}/${action}`, body, what: action, about: id } as const;
    return idempotencyKey === undefined ? call : { ...call, idempotencyKey };
  }

  /** Repeats it until its outcome is known, or until patience is at its end. */
  async #sendMessage(
    client: Client,
    given: Omit<Message, 'ok' | 'unknown'>,
    call: Call,
    patience = Number.POSITIVE_INFINITY,
  ): Promise<Reply> {
    const message: Message = { ...given, ok: false, unknown: 0 };
    this.messages.push(message);
    for (;;) {
      // Counted before the answer is there: whoever is torn away meanwhile knows nothing.
      message.unknown += 1;
      const reply = await client.ask(call);
      if (reply.outcome !== 'unknown') {
        message.unknown -= 1;
        message.ok = reply.outcome === 'ok';
        return reply;
      }
      if (message.unknown >= patience) return reply;
      await client.pause();
    }
  }
}
