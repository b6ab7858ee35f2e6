import type { FastifyRequest } from 'fastify';
import type { Api } from './services.ts';

/** How long requests under way may take once the server closes. */
const GRACE_MS = 8_000;
const POLL_MS = 50;

/**
 * When the server closes, lets the requests under way end and then hangs up. Node alone would wait for every connection
 * that has not had a request yet, and clients do open such connections.
 */
export function closeAfterInFlight(app: Api): void {
  const inFlight = new Set<FastifyRequest>();
  let closing: NodeJS.Timeout | undefined;

  app.addHook('onRequest', (request, reply, done) => {
    inFlight.add(request);
    // A client that leaves before it has its answer has no `onResponse`; an injected request has no `close`.
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
