import type { FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify';
import type { ActionContext } from '../../../store/port/control.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import type { Identity } from '../auth/identity.ts';
import { type Convert, type Decoded, decoder, type Encodable, encoder, isStream, type Verbatim } from '../operations/codec.ts';
import type { Operation, Resource, Wire } from '../operations/operation.ts';
import { sendList } from '../replies/json-list.ts';
import { type Api, actionContext, callerOf, identityOf, type Services, stringField } from '../services.ts';

/** A request to an operation, in values of the program. */
export class Call<Params = unknown, Query = unknown, Body = unknown, Json = unknown> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly #nowMs: () => number;

  constructor(
    { request, reply, nowMs }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly nowMs: () => number },
    { params, query, body }: { readonly params: Params; readonly query: Query; readonly body: Body },
  ) {
    this.request = request;
    this.reply = reply;
    this.params = params;
    this.query = query;
    this.body = body;
    this.#nowMs = nowMs;
  }

  /** The body in the form of the API. */
  get json(): Json {
    return this.request.body as Json;
  }

  get identity(): Identity {
    return identityOf(this.request);
  }

  get tenantId(): string {
    return this.identity.tenantId;
  }

  get caller(): Caller {
    return callerOf(this.request);
  }

  /** For changes of the control plane. */
  get context(): ActionContext {
    return actionContext(this.request, this.#nowMs());
  }
}

type CallOf<O> = Call<Decoded<Wire<O, 'params'>>, Decoded<Wire<O, 'query'>>, Decoded<Wire<O, 'body'>>, Wire<O, 'body'>>;

/** A request to an operation of a resource. */
export type CallTo<R extends Resource, Route extends keyof R['operations']> = CallOf<R['operations'][Route]>;

/** The lists of a reply may be read while it is sent. */
type Streamable<T> = { readonly [K in keyof T]: T[K] | Streamed<T[K]> };
type Streamed<V> = V extends readonly (infer Item)[] ? AsyncIterable<Item> : never;
type ReplyOf<O> = Handled<Encodable<Wire<O, 'reply'>>>;
type Handled<T> = T extends Verbatim ? T : Streamable<T>;

/** What each operation does. */
type Handlers<Operations> = {
  readonly [Route in keyof Operations]: (
    call: CallOf<Operations[Route]>,
    services: Services,
  ) => ReplyOf<Operations[Route]> | Promise<ReplyOf<Operations[Route]>>;
};

/** The routes of a resource. What does not depend on the server is made once, with the first. */
export function implement<R extends Resource>(
  { tag, operations }: R,
  handlers: Handlers<R['operations']>,
): (app: Api, services: Services) => void {
  let routes: readonly Route[] | null = null;
  return (app, services) => {
    routes ??= Object.entries(operations).map(([route, operation]) =>
      routeOf(route, tag, operation, handlers[route] as (call: Call, services: Services) => unknown),
    );
    for (const { options, handlerFor } of routes) app.route({ handler: handlerFor(services), ...options });
  };
}

interface Route {
  readonly options: Omit<RouteOptions, 'handler'>;
  handlerFor(services: Services): RouteHandlerMethod;
}

function routeOf(route: string, tag: string, operation: Operation, handle: (call: Call, services: Services) => unknown): Route {
  const [method = '', url = ''] = route.split(' ');
  const { id, access, addsStorage, isShed, acceptsYaml, reducesLoad, summary, description } = operation;
  const { params, query, body, reply, status = 200 } = operation;
  return {
    options: {
      method,
      url,
      config: {
        access,
        ...(addsStorage && { addsStorage }),
        ...(isShed && { isShed }),
        ...(acceptsYaml && { acceptsYaml }),
        ...(reducesLoad && { reducesLoad: hasOneOf(reducesLoad) }),
      },
      schema: {
        summary,
        ...(description && { description }),
        tags: [tag],
        operationId: id,
        ...(params && { params }),
        ...(query && { querystring: query }),
        ...(body && { body }),
        ...(operation.bodyMayBeMissing && { bodyMayBeMissing: true }),
        response: { [status]: reply, ...operation.otherReplies },
      },
      ...(operation.bodyMayBeMissing && { preValidation: fillBody }),
    },
    handlerFor: handlersOf(operation, handle),
  };
}

function hasOneOf(fields: true | Readonly<Record<string, readonly string[]>>): (body: unknown) => boolean {
  if (fields === true) return () => true;
  return (body) => Object.entries(fields).some(([name, values]) => values.includes(stringField(body, name)));
}

/** For a route with `bodyMayBeMissing`. */
export async function fillBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

interface Codec {
  readonly params: Convert;
  readonly query: Convert;
  readonly body: Convert;
  readonly encode: Convert;
}

function codecOf({ params, query, body, reply }: Operation): Codec {
  return { params: decoder(params), query: decoder(query), body: decoder(body), encode: encoder(reply) };
}

/** Their codec is made at the first request, like the validators. */
function handlersOf(operation: Operation, handle: (call: Call, services: Services) => unknown): Route['handlerFor'] {
  let codec: Codec | null = null;
  return (services) => {
    const { nowMs } = services;
    return async (request, reply) => {
      codec ??= codecOf(operation);
      const { params, query, body, encode } = codec;
      const input = { params: params(request.params), query: query(request.query), body: body(request.body) };
      void reply.code(operation.status ?? 200);
      const sent = encode(await handle(new Call({ request, reply, nowMs }, input), services)) as Record<string, unknown>;
      const list = Object.entries(sent).find(([, value]) => isStream(value));
      if (list === undefined) return sent;
      const { [list[0]]: items, ...rest } = sent;
      return sendList(reply, list[0], items as AsyncIterable<unknown>, rest);
    };
  };
}
