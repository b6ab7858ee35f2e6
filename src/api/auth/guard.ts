import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { requestPath } from '../compat/sdk-paths.ts';
import { RequestError } from '../errors.ts';
import type { Api, Services } from '../services.ts';
import { ANONYMOUS, rejectCrossOrigin, requireAccess } from './authenticator.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const RETRY_AFTER_MS = 2_000;

/** Every request passes here first: is the server open, who asks, and may they? */
export function guard(app: Api, { runtime, tokens, polls, config }: Services, auth: 'on' | 'off', actor = ANONYMOUS.name): void {
  const anyone = { ...ANONYMOUS, name: actor };
  let closing = false;

  app.decorateRequest('identity', null);
  app.decorateRequest('contentType', null);
  app.addHook('preClose', async () => {
    closing = true;
    polls.close();
  });
  app.addHook('onRoute', ({ method, url, config: route }) => {
    if (route?.access === undefined) throw new Error(`route ${String(method)} ${url} does not say who may use it`);
  });
  app.addHook('onRequest', async (request) => {
    if (closing) throw new RuntimeError('shutting_down', 'the server is shutting down', { retryAfterMs: RETRY_AFTER_MS });
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw new RequestError('client_error', 'an HTTP/1.1 request needs a Host header');
    if (auth === 'off') rejectCrossOrigin(request.headers, config);
    // Bodies are JSON whatever they are called; a malformed content type would be refused before the parser sees it.
    request.contentType = request.raw.headers['content-type'] ?? null;
    request.raw.headers['content-type'] = undefined;
    const { access = 'open', relieves } = request.routeOptions.config;
    if (access === 'open') return;
    request.identity = auth === 'off' ? anyone : await tokens.identify(request.headers.authorization);
    if (relieves === undefined) await runtime.tenants.request(request.identity.tenantId);
    requireAccess(request.identity.role, access);
  });
  // What a request asks for is known once its body is read.
  app.addHook('preValidation', async ({ identity, routeOptions, body }) => {
    const { relieves } = routeOptions.config;
    if (identity !== null && relieves !== undefined) await runtime.tenants.request(identity.tenantId, relieves(body));
  });
  app.setNotFoundHandler((request) => {
    const path = requestPath(request);
    const url = request.url.split('?', 1)[0] ?? '';
    const allowed = METHODS.filter((method) => app.findRoute({ method, url }) !== null);
    if (allowed.length === 0) throw new RuntimeError('not_found', `${request.method} ${truncated(path)}`);
    throw new RequestError('method_not_allowed', `${request.method} ${truncated(path)}; use ${allowed.join(' or ')}`, {
      headers: { allow: allowed.join(', ') },
    });
  });
}
