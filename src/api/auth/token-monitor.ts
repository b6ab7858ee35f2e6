import type { FastifyRequest } from 'fastify';
import { RequestError } from '../errors.ts';
import type { TokenAuthenticator } from './authenticator.ts';

/** A longer time would overflow a timer: it is set again until the token has expired. */
const MAX_TIMER_MS = 3_600_000;

interface Watcher {
  readonly onInvalid: () => void;
}

/** The right by which a request goes on; `release` once it has ended. */
export interface TokenWatch {
  /** Looks whether it still holds: a change elsewhere may not have been told. */
  check(): void;
  stop(): void;
}

/**
 * Requests that go on for a while, by the right of a token. They end at once when it is revoked or its tenant suspended, here or on another
 * server of the same database, and when it expires. A store that cannot answer takes no right away.
 */
export class TokenMonitor {
  readonly #tokens: TokenAuthenticator;
  readonly #nowMs: () => number;
  /** By `Authorization`: many requests of one token are looked up once. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #checking = new Set<string>();

  constructor(tokens: TokenAuthenticator, nowMs: () => number) {
    this.#tokens = tokens;
    this.#nowMs = nowMs;
    tokens.onInvalidate(() => {
      for (const authorization of this.#watchers.keys()) void this.#check(authorization);
    });
  }

  /** Calls `end` once the token of the request may no longer do what it does. */
  watch({ identity, headers }: FastifyRequest, end: () => void): TokenWatch {
    const { authorization } = headers;
    if (identity?.byToken !== true || authorization === undefined) return { check: () => undefined, stop: () => undefined };
    const watcher: Watcher = { onInvalid: end };
    const watchers = this.#watchers.get(authorization) ?? new Set();
    this.#watchers.set(authorization, watchers.add(watcher));
    // It may have been lost since the request was let in.
    void this.#check(authorization);
    const stopTimer = this.#atExpiry(identity.expiresAtMs, end);
    return {
      check: () => void this.#check(authorization),
      stop: () => {
        stopTimer();
        watchers.delete(watcher);
        if (watchers.size === 0 && this.#watchers.get(authorization) === watchers) this.#watchers.delete(authorization);
      },
    };
  }

  #atExpiry(expiresAtMs: number | null, end: () => void): () => void {
    if (expiresAtMs === null) return () => undefined;
    let timer: NodeJS.Timeout;
    const set = (): void => {
      const leftMs = expiresAtMs - this.#nowMs();
      timer = setTimeout(leftMs <= MAX_TIMER_MS ? end : set, Math.min(leftMs, MAX_TIMER_MS));
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
      for (let before = -1; before !== this.#tokens.invalidations; ) {
        before = this.#tokens.invalidations;
        await this.#tokens.identify(authorization);
      }
    } catch (error) {
      if (error instanceof RequestError) for (const { onInvalid: end } of [...(this.#watchers.get(authorization) ?? [])]) end();
    } finally {
      this.#checking.delete(authorization);
    }
  }
}
