import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RuntimeError } from '../runtime/errors.ts';
import { pathOf } from './dialects.ts';
import { answerTo, Refusal } from './errors.ts';
import type { Api } from './services.ts';

/** The client's own `X-Request-Id` when it is harmless, else a new one. */
export function requestId(raw: Pick<IncomingMessage, 'headers'>): string {
  const given = raw.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The one place where an error becomes a reply. Serves as Fastify's error handler and as its `frameworkErrors`. */
export function answerErrors(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const answer = answerTo(error, request.id);
  // Whoever is told to come back later, or that another server does not answer, has met no fault of this one.
  const expected = error instanceof RuntimeError && (error.retryAfterMs !== null || error.code === 'remote_failed');
  if (answer.status >= 500 && !expected) request.log.error({ err: error }, 'request failed');
  void reply.code(answer.status).headers(answer.headers).send(answer.body);
}

/** What is not even HTTP has no request and no reply, only a socket. */
export function answerBrokenHttp(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const refusal = new Refusal('client_error', tooLong ? 'the request headers are too long' : 'malformed HTTP request');
  const body = JSON.stringify(answerTo(refusal, '').body);
  if (socket.writable) {
    const status = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

/** One line per finished request: failures are always told, successes to those who debug. Neither headers nor queries: they hold secrets. */
export function logRequests(app: Api): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const level = reply.statusCode >= 400 ? 'info' : 'debug';
    request.log[level](
      {
        method: request.method,
        path: pathOf(request),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...(request.identity === null ? {} : { tenant: request.identity.tenantId, actor: request.identity.name }),
      },
      'request',
    );
    done();
  });
}
