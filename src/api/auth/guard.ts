import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { requestPath } from '../compat/sdk-paths.ts';
import { RequestError } from '../errors.ts';
import type { Api, Services } from '../services.ts';
import { rejectCrossOrigin } from './cross-origin.ts';
import { ANONYMOUS, requireAccess } from './identity.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const RETRY_AFTER_MS = 2_000;

/** Hooks that every request passes first: they refuse requests during shutdown, identify the caller, and check its rights and rate. */
export function guard(app: Api, { runtime, tokens, polls, config }: Services, auth: 'on' | 'off', actor = ANONYMOUS.name): void {
  const anonymous = { ...ANONYMOUS, name: actor };
  let closing = false;

  app.decorateRequest('identity', null);
  app.decorateRequest('contentType', null);
  app.addHook('preClose', async () => {
    closing = true;
    polls.close();
  });
  app.addHook('onRoute', ({ method, url, config: route }) => {
    if (route?.access === undefined) throw new Error(`route ${String(method)} ${url} has no config.access`);
  });
  app.addHook('onRequest', async (request) => {
    if (closing) throw new RuntimeError('shutting_down', 'the server is shutting down', { retryAfterMs: RETRY_AFTER_MS });
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw new RequestError('client_error', 'an HTTP/1.1 request needs a Host header');
    if (auth === 'off') rejectCrossOrigin(request.headers, config);
    // Bodies are JSON whatever their content type; Fastify would refuse a malformed one before the parser sees the body.
    request.contentType = request.raw.headers['content-type'] ?? null;
    request.raw.headers['content-type'] = undefined;
    const { access = 'open', reducesLoad } = request.routeOptions.config;
    if (access === 'open') return;
    request.identity = auth === 'off' ? anonymous : await tokens.identify(request.headers.authorization);
    if (reducesLoad === undefined) await runtime.tenants.request(request.identity.tenantId);
    requireAccess(request.identity.role, access);
  });
  // Whether a request reduces load is known once its body is read.
  app.addHook('preValidation', async ({ identity, routeOptions, body }) => {
    const { reducesLoad } = routeOptions.config;
    if (identity !== null && reducesLoad !== undefined) await runtime.tenants.request(identity.tenantId, reducesLoad(body));
  });
  app.setNotFoundHandler((request) => {
    const path = requestPath(request);
    const url = request.url.split('?', 1)[0] ?? '';
    const allowed = METHODS.filter((method) => app.findRoute({ method, url }) !== null);
    if (allowed.length === 0) throw new RuntimeError('not_found', `${request.method} ${truncated(path)} not found`);
    throw new RequestError('method_not_allowed', `${request.method} ${truncated(path)}; use ${allowed.join(' or ')}`, {
      headers: { allow: allowed.join(', ') },
    });
  });
}
