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
  /** How long the server may wait before it answers. */
  readonly waitMs?: number;
  /** For the history. */
  readonly what: string;
  readonly about: string;
}

export interface Reply {
  readonly outcome: Outcome;
  /** Null when no whole answer came. */
  readonly status: number | null;
  readonly body: JsonObject;
}

/** Beyond what was asked to wait. A server that is stopped answers nothing. */
const ANSWERS_WITHIN_MS = 10_000;
/** Others are asked first after one that did not answer in time. */
const LEFT_OUT_MS = 3_000;
const TRY_AGAIN_MS = [100, 500] as const;
const NOT_NOW: ReadonlySet<number> = new Set([502, 503]);

/** Requests of one actor, each to a server drawn at random, and each in the history. */
export class Client {
  readonly #members: readonly Member[];
  readonly #history: History;
  readonly #random: Random;
  readonly #actor: string;
  /** When nobody waits for anything any more. */
  readonly #over: AbortSignal;
  readonly #silentUntilMs = new Map<Member, number>();

  constructor(actor: string, members: readonly Member[], random: Random, history: History, over: AbortSignal) {
    this.#actor = actor;
    this.#members = members;
    this.#random = random;
    this.#history = history;
    this.#over = over;
  }

  get random(): Random {
    return this.#random;
  }

  get over(): AbortSignal {
    return this.#over;
  }

  server(): Member {
    const now = performance.now();
    const talking = this.#members.filter((member) => (this.#silentUntilMs.get(member) ?? 0) <= now);
    return this.#random.pick(talking.length > 0 ? talking : this.#members);
  }

  /** Asks once. */
  async ask(call: Call): Promise<Reply> {
    const member = this.server();
    const invokedMs = this.#history.nowMs();
    const { reply, detail } = await this.#exchange(member, call);
    const { outcome } = reply;
    const { what, about } = call;
    const returnedMs = this.#history.nowMs();
    this.#history.operations.push({
      actor: this.#actor,
      what,
      about,
      server: member.name,
      invokedMs,
      returnedMs,
      outcome,
      detail,
    });
    return reply;
  }

  /** Asks until the outcome is known. What is not safe to repeat, the caller repeats. Rejects when it is over. */
  async insist(call: Call): Promise<Reply> {
    for (;;) {
      const reply = await this.ask(call);
      if (reply.outcome !== 'unknown') return reply;
      await this.pause();
    }
  }

  async pause([least, most]: readonly [number, number] = TRY_AGAIN_MS): Promise<void> {
    await after(this.#random.between(least, most), undefined, { signal: this.#over });
  }

  async #exchange(member: Member, call: Call): Promise<{ readonly reply: Reply; readonly detail: string }> {
    const timeout = AbortSignal.timeout(ANSWERS_WITHIN_MS + (call.waitMs ?? 0));
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
      const outcome: Outcome = status < 300 ? 'ok' : NOT_NOW.has(status) || status === 500 ? 'unknown' : 'refused';
      const detail = `${status} ${outcome === 'ok' ? '' : (body.error ?? body.code ?? '')}`.trim();
      if (status === 500 || status === 401)
        this.#history.violated('no request is answered with 500 or 401', `${call.method} ${call.path}: ${detail}`, [call.about]);
      return { reply: { outcome, status, body }, detail };
    } catch (error) {
      if (timeout.aborted) this.#silentUntilMs.set(member, performance.now() + LEFT_OUT_MS);
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      return { reply: { outcome: 'unknown', status: null, body: {} }, detail: timeout.aborted ? 'no answer in time' : cause };
    }
  }
}
