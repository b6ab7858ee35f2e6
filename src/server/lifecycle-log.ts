import type { Logger } from 'pino';
import { type Config, databaseName, unknownVariables, VERSION } from './config.ts';

/** Why a server stops: the name of a signal, `lost lock`, or what the caller of `close` says. */
export type StopReason = string;

export interface StartedServer {
  readonly url: string;
  readonly auth: 'on' | 'off';
  readonly tools: readonly string[];
}

/** What the log says of the life of a server: how it was configured when it started, and why it stopped. */
export class LifecycleLog {
  readonly #log: Logger;
  readonly #config: Config;
  readonly #onFatal = (error: unknown): void => {
    this.#log.fatal({ err: error, reason: 'fatal error' }, 'server stopped');
  };

  constructor(log: Logger, config: Config) {
    this.#log = log;
    this.#config = config;
  }

  /** `isGuarded`: exceptions that nothing catches are handled elsewhere. */
  starting(isGuarded: boolean): void {
    for (const problem of unknownVariables(this.#config.operatorFile.env)) this.#log.warn(problem);
    if (isGuarded) return;
    // Node writes the stack to standard error and exits with a failure, as without a listener.
    process.on('uncaughtExceptionMonitor', this.#onFatal);
  }

  started({ url, auth, tools }: StartedServer): void {
    const { database } = this.#config;
    const about = { version: VERSION, node: process.version, engine: database.engine, database: databaseName(database) };
    this.#log.info({ ...about, url, auth, tools }, 'server started');
  }

  stopping(reason: StopReason): void {
    this.#log.info({ reason }, 'server stopping');
  }

  stopped(reason: StopReason, tookMs: number): void {
    process.off('uncaughtExceptionMonitor', this.#onFatal);
    this.#log.info({ reason, ms: Math.round(tookMs) }, 'server stopped');
  }

  notStarted(error: unknown): void {
    process.off('uncaughtExceptionMonitor', this.#onFatal);
    this.#log.fatal({ err: error, reason: 'not started' }, 'server stopped');
  }
}
