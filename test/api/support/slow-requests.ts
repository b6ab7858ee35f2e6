import { longestTurnMs } from '../../support/longest-turn.ts';
import { someOf, TRIES_ALL } from '../../support/properties.ts';
import { type FullServer, send } from './full-server.ts';
import { nameOf, type Route, registeredRoutes } from './routes.ts';
import { MAX_BODY, type WorstRequest, worstRequests } from './worst-requests.ts';

/** CPU time for which a request of 64 KB may keep the event loop from others. */
const MOST_MS = 100;
/** The least of them counts: another thread's garbage collection is none of the request's. */
const ATTEMPTS = 3;
const ORDER = ['GET', 'POST', 'PUT', 'DELETE'];

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

export interface SlowRequests {
  /** What held the event loop for too long. */
  readonly slow: readonly string[];
  /** What ended with an internal error. */
  readonly failed: readonly string[];
  /** Routes that refused every request, so that nothing more than a refusal was measured; none unless all routes are tried. */
  readonly refused: readonly string[];
}

/** Sends the worst requests that are known for each route, or for some of the routes in `npm test`. */
export async function slowRequests({ server, subjects, token }: FullServer): Promise<SlowRequests> {
  const slow: string[] = [];
  const failed: string[] = [];
  const refused = new Set<string>();
  const inOrder = (a: Route, b: Route): number => ORDER.indexOf(a.method) - ORDER.indexOf(b.method);
  for (const route of someOf(await registeredRoutes(server)).toSorted(inOrder)) {
    const name = nameOf(route);
    if (route.method !== 'GET' && route.method !== 'DELETE' && !REFUSING.has(name)) refused.add(name);
    for (const request of worstRequests(route, subjects)) {
      const { url, body, rawBody } = request;
      if (bytesOf(request) > MAX_BODY) throw new Error(`${name} ${url.slice(0, 100)} has more than ${MAX_BODY} bytes`);
      let [least, status] = [Number.POSITIVE_INFINITY, 0];
      for (let n = 0; n < ATTEMPTS && least > MOST_MS / 2; n += 1) {
        const took = await longestTurnMs(async () => {
          status = await send(server, route.method, token, request);
          if (status < 300) refused.delete(name);
        });
        least = Math.min(least, took);
      }
      const shown = `${url.slice(0, 100)} ${JSON.stringify(body ?? rawBody ?? '').slice(0, 200)}`;
      if (least > MOST_MS) slow.push(`${name}: ${least.toFixed(0)} ms (${status}): ${shown}`);
      if (status >= 500) failed.push(url.slice(0, 100));
    }
  }
  // What a request needs may be what one of another route has made.
  return { slow, failed, refused: TRIES_ALL ? [...refused] : [] };
}

const bytesOf = ({ body, rawBody }: WorstRequest): number => Buffer.byteLength(rawBody ?? JSON.stringify(body ?? ''));
