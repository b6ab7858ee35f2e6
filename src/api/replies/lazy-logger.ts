import type { FastifyBaseLogger } from 'fastify';
import type { Bindings } from 'pino';

type Level = Exclude<keyof FastifyBaseLogger, 'child' | 'level'>;

/** A child logger that is made when its first line is written: most requests write none. */
export class LazyLogger implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger;
  readonly #bindings: Bindings;
  #logger: FastifyBaseLogger | null = null;

  constructor(parent: FastifyBaseLogger, bindings: Bindings) {
    this.#parent = parent;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#parent.level;
  }

  fatal(...line: unknown[]): void {
    this.#write('fatal', line);
  }

  error(...line: unknown[]): void {
    this.#write('error', line);
  }

  warn(...line: unknown[]): void {
    this.#write('warn', line);
  }

  info(...line: unknown[]): void {
    this.#write('info', line);
  }

  debug(...line: unknown[]): void {
    this.#write('debug', line);
  }

  trace(...line: unknown[]): void {
    this.#write('trace', line);
  }

  silent(...line: unknown[]): void {
    this.#write('silent', line);
  }

  child(...given: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#open().child(...given);
  }

  #open(): FastifyBaseLogger {
    this.#logger ??= this.#parent.child(this.#bindings);
    return this.#logger;
  }

  #write(level: Level, line: unknown[]): void {
    const logger = this.#open();
    (logger[level] as (...line: unknown[]) => void).apply(logger, line);
  }
}
