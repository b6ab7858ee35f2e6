import { isObject, type JsonObject } from '../../../machines/json.ts';
import type { History } from '../history.ts';
import type { Call, Client, Reply } from './client.ts';

/** A message of a client to an execution, with its repetitions. `nonce` identifies it in the log. */
export interface Message {
  readonly kind: 'start' | 'event' | 'decision' | 'cancel' | 'pause' | 'resume' | 'retry';
  readonly nonce: string;
  /** Whether it was acknowledged. */
  ok: boolean;
  /** Number of requests with an unknown outcome. */
  unknown: number;
  /** Repetitions have no further effect. */
  readonly once: boolean;
}

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'limit_exceeded']);

/** Status of an acknowledged execution that does not exist. Its client gives up. */
const LOST_STATUS = 'lost';

/** One execution from the view of its client: the sent messages, and the newest state it has read. */
export class TrackedExecution {
  readonly key: string;
  readonly workflow: string;
  readonly messages: Message[] = [];
  id: string | null = null;
  /** Its client has finished. */
  finished = false;
  readonly #history: History;
  #lastSeen = { sequence: 0, terminal: null as string | null };

  constructor(workflow: string, key: string, history: History) {
    this.workflow = workflow;
    this.key = key;
    this.#history = history;
  }

  /** Starts the execution once. Null if the client has given up without knowing the outcome. */
  async start(client: Client, input: JsonObject, patience = Number.POSITIVE_INFINITY): Promise<string | null> {
    const body = { workflow_id: this.workflow, input: { key: this.key, ...input }, labels: { key: this.key } };
    const call = { method: 'POST', path: '/executions', body, idempotencyKey: this.key, what: 'start', about: this.key } as const;
    const reply = await this.#sendMessage(client, { kind: 'start', nonce: this.key, once: true }, call, patience);
    if (reply.outcome !== 'ok') return null;
    this.id = String(reply.body.execution_id);
    return this.id;
  }

  /** Without a key, each repetition is a separate message. */
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

  /** Reads the execution at any server; it must not be older than what was read before. */
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
      this.#history.addViolation('acknowledged executions exist', `${id} (${this.key}) got ${reply.status}`, [id, this.key]);
      return { status: LOST_STATUS };
    }
    const { body } = reply;
    const [shown, status] = [Number(body.sequence), String(body.status)];
    if (shown < sequence) this.#history.addViolation('reads are monotonic', `${id}: event ${sequence}, later ${shown}`, [id]);
    if (terminal !== null && status !== terminal && !(terminal === 'failed' && this.#hasSent('retry')))
      this.#history.addViolation('a terminal status is final', `${id}: ${terminal}, later ${status}`, [id]);
    if (shown >= this.#lastSeen.sequence) this.#lastSeen = { sequence: shown, terminal: TERMINAL.has(status) ? status : null };
    return body;
  }

  /** Reads until the execution has ended or waits; returns its status. */
  async settled(client: Client): Promise<string> {
    for (;;) {
      const { status } = await this.read(client, 3_000);
      if (status !== 'running' && status !== 'pending' && status !== undefined) return String(status);
    }
  }

  /** Reads until the execution has ended. */
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

  /** Repeats the request until its outcome is known, or until the client gives up. */
  async #sendMessage(
    client: Client,
    given: Omit<Message, 'ok' | 'unknown'>,
    call: Call,
    patience = Number.POSITIVE_INFINITY,
  ): Promise<Reply> {
    const message: Message = { ...given, ok: false, unknown: 0 };
    this.messages.push(message);
    for (;;) {
      // Counted before the reply arrives, because the run may end in the meantime.
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
