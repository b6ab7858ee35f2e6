import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANONYMOUS } from '../auth/identity.ts';
import { stripSdkPrefix } from '../compat/sdk-paths.ts';
import { errorReply } from '../errors.ts';
import { requestId } from '../replies/request-log.ts';
import type { Api, Services } from '../services.ts';
import { REFUSAL } from './shed.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Refuses requests of shed routes before Fastify sees them, while there is no room for more of their tenant: a refusal then costs a third.
 * Decides nothing else: what is let through is admitted or refused by the guard.
 */
export function refuseEarly(app: Api, { shedder, tokens }: Pick<Services, 'shedder' | 'tokens'>, auth: 'on' | 'off'): void {
  const paths: string[] = [];
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.isShed === true && method === 'POST') paths.push(url.replace(/:\w+/g, '[^/]+'));
  });
  const { headers, body, status } = errorReply(REFUSAL, '');
  const text = JSON.stringify(body);
  const replyHeaders = {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  };
  app.addHook('onReady', async () => {
    const isShedPath = new RegExp(`^(${paths.join('|')})(\\?|$)`);
    const listeners = app.server.listeners('request') as Listener[];
    const handle = (...request: Parameters<Listener>): void => {
      for (const listener of listeners) listener(...request);
    };
    app.server.removeAllListeners('request');
    app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!shedder.isShedding || request.method !== 'POST' || !isShedPath.test(stripSdkPrefix(request)))
        return handle(request, response);
      const tenantId = auth === 'off' ? ANONYMOUS.tenantId : tokens.cachedTenant(request.headers.authorization);
      if (tenantId === null || shedder.hasRoom(tenantId)) return handle(request, response);
      shedder.countRefusal();
      response.writeHead(status, { 'x-request-id': requestId(request), ...replyHeaders });
      response.end(text);
    });
  });
}
