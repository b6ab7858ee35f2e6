import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { Bindings } from 'pino';
import { requestPath } from '../compat/sdk-paths.ts';
import type { Api } from '../services.ts';

/** Tells whether lines of a level are written. */
export interface LogLevels {
  isLevelEnabled(level: 'info' | 'debug'): boolean;
}

/** `X-Request-Id` of the client if it is safe to log, else a new id. */
export function requestId(raw: Pick<IncomingMessage, 'headers'>): string {
  const given = raw.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/**
 * Logs one line per finished request: failures at level info; successes, and clients that disconnected early, at level debug. Headers and
 * queries are not logged, because they may contain secrets.
 */
export function logRequests(app: Api, log: LogLevels | null): void {
  const logs = (level: 'info' | 'debug'): boolean => log?.isLevelEnabled(level) === true;
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (logs('debug')) {
      reply.raw.once('close', () => {
        if (!reply.raw.writableEnded) request.log.debug(logFields(request, reply), 'client disconnected before the reply');
      });
    }
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const level = reply.statusCode >= 400 && !request.isShed ? 'info' : 'debug';
    if (logs(level)) request.log[level](Object.assign(logFields(request, reply), { status: reply.statusCode }), 'request');
    done();
  });
}

function logFields(request: FastifyRequest, reply: FastifyReply): object {
  const { identity } = request;
  return {
    method: request.method,
    path: requestPath(request),
    ms: Math.round(reply.elapsedTime),
    ...(identity === null ? {} : { tenant: identity.tenantId, actor: identity.name }),
  };
}

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
