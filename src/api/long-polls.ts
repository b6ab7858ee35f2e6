import type { FastifyReply } from 'fastify';
import type { Tokens } from './auth.ts';

interface Poll {
  readonly controller: AbortController;
  /** Null when authentication is off. */
  readonly authorization: string | null;
}

/**
 * Requests that wait for something to happen. They end when their client leaves, when the server closes, or when whoever asked may ask no
 * more: nothing is handed to a token that was revoked meanwhile.
 */
export class LongPolls {
  readonly #tokens: Tokens;
  readonly #nowMs: () => number;
  readonly #open = new Set<Poll>();
  #closed = false;

  constructor(tokens: Tokens, nowMs: () => number) {
    this.#tokens = tokens;
    this.#nowMs = nowMs;
    tokens.onForget(() => {
      for (const poll of this.#open) void this.#recheck(poll);
    });
  }

  /** Runs `wait` with a signal that ends it early. */
  async during<T>(reply: FastifyReply, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { identity, headers } = reply.request;
    const controller = new AbortController();
    const end = (): void => controller.abort();
    if (this.#closed) end();
    const poll = { controller, authorization: identity?.byToken === true ? (headers.authorization ?? '') : null };
    this.#open.add(poll);
    reply.raw.once('close', end);
    const expiry = identity?.expiresAtMs ?? null;
    const expires = expiry === null ? null : setTimeout(end, Math.min(expiry - this.#nowMs(), LONGEST_MS));
    expires?.unref();
    try {
      return await wait(controller.signal);
    } finally {
      if (expires !== null) clearTimeout(expires);
      reply.raw.off('close', end);
      this.#open.delete(poll);
    }
  }

  /** Ends all of them, those yet to come included. */
  close(): void {
    this.#closed = true;
    for (const { controller } of this.#open) controller.abort();
  }

  async #recheck({ controller, authorization }: Poll): Promise<void> {
    if (authorization === null) return;
    try {
      await this.#tokens.identify(authorization);
    } catch {
      controller.abort();
    }
  }
}

/** No poll lasts as long; a later expiry would overflow a timer. */
const LONGEST_MS = 3_600_000;
