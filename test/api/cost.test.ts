import { describe, expect, it } from 'vitest';
import { longestTurnMs } from '../support/longest-turn.ts';
import { card } from './support/agents.ts';
import { type Api, api, PAYMENT, REVIEW } from './support/api.ts';
import { fillDatabase } from './support/full-database.ts';
import { nameOf, registeredRoutes } from './support/routes.ts';
import { type WorstRequest, worstRequests } from './support/worst-requests.ts';

/** CPU time for which a request of 64 KB may keep the event loop from others. */
const MOST_MS = 100;
/** The least of them counts: another thread's garbage collection is none of the request's. */
const ATTEMPTS = 3;

/** Reads a reply to its end without keeping it; of a stream, only its head. */
async function send(
  { app }: Api,
  method: string,
  token: string,
  { url, body, rawBody, contentType }: WorstRequest,
): Promise<number> {
  const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  const reply = await app.inject({
    method: method as 'POST',
    url,
    headers: {
      authorization: `Bearer ${token}`,
      ...(payload === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
    },
    payloadAsStream: true,
    ...(payload === undefined ? {} : { payload }),
  });
  const stream = reply.stream();
  if (String(reply.headers['content-type']).startsWith('text/event-stream')) stream.destroy();
  else for await (const _ of stream);
  return reply.statusCode;
}

async function full() {
  const server = await api();
  const as = { as: 'operator' } as const;
  const { body: hook } = await server.post('/webhooks', { url: 'https://a.example/x', enabled: false }, as);
  const execution = await server.started(REVIEW);
  await server.post('/workflows', {
    ir: {
      ...PAYMENT,
      workflow_id: 'guarded',
      data_policy: { fields: ['name'], detectors: ['email', 'phone', 'credit_card', 'ip_address'] },
    },
  });
  const words = (from: number) => Array.from({ length: 9_000 }, (_, n) => (from + n).toString(36)).join(' ');
  const items = Array.from({ length: 20 }, (_, n) => ({ id: `${n}`.padStart(4, 'x'), text: words(n) }));
  for (const item of items) await server.post('/memory/large', { items: [item] });
  await server.post('/agents', card('registered'));
  fillDatabase(server.path);
  const subjects = {
    ...{
      execution,
      parent: `exec_${'0'.repeat(31)}1`,
      workItem: 'claimed-1',
      webhook: (hook as unknown as { id: string }).id,
      link: 'x'.repeat(43),
    },
  };
  return { server, subjects, token: await server.token('operator') };
}

describe('a request of 64 KB', () => {
  it('holds the event loop for a moment only, whatever its route and its content', { timeout: 600_000 }, async () => {
    const { server, subjects, token } = await full();
    const slow: string[] = [];
    const failed: string[] = [];
    const order = ['GET', 'POST', 'PUT', 'DELETE'];
    const routes = (await registeredRoutes(server)).toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
    for (const route of routes) {
      for (const request of worstRequests(route, subjects)) {
        let [least, status] = [Number.POSITIVE_INFINITY, 0];
        for (let n = 0; n < ATTEMPTS && least > MOST_MS / 2; n += 1) {
          const took = await longestTurnMs(async () => {
            status = await send(server, route.method, token, request);
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
  });
});
