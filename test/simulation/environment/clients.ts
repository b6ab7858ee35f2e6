import { RuntimeError } from '../../../src/runtime/errors.ts';
import type { Caller } from '../../../src/runtime/types/caller.ts';
import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import { StoreError } from '../../../store/port/errors.ts';
import type { Random } from '../../support/random.ts';
import type { OnlineChecker } from '../check/online-checker.ts';
import type { Incarnation } from './incarnation.ts';
import type { RuntimeProcess } from './runtime-process.ts';
import type { Scheduler } from './scheduler.ts';

/** Timeout of a request, which may still take effect. */
const REQUEST_TIMEOUT_MS = 20_000;
const RETRY_MS = 400;
/** Errors that mean that the request had no effect and can be retried. */
const RETRYABLE = new Set(['overloaded', 'shutting_down', 'tenant_not_active']);

export type Reply<T> =
  | { readonly is: 'answer'; readonly value: T }
  /** Permanently, because of the state of the execution. */
  | { readonly is: 'refused'; readonly error: RuntimeError }
  /** Overloaded, shutting down, beyond a limit of the tenant, or refused to a suspended one: the request had no effect and can be retried. */
  | { readonly is: 'not now' }
  | { readonly is: 'unknown' };

/** A process that accepts requests. */
interface Up {
  readonly runtime: ServerRuntime;
  readonly incarnation: Incarnation;
}

export function callerOf(actorId: string): Caller {
  return { tenantId: 'default', actorId, actorType: 'human' };
}

/** Sends requests to any process that is up, like clients behind a load balancer. */
export class Clients {
  readonly #processes: readonly RuntimeProcess[];
  readonly #scheduler: Scheduler;
  readonly #checker: OnlineChecker;
  /** Whether an error is that of a damaged execution. */
  readonly #isDamaged: (error: unknown) => boolean;
  readonly #waiting: (() => void)[] = [];
  #requests = 0;

  constructor(
    processes: readonly RuntimeProcess[],
    scheduler: Scheduler,
    checker: OnlineChecker,
    isDamaged: (error: unknown) => boolean,
  ) {
    this.#processes = processes;
    this.#scheduler = scheduler;
    this.#checker = checker;
    this.#isDamaged = isDamaged;
  }

  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  sleep(ms: number, label: string): Promise<void> {
    return new Promise((resolve) => this.#scheduler.schedule(ms, null, label, resolve));
  }

  /** Returns a process that is up; waits until there is one. */
  async #anyProcess(random: Random, label: string): Promise<Up> {
    for (let n = 1; ; n += 1) {
      const up = this.#processes.flatMap(({ runtime, incarnation }) =>
        runtime === null || incarnation === null ? [] : [{ runtime, incarnation }],
      );
      if (up.length > 0) return random.pick(up);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      await this.sleep(random.between(0, RETRY_MS), `${label} finds a process ${n}`);
    }
  }

  /** A process has come up. */
  onProcessUp(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** One request to one process. */
  async ask<T>(random: Random, name: string, request: (runtime: ServerRuntime) => Promise<T>): Promise<Reply<T>> {
    const label = `${name} request ${++this.#requests}`;
    return this.#ask(label, await this.#anyProcess(random, label), request);
  }

  /** One request to the given process; null if it is down. */
  async askProcess<T>(
    { runtime, incarnation }: RuntimeProcess,
    name: string,
    request: (runtime: ServerRuntime) => Promise<T>,
  ): Promise<Reply<T> | null> {
    if (runtime === null || incarnation === null) return null;
    return this.#ask(`${name} request ${++this.#requests}`, { runtime, incarnation }, request);
  }

  #ask<T>(label: string, { runtime, incarnation }: Up, request: (runtime: ServerRuntime) => Promise<T>): Promise<Reply<T>> {
    return new Promise((resolve) => {
      const { setBacks } = this.#checker;
      const sentAtMs = this.#scheduler.nowMs;
      const done = (reply: Reply<T>): void => {
        cancel();
        // What has happened may be lost with the state before the database was set back.
        resolve(this.#checker.setBacks === setBacks ? reply : { is: 'unknown' });
      };
      const cancel = this.#scheduler.schedule(REQUEST_TIMEOUT_MS, null, `${label} times out`, () => done({ is: 'unknown' }));
      incarnation.onEnd(() => done({ is: 'unknown' }));
      request(runtime).then(
        (value) => {
          if (incarnation.alive) done({ is: 'answer', value });
        },
        (error: unknown) => {
          if (incarnation.alive) done(this.#refusal(label, error, sentAtMs));
        },
      );
    });
  }

  /** Repeats a request until it is answered or refused permanently. */
  async askUntilAnswered<T>(random: Random, name: string, request: (runtime: ServerRuntime) => Promise<T>): Promise<Reply<T>> {
    for (let n = 1; ; n += 1) {
      const reply = await this.ask(random, name, request);
      if (reply.is === 'answer' || reply.is === 'refused') return reply;
      await this.sleep(RETRY_MS, `${name} retries ${n}`);
    }
  }

  #refusal(label: string, error: unknown, sentAtMs: number): Reply<never> {
    if (error instanceof StoreError || this.#isDamaged(error)) return { is: 'unknown' };
    if (!(error instanceof RuntimeError) || error.code === 'corrupt') {
      this.#checker.addViolation(`${label}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return { is: 'unknown' };
    }
    const [, changing] = /^execution (\S+) changes too often/.exec(error.message) ?? [];
    if (changing !== undefined) this.#checker.onTooManyConflicts(label, changing, sentAtMs);
    return RETRYABLE.has(error.code) || error.code.startsWith('limit_exceeded') ? { is: 'not now' } : { is: 'refused', error };
  }
}
