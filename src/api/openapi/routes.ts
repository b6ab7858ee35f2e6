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

/** A list that grows with every route registered from now on. HEAD routes are left out: every GET route has one. */
export function describedRoutes(app: Api): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema = {}, config }) => {
    const described = [method].flat().filter((name) => name !== 'HEAD');
    const { access = 'open', checksFields = true } = config ?? {};
    for (const name of described) routes.push({ method: name, url, access, checksFields, schema });
  });
  return routes;
}
