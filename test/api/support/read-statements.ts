import type { Read } from '../../support/counted-reads.ts';
import type { Api } from './api.ts';
import { type FullServer, send } from './full-server.ts';
import { nameOf, type Route, registeredRoutes } from './routes.ts';
import { worstRequests } from './worst-requests.ts';

/** Of one statement, with different values. */
const MOST_READS = 60;

/** A statement with the values that it was given, and the route that was the first to use it. */
export interface ReadStatement {
  readonly route: string;
  readonly reads: ReadonlyMap<string, Read>;
}

/** What a viewer may ask: what is read by GET, and what MCP and A2A list. */
const isRead = ({ method, url }: Route): boolean => method === 'GET' || url === '/mcp' || url === '/a2a';

/** The statements with which the routes read the database, by text. */
export async function statementsOf(
  { server, subjects }: { readonly server: Api; readonly subjects: FullServer['subjects'] },
  readsDuring: (work: () => Promise<unknown>) => Promise<readonly Read[]>,
): Promise<ReadonlyMap<string, ReadStatement>> {
  // What caches know of the tenant is read again at the first request, since a notice of a change may have them do so at any later one.
  await server.call('PUT', '/tenants/default', { as: 'operator', body: { policy: null } });
  const token = await server.token('viewer');
  const statements = new Map<string, { readonly route: string; readonly reads: Map<string, Read> }>();
  for (const route of (await registeredRoutes(server)).filter(isRead))
    for (const request of worstRequests(route, subjects))
      for (const read of await readsDuring(() => send(server, route.method, token, request))) {
        const { reads } = statements.get(read.sql) ?? { reads: new Map<string, Read>() };
        if (reads.size === 0) statements.set(read.sql, { route: nameOf(route), reads });
        if (reads.size < MOST_READS) reads.set(JSON.stringify(read.bound), read);
      }
  return statements;
}
