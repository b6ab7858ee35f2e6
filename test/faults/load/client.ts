import { setTimeout as after } from 'node:timers/promises';
import type { JsonObject } from '../../../machines/json.ts';
import type { Random } from '../../support/random.ts';
import type { Member } from '../cluster/member.ts';
import type { History, Outcome } from '../history.ts';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: JsonObject;
  readonly idempotencyKey?: string;
  /** Maximum long-poll time of the request. */
  readonly waitMs?: number;
  /** Recorded in the history. */
  readonly what: string;
  readonly about: string;
}

export interface Reply {
  readonly outcome: Outcome;
  /** Null if no complete reply arrived. */
  readonly status: number | null;
  readonly body: JsonObject;
}

/** Timeout in addition to the long-poll time. A stopped server does not reply. */
const REPLY_TIMEOUT_MS = 10_000;
/** Time during which a server that did not reply in time is avoided. */
const AVOID_MS = 3_000;
const RETRY_MS = [100, 500] as const;
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([502, 503]);

/** Sends the requests of one actor to random servers, and records them in the history. */
export class Client {
  readonly #members: readonly Member[];
  readonly #history: History;
  readonly #random: Random;
  readonly #actor: string;
  /** Aborts when the run has ended. */
  readonly #stopped: AbortSignal;
  readonly #avoidUntilMs = new Map<Member, number>();

  constructor(actor: string, members: readonly Member[], random: Random, history: History, stopped: AbortSignal) {
    this.#actor = actor;
    this.#members = members;
    this.#random = random;
    this.#history = history;
    this.#stopped = stopped;
  }

  get random(): Random {
    return this.#random;
  }

  get stopped(): AbortSignal {
    return this.#stopped;
  }

  server(): Member {
    const now = performance.now();
    const responsive = this.#members.filter((member) => (this.#avoidUntilMs.get(member) ?? 0) <= now);
    return this.#random.pick(responsive.length > 0 ? responsive : this.#members);
  }

  /** Sends a request once. */
  async ask(call: Call): Promise<Reply> {
    const member = this.server();
    const invokedMs = this.#history.nowMs();
    const { reply, detail } = await this.#request(member, call);
    const { outcome } = reply;
    const { what, about } = call;
    const returnedMs = this.#history.nowMs();
    this.#history.operations.push({
      actor: this.#actor,
      action: what,
      subject: about,
      server: member.name,
      invokedMs,
      returnedMs,
      outcome,
      detail,
    });
    return reply;
  }

  /** Repeats a request until its outcome is known; only for requests that are safe to repeat. Rejects when the run has ended. */
  async askUntilKnown(call: Call): Promise<Reply> {
    for (;;) {
      const reply = await this.ask(call);
      if (reply.outcome !== 'unknown') return reply;
      await this.pause();
    }
  }

  async pause([least, most]: readonly [number, number] = RETRY_MS): Promise<void> {
    await after(this.#random.between(least, most), undefined, { signal: this.#stopped });
  }

  async #request(member: Member, call: Call): Promise<{ readonly reply: Reply; readonly detail: string }> {
    const timeout = AbortSignal.timeout(REPLY_TIMEOUT_MS + (call.waitMs ?? 0));
    try {
      const response = await fetch(`${member.url}${call.path}`, {
        method: call.method,
        headers: {
          authorization: `Bearer ${member.token}`,
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
        },
        signal: timeout,
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      const body = (await response.json()) as JsonObject;
      const { status } = response;
      const outcome: Outcome = status < 300 ? 'ok' : RETRYABLE_STATUSES.has(status) || status === 500 ? 'unknown' : 'refused';
      const detail = `${status} ${outcome === 'ok' ? '' : (body.error ?? body.code ?? '')}`.trim();
      if (status === 500 || status === 401)
        this.#history.addViolation('no reply is a 500 or 401', `${call.method} ${call.path}: ${detail}`, [call.about]);
      return { reply: { outcome, status, body }, detail };
    } catch (error) {
      if (timeout.aborted) this.#avoidUntilMs.set(member, performance.now() + AVOID_MS);
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      return { reply: { outcome: 'unknown', status: null, body: {} }, detail: timeout.aborted ? 'timeout' : cause };
    }
  }
}
