import { FakeClock } from '../../support/clock.ts';
import { card } from './agents.ts';
import { type Api, api, EXTERNAL, PAYMENT, REVIEW } from './api.ts';
import { fillDatabase } from './full-database.ts';
import type { Subjects, WorstRequest } from './worst-requests.ts';

/** Reads a reply to its end without keeping it; of a stream, only its head. */
export async function send(
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

/** A server whose database has what tenants may have after years. */
export async function fullServer(clock = new FakeClock()) {
  const { server, subjects } = await filledServer(clock);
  return withClaims(server, subjects);
}

/** Claims work on the server that is to be measured, since leases expire. */
export async function withClaims(server: Api, subjects: Omit<Subjects, 'claimed'>) {
  for (let n = 0; n < 3; n += 1) await server.started(EXTERNAL);
  const claim = { worker_id: 'w', queue_types: ['python_tool'], max_items: 3 };
  const { work_items } = (await server.post('/work-items/claim', claim)).body;
  return { server, subjects: { ...subjects, claimed: work_items.map(({ id }) => id) }, token: await server.token('operator') };
}

export async function filledServer(clock: FakeClock) {
  const server = await api({ clock });
  const as = { as: 'operator' } as const;
  const { body: hook } = await server.post('/webhooks', { url: 'https://a.example/x', enabled: false }, as);
  const execution = await server.started(REVIEW);
  await server.started(REVIEW, { list: Array.from({ length: 200_000 }, (_, n) => 1_000_000 + n) });
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
  await server.post('/threads/large/messages', { messages: [{ role: 'user', content: 'first' }] });
  await server.post('/agents', card('registered'));
  fillDatabase(server.path);
  const waiting = [];
  for (const document of [REVIEW, REVIEW, REVIEW, PAYMENT]) waiting.push(await server.started(document));
  const link = String((await server.post('/sign-in-links', {}, as)).body.code);
  const webhook = (hook as unknown as { id: string }).id;
  return { server, subjects: { execution, waiting, parent: `exec_${'0'.repeat(31)}1`, workItem: 'claimed-1', webhook, link } };
}

export type FullServer = Awaited<ReturnType<typeof fullServer>>;
