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
import type { ControlPlane } from '../control/control-plane.ts';
import type { Caller } from '../runtime/types/caller.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import type { Config } from '../server/config.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { TokenAuthenticator } from './auth/authenticator.ts';
import type { Access, Identity } from './auth/identity.ts';
import { requestPath } from './compat/sdk-paths.ts';
import type { PublishedWorkflows } from './discovery/published.ts';
import type { LoadShedder } from './overload/load-shedder.ts';
import type { EventStreams } from './streams/event-streams.ts';
import type { LongPolls } from './streams/long-polls.ts';

/** The Fastify app of the server. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** The services that routes use. */
export interface Services {
  readonly runtime: ServerRuntime;
  readonly store: Store;
  readonly control: ControlPlane;
  readonly config: Config;
  readonly tokens: TokenAuthenticator;
  readonly polls: LongPolls;
  readonly streams: EventStreams;
  readonly shedder: LoadShedder;
  /** Null: this process has none. */
  readonly metrics: Metrics | null;
  readonly published: PublishedWorkflows;
  readonly nowMs: () => number;
  /** Whether the server is about to close: it still serves, but balancers should choose another one. */
  readonly isStopping: () => boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required on every route: which callers may use it. */
    access?: Access;
    /** Whether a request with this body reduces load (a cancel, a pause, a rejection): such requests are admitted beyond the request rate. */
    reducesLoad?: (body: unknown) => boolean;
    /** The request adds what is stored, outside of commands: it is refused beyond `max_storage_bytes`. */
    addsStorage?: true;
    /** A body in YAML arrives as `YamlBody`; elsewhere all bodies are JSON. */
    acceptsYaml?: boolean;
    /** Refused while such requests wait too long: they add work, and are answered as soon as that is committed. */
    isShed?: true;
  }
  interface FastifyRequest {
    /** Set by the guard on every route that is not open; null on open routes. */
    identity: Identity | null;
    /** The `Content-Type` header, which the guard removes because bodies are parsed as JSON whatever it says. Null if absent. */
    contentType: string | null;
    /** Whether it was refused because others wait too long. */
    isShed: boolean;
    /** Called when the reply has been sent. */
    onAnswered: (() => void) | null;
  }
}

export function identityOf(request: FastifyRequest): Identity {
  if (request.identity === null) throw new Error(`internal error: route ${request.url} is open and has no identity`);
  return request.identity;
}

/** A string field of a body that is not validated yet; empty if it has none. */
export function stringField(body: unknown, key: string): string {
  const value = isObject(body) ? body[key] : undefined;
  return typeof value === 'string' ? value : '';
}

/** The part of an identity that is recorded. */
export type ActingIdentity = Pick<Identity, 'tenantId' | 'name' | 'tokenId' | 'role'>;

/** The caller, and the request that is recorded with its effects. */
export function callerOf(request: FastifyRequest): Caller {
  const identity = identityOf(request);
  const caller = callerAs(request, identity);
  return identity.queues === null ? caller : { ...caller, queues: identity.queues };
}

function callerAs(request: FastifyRequest, { tenantId, name, tokenId, role }: ActingIdentity): Caller {
  const token = tokenId === null ? {} : { token: tokenId, role };
  return {
    tenantId,
    actorId: name,
    actorType: actorTypeOf(name),
    request: { id: request.id, method: request.method, path: requestPath(request), ip: request.ip, ...token },
  };
}

/** The tokens of agents are named `agent:<id>`. */
function actorTypeOf(name: string): Caller['actorType'] {
  return name.startsWith('agent:') ? 'agent' : 'human';
}

/** For changes of the control plane, which are recorded in the tenant of the caller, whatever they change. */
export function actionContext(incoming: FastifyRequest, atMs: number): ActionContext {
  return actionContextOf(incoming, identityOf(incoming), atMs);
}

/** The same for a request of an open route, made on behalf of `identity`. */
export function actionContextOf(incoming: FastifyRequest, identity: ActingIdentity, atMs: number): ActionContext {
  const { tenantId, actorId, actorType, request } = callerAs(incoming, identity);
  return { tenantId, atMs, actorId, actorType, request: request === undefined ? null : JSON.stringify(request) };
}
