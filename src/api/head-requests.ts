import { Readable } from 'node:stream';
import type { onSendHookHandler } from 'fastify';
import type { Api } from './services.ts';

/** Lets routes answer HEAD as GET, without the body. Fastify's own way registers a second route for each. */
export function answerHead(app: Api): void {
  app.addHook('onRoute', (route) => {
    if (route.method !== 'GET' || route.exposeHeadRoute === false) return;
    route.method = ['GET', 'HEAD'];
    route.onSend = [...[route.onSend ?? []].flat(), withoutBody];
  });
}

const withoutBody: onSendHookHandler<unknown> = (request, reply, payload, done) => {
  if (request.method !== 'HEAD') return done(null, payload);
  if (payload instanceof Readable)
    payload.on('error', (error) => request.log.error({ err: error }, 'body of a reply to HEAD could not be read')).resume();
  else void reply.header('content-length', String(Buffer.byteLength((payload ?? '') as string | Buffer)));
  done(null, null);
};
