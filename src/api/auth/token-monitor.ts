import type { FastifyRequest } from 'fastify';
import { RequestError } from '../errors.ts';
import type { TokenAuthenticator } from './authenticator.ts';

/** `setTimeout` overflows after 24 days: longer waits are split. */
const MAX_TIMER_MS = 3_600_000;

interface Watcher {
  readonly onInvalid: () => void;
}

/** Watches the token of one request; call `stop` when the request has ended. */
export interface TokenWatch {
  /** Checks the token again, because changes by other processes may go unnoticed. */
  check(): void;
  stop(): void;
}

/**
 * Ends long requests when their token expires or is revoked, or when its tenant is suspended, by this server or by another one of the same
 * database. While the store cannot answer, requests continue.
 */
export class TokenMonitor {
  readonly #tokens: TokenAuthenticator;
  readonly #nowMs: () => number;
  /** By `Authorization` header, so that many requests of one token need one look-up. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #checking = new Set<string>();

  constructor(tokens: TokenAuthenticator, nowMs: () => number) {
    this.#tokens = tokens;
    this.#nowMs = nowMs;
    tokens.onInvalidate(() => {
      for (const authorization of this.#watchers.keys()) void this.#check(authorization);
    });
  }

  /** Calls `onInvalid` when the token of the request is no longer valid. */
  watch({ identity, headers }: FastifyRequest, onInvalid: () => void): TokenWatch {
    const { authorization } = headers;
    if (identity?.byToken !== true || authorization === undefined) return { check: () => undefined, stop: () => undefined };
    const watcher: Watcher = { onInvalid };
    const watchers = this.#watchers.get(authorization) ?? new Set();
    this.#watchers.set(authorization, watchers.add(watcher));
    // The token may have been revoked since the request was authorized.
    if (identity.validAt !== this.#tokens.invalidations) void this.#check(authorization);
    const stopTimer = this.#atExpiry(identity.expiresAtMs, onInvalid);
    return {
      check: () => void this.#check(authorization),
      stop: () => {
        stopTimer();
        watchers.delete(watcher);
        if (watchers.size === 0 && this.#watchers.get(authorization) === watchers) this.#watchers.delete(authorization);
      },
    };
  }

  #atExpiry(expiresAtMs: number | null, onExpired: () => void): () => void {
    if (expiresAtMs === null) return () => undefined;
    let timer: NodeJS.Timeout;
    const set = (): void => {
      const leftMs = expiresAtMs - this.#nowMs();
      timer = setTimeout(leftMs <= MAX_TIMER_MS ? onExpired : set, Math.min(leftMs, MAX_TIMER_MS));
      timer.unref();
    };
    set();
    return () => clearTimeout(timer);
  }

  async #check(authorization: string): Promise<void> {
    // One look-up serves all concurrent checks; if tokens change meanwhile, it is repeated.
    if (this.#checking.has(authorization)) return;
    this.#checking.add(authorization);
    try {
      for (let before = -1; before !== this.#tokens.invalidations; ) {
        before = this.#tokens.invalidations;
        await this.#tokens.identify(authorization);
      }
    } catch (error) {
      if (error instanceof RequestError) for (const { onInvalid } of [...(this.#watchers.get(authorization) ?? [])]) onInvalid();
    } finally {
      this.#checking.delete(authorization);
    }
  }
}
