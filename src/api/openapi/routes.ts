import type { FastifySchema } from 'fastify';
import type { Access } from '../auth/authenticator.ts';
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

/** A route as it was registered, for whoever describes it. */
export interface DescribedRoute {
  readonly method: string;
  /** As Fastify writes it: `/executions/:id`. */
  readonly url: string;
  readonly access: Access;
  readonly schema: FastifySchema;
}

/** Every route that is registered from now on. HEAD is left out: it goes without saying where there is a GET. */
export function describedRoutes(app: Api): readonly DescribedRoute[] {
  const routes: DescribedRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema = {}, config }) => {
    const described = [method].flat().filter((name) => name !== 'HEAD');
    for (const name of described) routes.push({ method: name, url, access: config?.access ?? 'open', schema });
  });
  return routes;
}
