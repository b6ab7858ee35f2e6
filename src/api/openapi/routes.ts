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
  readonly schema: FastifySchema;
}

/** A list that grows with every route registered from now on. HEAD routes are left out: every GET route has one. */
export function describedRoutes(app: Api): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema = {}, config }) => {
    const described = [method].flat().filter((name) => name !== 'HEAD');
    for (const name of described) routes.push({ method: name, url, access: config?.access ?? 'open', schema });
  });
  return routes;
}
