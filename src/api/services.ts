import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { isObject } from '../../machines/json.ts';
import type { ActionContext } from '../../store/port/control.ts';
import type { Store } from '../../store/port/store.ts';
import type { Config } from '../config.ts';
import type { ControlPlane } from '../control/control-plane.ts';
import type { Caller } from '../runtime/types/caller.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import type { Access, Identity, TokenAuthenticator } from './auth/authenticator.ts';
import { requestPath } from './compat/sdk-paths.ts';
import type { EventStreams } from './streams/event-streams.ts';
import type { LongPolls } from './streams/long-polls.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes work with. */
export interface Services {
  readonly runtime: ServerRuntime;
  readonly store: Store;
  readonly control: ControlPlane;
  readonly config: Config;
  readonly tokens: TokenAuthenticator;
  readonly polls: LongPolls;
  readonly streams: EventStreams;
  readonly nowMs: () => number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route; every route says so. */
    access?: Access;
    /** Does a request with this body make less work (a cancel, a pause, a rejection)? Then its tenant's request rate does not refuse it. */
    relieves?: (body: unknown) => boolean;
  }
  interface FastifyRequest {
    /** Set by the guard on every route that is not open. */
    identity: Identity | null;
    /** The `Content-Type` as it came: bodies are JSON whatever they are called, so the guard takes the header away. */
    contentType: string | null;
  }
}

export function identityOf(request: FastifyRequest): Identity {
  if (request.identity === null) throw new Error(`route ${request.url} is open and has no identity`);
  return request.identity;
}

/** A text in a body that was not validated yet; empty when there is none. */
export function stringField(body: unknown, key: string): string {
  const value = isObject(body) ? body[key] : undefined;
  return typeof value === 'string' ? value : '';
}

/** Who asks, with the request that is recorded beside what it causes. */
export function callerOf(request: FastifyRequest): Caller {
  const { tenantId, name, tokenId, role } = identityOf(request);
  const token = tokenId === null ? {} : { token: tokenId, role };
  return {
    tenantId,
    actorId: name,
    actorType: actorTypeOf(name),
    request: { id: request.id, method: request.method, path: requestPath(request), ip: request.ip, ...token },
  };
}

/** Tokens of agents are named `agent:<id>`. */
function actorTypeOf(name: string): Caller['actorType'] {
  return name.startsWith('agent:') ? 'agent' : 'human';
}

/** For what changes the control plane: it belongs to the tenant of whoever acts, whatever it changes. */
export function actionContext(asked: FastifyRequest, atMs: number): ActionContext {
  const { tenantId, actorId, actorType, request } = callerOf(asked);
  return { tenantId, atMs, actorId, actorType, request: request === undefined ? null : JSON.stringify(request) };
}
