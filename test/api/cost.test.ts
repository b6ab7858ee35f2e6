import { describe, expect, it } from 'vitest';
import { longestTurnMs } from '../support/longest-turn.ts';
import { fullServer, send } from './support/full-server.ts';
import { nameOf, registeredRoutes } from './support/routes.ts';
import { MAX_BODY, worstRequests } from './support/worst-requests.ts';

/** CPU time for which a request of 64 KB may keep the event loop from others. */
const MOST_MS = 100;
/** The least of them counts: another thread's garbage collection is none of the request's. */
const ATTEMPTS = 3;

/** Routes that may refuse every request here: they need what this database does not have, or refuse padding. */
const REFUSING = new Set([
  'POST /agents/:id/archive',
  'POST /agents/:id/pause',
  'POST /agents/discover',
  'POST /executions/:id/events',
  'POST /jobs/:id/cancel',
  'POST /sign-in',
  'POST /sign-in-links',
  'POST /sign-out',
  'POST /tenants/:id/storage/recount',
  'POST /tokens',
]);

describe('a request of 64 KB', () => {
  it('holds the event loop for a moment only, whatever its route and its content', async () => {
    const { server, subjects, token } = await fullServer();
    const slow: string[] = [];
    const failed: string[] = [];
    const refused = new Set<string>();
    const order = ['GET', 'POST', 'PUT', 'DELETE'];
    const routes = (await registeredRoutes(server)).toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
    for (const route of routes) {
      if (route.method !== 'GET' && route.method !== 'DELETE') refused.add(nameOf(route));
      for (const request of worstRequests(route, subjects)) {
        const { url, body, rawBody } = request;
        expect(Buffer.byteLength(rawBody ?? JSON.stringify(body ?? '')), url).toBeLessThanOrEqual(MAX_BODY);
        let [least, status] = [Number.POSITIVE_INFINITY, 0];
        for (let n = 0; n < ATTEMPTS && least > MOST_MS / 2; n += 1) {
          const took = await longestTurnMs(async () => {
            status = await send(server, route.method, token, request);
            if (status < 300) refused.delete(nameOf(route));
          });
          least = Math.min(least, took);
        }
        if (least > MOST_MS)
          slow.push(
            `${nameOf(route)}: ${least.toFixed(0)} ms (${status}): ${request.url.slice(0, 100)} ${JSON.stringify(request.body ?? request.rawBody ?? '').slice(0, 200)}`,
          );
        if (status >= 500) failed.push(request.url.slice(0, 100));
      }
    }
    expect([slow, failed]).toEqual([[], []]);
    // What is measured is more than a refusal.
    expect([...refused].filter((name) => !REFUSING.has(name))).toEqual([]);
  });
});
