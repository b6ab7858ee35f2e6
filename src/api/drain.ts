import type { FastifyRequest } from 'fastify';
import type { Api } from './services.ts';

/** How long requests under way may take once the server closes. */
const GRACE_MS = 8_000;
const SWEEP_MS = 50;

/**
 * When the server closes, lets the requests under way end and then hangs up. Node alone would wait for every connection
 * that has not had a request yet, and clients do open such connections.
 */
export function drain(app: Api): void {
  const underWay = new Set<FastifyRequest>();
  let sweeping: NodeJS.Timeout | undefined;

  app.addHook('onRequest', (request, reply, done) => {
    underWay.add(request);
    // A client that leaves before it has its answer has no `onResponse`; an injected request has no `close`.
    reply.raw.once('close', () => underWay.delete(request));
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    underWay.delete(request);
    done();
  });
  app.addHook('preClose', async () => {
    const untilMs = performance.now() + GRACE_MS;
    sweeping = setInterval(() => {
      if (underWay.size === 0 || performance.now() >= untilMs) app.server.closeAllConnections();
    }, SWEEP_MS);
    sweeping.unref();
  });
  app.addHook('onClose', async () => clearInterval(sweeping));
}
