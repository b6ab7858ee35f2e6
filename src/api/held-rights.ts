import type { FastifyRequest } from 'fastify';
import type { Tokens } from './auth.ts';
import { Refusal } from './errors.ts';

/** A longer time would overflow a timer: it is set again until the token has expired. */
const LONGEST_TIMER_MS = 3_600_000;

interface Held {
  readonly end: () => void;
}

/** The right by which a request goes on; `release` once it has ended. */
export interface HeldRight {
  /** Looks whether it still holds: a change elsewhere may not have been told. */
  check(): void;
  release(): void;
}

/**
 * Requests that go on for a while, by the right of a token. They end at once when it is revoked or its tenant suspended, here or on another
 * server of the same database, and when it expires. A store that cannot answer takes no right away.
 */
export class HeldRights {
  readonly #tokens: Tokens;
  readonly #nowMs: () => number;
  /** By `Authorization`: many requests of one token are looked up once. */
  readonly #held = new Map<string, Set<Held>>();
  readonly #checking = new Set<string>();

  constructor(tokens: Tokens, nowMs: () => number) {
    this.#tokens = tokens;
    this.#nowMs = nowMs;
    tokens.onForget(() => {
      for (const authorization of this.#held.keys()) void this.#check(authorization);
    });
  }

  /** Calls `end` once the token of the request may no longer do what it does. */
  hold({ identity, headers }: FastifyRequest, end: () => void): HeldRight {
    const { authorization } = headers;
    if (identity?.byToken !== true || authorization === undefined) return { check: () => undefined, release: () => undefined };
    const held: Held = { end };
    const same = this.#held.get(authorization) ?? new Set();
    this.#held.set(authorization, same.add(held));
    // It may have been lost since the request was let in.
    void this.#check(authorization);
    const stopTimer = this.#atExpiry(identity.expiresAtMs, end);
    return {
      check: () => void this.#check(authorization),
      release: () => {
        stopTimer();
        same.delete(held);
        if (same.size === 0 && this.#held.get(authorization) === same) this.#held.delete(authorization);
      },
    };
  }

  #atExpiry(expiresAtMs: number | null, end: () => void): () => void {
    if (expiresAtMs === null) return () => undefined;
    let timer: NodeJS.Timeout;
    const set = (): void => {
      const leftMs = expiresAtMs - this.#nowMs();
      timer = setTimeout(leftMs <= LONGEST_TIMER_MS ? end : set, Math.min(leftMs, LONGEST_TIMER_MS));
      timer.unref();
    };
    set();
    return () => clearTimeout(timer);
  }

  async #check(authorization: string): Promise<void> {
    // One look-up serves all that ask while it is under way; a change meanwhile asks again.
    if (this.#checking.has(authorization)) return;
    this.#checking.add(authorization);
    try {
      for (let before = -1; before !== this.#tokens.changes; ) {
        before = this.#tokens.changes;
        await this.#tokens.identify(authorization);
      }
    } catch (error) {
      if (error instanceof Refusal) for (const { end } of [...(this.#held.get(authorization) ?? [])]) end();
    } finally {
      this.#checking.delete(authorization);
    }
  }
}
