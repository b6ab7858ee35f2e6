import type { FastifyRequest } from 'fastify';
import type { Api } from './services.ts';

/** How long requests in flight may take once the server closes. */
const GRACE_MS = 8_000;
const POLL_MS = 50;

/**
 * When the server closes, waits for requests in flight and then closes all connections. Node alone would also wait for connections
 * without a request yet, which clients open in advance.
 */
export function closeAfterInFlight(app: Api): void {
  const inFlight = new Set<FastifyRequest>();
  let closing: NodeJS.Timeout | undefined;

  app.addHook('onRequest', (request, reply, done) => {
    inFlight.add(request);
    // `onResponse` is not called if the client disconnects early; `close` is not emitted for injected requests.
    reply.raw.once('close', () => inFlight.delete(request));
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    inFlight.delete(request);
    done();
  });
  app.addHook('preClose', async () => {
    const untilMs = performance.now() + GRACE_MS;
    closing = setInterval(() => {
      if (inFlight.size === 0 || performance.now() >= untilMs) app.server.closeAllConnections();
    }, POLL_MS);
    closing.unref();
  });
  app.addHook('onClose', async () => clearInterval(closing));
}
