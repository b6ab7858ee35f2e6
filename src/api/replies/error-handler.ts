import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RuntimeError } from '../../runtime/errors.ts';
import { TimeSlices } from '../../runtime/scheduling/time-slices.ts';
import { requestPath } from '../compat/sdk-paths.ts';
import { errorReply, RequestError } from '../errors.ts';
import type { Api } from '../services.ts';

/** The client's own `X-Request-Id` when it is harmless, else a new one. */
export function requestId(raw: Pick<IncomingMessage, 'headers'>): string {
  const given = raw.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The one place where an error becomes a reply. Serves as Fastify's error handler and as its `frameworkErrors`. */
export function handleError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const answer = errorReply(error, request.id);
  // Whoever is told to come back later, or that another server does not answer, has met no fault of this one.
  const expected = error instanceof RuntimeError && (error.retryAfterMs !== null || error.code === 'remote_failed');
  // A client that hangs up in the middle of its body gets no answer, and nobody needs to be told.
  const gone = request.raw.destroyed && !request.raw.complete;
  if (answer.status >= 500 && !expected && !gone) request.log.error({ err: error }, 'request failed');
  void reply.code(answer.status).headers(answer.headers).send(answer.body);
}

/** What is not even HTTP has no request and no reply, only a socket. */
export function handleMalformedHttp(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const refusal = new RequestError('client_error', tooLong ? 'the request headers are too long' : 'malformed HTTP request');
  const body = JSON.stringify(errorReply(refusal, '').body);
  if (socket.writable) {
    const status = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.write(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

/**
 * Writing a large state as JSON takes tens of milliseconds: requests that came together are answered in several turns of the event loop. What
 * is open to everybody, such as the health of the server, waits for nothing.
 */
export function serializeFairly(app: Api, nowMs: () => number): void {
  const slices = new TimeSlices({ nowMs });
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    const turn = request.identity === null ? null : slices.slice(request.identity.tenantId).next();
    if (turn === null) done(null, payload);
    else turn.then(() => done(null, payload), done);
  });
}

/**
 * One line per finished request: failures are always told, successes and clients that left before they had their answer to those who
 * debug. Neither headers nor queries: they hold secrets.
 */
export function logRequests(app: Api): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) request.log.debug(logFields(request, reply), 'the client left');
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    request.log[reply.statusCode >= 400 ? 'info' : 'debug'](
      { ...logFields(request, reply), status: reply.statusCode },
      'request',
    );
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
