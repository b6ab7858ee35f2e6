import type { FastifyReply, FastifyRequest, onRequestHookHandler, preValidationAsyncHookHandler } from 'fastify';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { requestPath } from '../compat/sdk-paths.ts';
import { RequestError } from '../errors.ts';
import { shed } from '../overload/shed.ts';
import { type Api, identityOf, type Services } from '../services.ts';
import { rejectCrossOrigin } from './cross-origin.ts';
import { type Access, ANONYMOUS, type Identity, requireAccess } from './identity.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const RETRY_AFTER_MS = 2_000;

/** Hooks that requests pass first: they refuse requests during shutdown, identify the caller, and check its rights and rate. */
export function guard(
  app: Api,
  { runtime, tokens, polls, config, shedder }: Services,
  auth: 'on' | 'off',
  actor = ANONYMOUS.name,
): void {
  const anonymous = { ...ANONYMOUS, name: actor };
  let closing = false;

  app.decorateRequest('identity', null);
  app.decorateRequest('contentType', null);
  app.decorateRequest('isShed', false);
  app.decorateRequest('onAnswered', null);
  app.addHook('onResponse', (request, _reply, done) => {
    request.onAnswered?.();
    done();
  });
  app.addHook('preClose', async () => {
    closing = true;
    polls.close();
  });
  app.addHook('onRoute', (route) => {
    const { access, reducesLoad, addsStorage, isShed = false } = route.config ?? {};
    if (access === undefined) throw new Error(`route ${String(route.method)} ${route.url} has no config.access`);
    if (access === 'open') return;
    route.onRequest = authorize(access, reducesLoad === undefined, isShed);
    if (reducesLoad !== undefined) route.preValidation = [countByBody(reducesLoad), ...[route.preValidation ?? []].flat()];
    if (addsStorage === true) route.preValidation = [mayStore, ...[route.preValidation ?? []].flat()];
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (closing) throw new RuntimeError('shutting_down', 'the server is shutting down', { retryAfterMs: RETRY_AFTER_MS });
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw new RequestError('client_error', 'an HTTP/1.1 request needs a Host header');
    if (auth === 'off') rejectCrossOrigin(request.headers, config);
    // Bodies are JSON whatever their content type; Fastify would refuse a malformed one before the parser sees the body.
    request.contentType = request.raw.headers['content-type'] ?? null;
    request.raw.headers['content-type'] = undefined;
    done();
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

  /** Identifies the caller, counts its request if `counts`, and checks its rights. Waits only when the store has to be read. */
  function authorize(access: Access, counts: boolean, isShed: boolean): onRequestHookHandler {
    const admit = (request: FastifyRequest, reply: FastifyReply, identity: Identity): Promise<void> | null => {
      request.identity = identity;
      if (isShed) shed(shedder, identity.tenantId, request, reply);
      const counted = counts ? runtime.tenants.request(identity.tenantId) : null;
      if (counted !== null) return counted.then(() => requireAccess(identity.role, access));
      requireAccess(identity.role, access);
      return null;
    };
    return (request, reply, done) => {
      const identity = auth === 'off' ? anonymous : tokens.identify(request.headers.authorization);
      const admitted =
        identity instanceof Promise ? identity.then((read) => admit(request, reply, read)) : admit(request, reply, identity);
      if (admitted === null) done();
      else admitted.then(() => done(), done);
    };
  }

  async function mayStore(request: FastifyRequest): Promise<void> {
    await runtime.tenants.mayStore(identityOf(request).tenantId);
  }

  /** Whether a request reduces load is known once its body is read. */
  function countByBody(reducesLoad: (body: unknown) => boolean): preValidationAsyncHookHandler {
    return async (request) => {
      await runtime.tenants.request(identityOf(request).tenantId, reducesLoad(request.body));
    };
  }
}
