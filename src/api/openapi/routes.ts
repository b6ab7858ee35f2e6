import type { FastifySchema } from 'fastify';
import type { Access } from '../auth/identity.ts';
import type { Api } from '../services.ts';

declare module 'fastify' {
  interface FastifySchema {
    /** One line, without a full stop. */
    summary?: string;
    description?: string;
    tags?: readonly string[];
    /** camelCase, unique. */
    operationId?: string;
    /** A request without a body is one with an empty object. */
    bodyMayBeMissing?: true;
  }
}

/** A registered route. */
export interface DescribedRoute {
  readonly method: string;
  /** In the syntax of Fastify: `/executions/:id`. */
  readonly url: string;
  readonly access: Access;
  /** Unknown fields and query parameters are reported. */
  readonly checksFields: boolean;
  readonly schema: FastifySchema;
}

/**
 * A list that grows with every route registered from now on; HEAD is left out. Fastify is given only the schemas of requests: it does not
 * look at replies.
 */
export function describedRoutes(app: Api): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', (route) => {
    const { method, url, schema = {}, config } = route;
    const described = [method].flat().filter((name) => name !== 'HEAD');
    const { access = 'open', checksFields = true } = config ?? {};
    for (const name of described) routes.push({ method: name, url, access, checksFields, schema });
    route.schema = ofRequest(schema);
  });
  return routes;
}

/** By what describes a route, which servers of one process share. */
const ofRequests = new WeakMap<FastifySchema, FastifySchema>();

function ofRequest(schema: FastifySchema): FastifySchema {
  const known = ofRequests.get(schema);
  if (known !== undefined) return known;
  const { params, querystring, body } = schema;
  const made = {
    ...(params !== undefined && { params }),
    ...(querystring !== undefined && { querystring }),
    ...(body !== undefined && { body }),
  };
  ofRequests.set(schema, made);
  return made;
}
