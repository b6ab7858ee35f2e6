import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RuntimeError } from '../../runtime/errors.ts';
import { errorReply, RequestError } from '../errors.ts';

/** Replies to every error. Serves as Fastify's error handler and as its `frameworkErrors`. */
export function handleError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = errorReply(error, request.id);
  // Overload and failures of remote servers are not errors of this server.
  const expected = error instanceof RuntimeError && (error.retryAfterMs !== null || error.code === 'remote_failed');
  const clientGone = request.raw.destroyed && !request.raw.complete;
  if (status >= 500 && !expected && !clientGone) request.log.error({ err: error }, 'request failed');
  void reply.code(status).headers(headers).send(body);
}

/** Replies to what is not valid HTTP and therefore has no Fastify request. */
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
