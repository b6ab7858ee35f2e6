import { readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type {
  CreatedWebhook,
  DeliveryList,
  ReplayedDeliveries,
  TestedWebhook,
  WebhookList,
} from '../../src/api/schemas/webhooks.ts';
import { ROLES } from '../../src/tokens.ts';
import { web } from '../executors/web.ts';
import { eventually } from '../support/runtimes.ts';
import { temporaryFolder } from '../support/stores.ts';
import { type ApiOptions, api, type CallOptions, NOBODY, PAYMENT, REVIEW } from './api.ts';

const NONE = '00000000-0000-4000-8000-000000000000';
/** Longer than the longest delay before the second attempt. */
const RETRY_MS = 6_000;
const DAY_MS = 86_400_000;

type Bodies = CreatedWebhook & WebhookList & DeliveryList & ReplayedDeliveries & TestedWebhook & { readonly error: string };

interface Message {
  readonly type: string;
  readonly execution_id: string;
  readonly event: { readonly sequence: number };
}

/** A server with its background at work, and a receiver that answers with `listener`. */
async function hooked(listener: RequestListener = (_request, response) => response.end(), options: ApiOptions = {}) {
  const receiver = await web(listener);
  const server = await api({ background: true, config: { allowPrivateAddresses: true }, ...options });
  const call = async (method: string, url: string, body?: unknown, more: CallOptions = {}) => {
    const reply = await server.call(method, url, { body, ...more });
    return { status: reply.status, body: reply.body as unknown as Bodies };
  };
  const create = async (more: object = {}) => (await call('POST', '/webhooks', { url: receiver.url, ...more })).body;
  const deliveries = async (id: string, query = '') => {
    const { status, body } = await call('GET', `/webhooks/${id}/deliveries?${query}`);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body.deliveries;
  };
  const messages = () => receiver.seen.map(({ body }) => JSON.parse(body) as Message);
  const pay = (id: string) => server.post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: null });
  const addTenant = (id: string) => {
    const database = new Database(server.path);
    database.prepare("INSERT INTO tenants (id, name, status, created_at_ms) VALUES (?, ?, 'active', 0)").run(id, id);
    database.close();
  };
  /** Every delivery has come to its end. */
  const settled = (id: string) => eventually(async () => (await deliveries(id, 'status=pending')).length === 0);
  return { ...server, receiver, request: call, create, deliveries, messages, pay, addTenant, settled };
}

/** Answers with these statuses, one after the other, then with 200. */
function answers(...statuses: readonly number[]): RequestListener {
  const left = [...statuses];
  return (_request, response) => response.writeHead(left.shift() ?? 200).end('as told');
}

describe('a webhook', () => {
  it('is told of what happens, in order, with everything a receiver needs', async () => {
    const { create, started, pay, receiver, get, settled, messages, deliveries } = await hooked();
    await started(REVIEW);
    const { id } = await create();
    const execution = await started(PAYMENT);
    await pay(execution);
    const { events } = (await get(`/executions/${execution}/events`)).body;
    await eventually(() => receiver.seen.length === events.length);
    await settled(id);
    expect(messages()).toEqual(
      events.map((event) => ({
        type: event.kind,
        timestamp: event.created_at,
        tenant_id: 'default',
        execution_id: execution,
        workflow_id: 'payment',
        event,
      })),
    );
    const rows = await deliveries(id);
    expect(rows.map(({ sequence }) => sequence)).toEqual(events.map(({ sequence }) => sequence).toReversed());
    expect(rows[0]).toMatchObject({
      kind: 'WorkflowCompleted',
      status: 'delivered',
      attempts: 1,
      last_status: 200,
      last_error: null,
    });
    expect(receiver.seen.map(({ headers }) => headers['webhook-id'])).toEqual(rows.map((row) => row.id).toReversed());
    expect(receiver.seen[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  });

  it('is sent messages that the code in the documentation verifies', async () => {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/webhooks.md', 'utf8')) ?? [];
    const file = join(temporaryFolder(), 'verify.mjs');
    writeFileSync(file, code);
    const { verify } = await import(pathToFileURL(file).href);
    const { create, request, started, receiver, clock } = await hooked();
    const { id, secret } = await create({ events: ['WorkflowStarted'] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const check = async (key: string) => {
      const before = receiver.seen.length;
      await started(REVIEW);
      await eventually(() => receiver.seen.length > before);
      const { headers, body } = receiver.seen.at(-1) ?? { headers: {}, body: '' };
      expect(verify(key, headers, `${body} `, clock.nowMs())).toBe(false);
      expect(verify(key, headers, body, clock.nowMs() + 301_000)).toBe(false);
      return verify(key, headers, body, clock.nowMs());
    };
    expect(await check(secret)).toBe(true);
    const rotated = (await request('PUT', `/webhooks/${id}`, { rotate_secret: true })).body.secret;
    expect(rotated).not.toBe(secret);
    expect([await check(secret), await check(rotated)]).toEqual([true, true]);
    clock.advance(DAY_MS);
    expect([await check(secret), await check(rotated)]).toEqual([false, true]);
  });

  it('hears of the kinds and the workflow it asked for', async () => {
    const { create, started, pay, messages, settled, deliveries } = await hooked();
    const some = await create({ events: ['workflow_started', 'WorkflowCompleted', 'WorkflowStarted'], workflow_id: 'payment' });
    expect(some.events).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    await started(REVIEW);
    await pay(await started(PAYMENT));
    await eventually(() => messages().length === 2);
    await settled(some.id);
    expect(messages().map(({ type }) => type)).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    expect((await create({ events: ['*', 'NodeFailed'] })).events).toEqual(['*']);
    expect(await deliveries(some.id)).toHaveLength(2);
  });

  it('that fails is tried again, later ones of the execution wait, other executions do not', async () => {
    const { create, started, messages, clock, deliveries, request, settled } = await hooked(answers(503));
    const { id } = await create();
    const first = await started(REVIEW);
    await eventually(async () => (await deliveries(id)).some(({ attempts }) => attempts === 1));
    const second = await started(REVIEW);
    await eventually(() => messages().filter(({ execution_id }) => execution_id === second).length === 3);
    expect(messages().filter(({ execution_id }) => execution_id === first)).toHaveLength(1);
    const [, waiting, head] = (await deliveries(id, 'status=pending')).filter(({ execution_id }) => execution_id === first);
    expect(head).toMatchObject({ attempts: 1, last_status: 503, last_error: 'answered 503: as told', sequence: 1 });
    expect(Date.parse(head?.next_attempt_at ?? '')).toBeGreaterThan(clock.nowMs());
    expect(waiting).toMatchObject({ attempts: 0, next_attempt_at: null, sequence: 2 });
    expect((await request('GET', `/webhooks/${id}`)).body).toMatchObject({ last_failure: 'answered 503: as told' });
    clock.advance(RETRY_MS);
    await settled(id);
    const ofFirst = messages().filter(({ execution_id }) => execution_id === first);
    expect(ofFirst.map(({ event }) => event.sequence)).toEqual([1, 1, 2, 3]);
    expect((await request('GET', `/webhooks/${id}`)).body.failures_in_a_row).toBe(0);
  });

  it('is given up after a day; what follows goes on, and what failed can be put back', async () => {
    const { create, started, clock, deliveries, request, settled, receiver } = await hooked(answers(...Array(9).fill(500)));
    const { id } = await create({ events: ['WorkflowStarted', 'InterruptRaised'] });
    await started(REVIEW);
    const began = clock.nowMs();
    for (let attempt = 1; attempt < 9; attempt += 1) {
      await eventually(async () => (await deliveries(id)).some(({ attempts }) => attempts === attempt));
      const [next] = (await deliveries(id)).flatMap(({ next_attempt_at }) => next_attempt_at ?? []);
      clock.advance(Date.parse(next ?? '') - clock.nowMs());
    }
    await settled(id);
    expect((clock.nowMs() - began) / DAY_MS).toBeGreaterThan(0.75);
    expect((clock.nowMs() - began) / DAY_MS).toBeLessThan(1.25);
    const failed = await deliveries(id, 'status=failed');
    expect(failed).toMatchObject([{ sequence: 1, attempts: 9, last_status: 500, next_attempt_at: null }]);
    const sent = receiver.seen.length;
    expect((await request('POST', `/webhooks/${id}/replay`)).body).toEqual({ webhook_id: id, replayed: 1 });
    await settled(id);
    expect(await deliveries(id, 'status=failed')).toEqual([]);
    expect(receiver.seen.length).toBe(sent + 1);
    const { status, body } = await request('POST', `/webhooks/${id}/deliveries/${failed[0]?.id}/replay`);
    expect([status, body]).toMatchObject([200, { id: failed[0]?.id }]);
    await eventually(() => receiver.seen.length === sent + 2);
    await settled(id);
    expect((await request('POST', `/webhooks/${id}/replay`)).body.replayed).toBe(0);
  });

  it('that is gone is disabled; once enabled, it goes on with what was left', async () => {
    const { create, started, deliveries, request, settled, receiver, store } = await hooked(answers(410));
    const { id } = await create();
    await started(REVIEW);
    await eventually(async () => (await deliveries(id, 'status=failed')).length === 1);
    expect((await request('GET', `/webhooks/${id}`)).body).toMatchObject({
      enabled: false,
      disabled_reason: 'it answered 410 Gone',
    });
    await started(REVIEW);
    expect(await deliveries(id)).toHaveLength(3);
    expect(receiver.seen).toHaveLength(1);
    const { body } = await request('PUT', `/webhooks/${id}`, { enabled: true });
    expect(body).toMatchObject({ enabled: true, disabled_reason: null });
    await settled(id);
    expect(receiver.seen).toHaveLength(3);
    expect(await store.verifyAudit()).toMatchObject({ fault: null });
  });

  it('that does not answer in ten seconds is tried again', async () => {
    const { create, started, clock, deliveries, receiver, settled } = await hooked((_request, response) => {
      if (receiver.seen.length > 1) response.end();
    });
    const { id } = await create({ events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(() => receiver.seen.length === 1);
    clock.advance(10_000);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1);
    expect((await deliveries(id))[0]).toMatchObject({
      last_status: null,
      last_error: expect.stringMatching(/no complete answer in time/),
    });
    clock.advance(RETRY_MS);
    await settled(id);
  });

  it('that redirects has not taken it; one that cannot be reached says why', async () => {
    const { create, started, deliveries, receiver, request } = await hooked((_request, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end(),
    );
    const { id } = await create({ events: ['WorkflowStarted'] });
    const away = await create({ url: 'http://127.0.0.1:1/', events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1 && (await deliveries(away.id))[0]?.attempts === 1);
    expect((await deliveries(id))[0]).toMatchObject({ status: 'pending', last_status: 302 });
    expect((await deliveries(away.id))[0]?.last_error).toMatch(/ECONNREFUSED|refused/);
    expect(receiver.seen.map(({ url }) => url)).toEqual(['/']);
    expect((await request('GET', `/webhooks/${away.id}`)).body.failures_in_a_row).toBe(1);
  });

  it('at a private address fails at once where those are not allowed', async () => {
    const { create, started, deliveries, receiver } = await hooked(undefined, { config: { allowPrivateAddresses: false } });
    const { id } = await create({ events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.status === 'failed');
    expect((await deliveries(id))[0]?.last_error).toMatch(/private address/);
    expect(receiver.seen).toEqual([]);
  });

  it('of a suspended tenant waits until the tenant is active again', async () => {
    const { create, request, token, receiver, clock, store, call } = await hooked(answers(503));
    await call('POST', '/tenants', { as: 'operator', body: { id: 'acme', name: 'Acme' } });
    const acme = { as: null, headers: { authorization: `Bearer ${await token('developer', { tenantId: 'acme' })}` } } as const;
    await create();
    const { id } = (await request('POST', '/webhooks', { url: receiver.url, events: ['WorkflowStarted'] }, acme)).body;
    await request('POST', '/workflows', { ir: REVIEW }, acme);
    await request('POST', '/executions', { workflow_id: 'review' }, acme);
    const only = async () => (await store.webhooks.deliveries(id, { limit: 2 }))[0];
    await eventually(async () => (await only())?.attempts === 1);
    expect((await call('PUT', '/tenants/acme', { as: 'operator', body: { status: 'suspended' } })).status).toBe(200);
    clock.advance(DAY_MS);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([receiver.seen.length, (await only())?.status]).toEqual([1, 'pending']);
    await call('PUT', '/tenants/acme', { as: 'operator', body: { status: 'active' } });
    await eventually(async () => (await only())?.status === 'delivered');
    expect(receiver.seen).toHaveLength(2);
  });

  it('fails clearly for an execution that has been removed', async () => {
    const { create, started, deliveries, clock, path, settled } = await hooked(answers(500));
    const { id } = await create({ events: ['WorkflowStarted'] });
    const execution = await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1);
    const database = new Database(path);
    database.prepare('DELETE FROM events WHERE execution_id = ?').run(execution);
    database.close();
    clock.advance(RETRY_MS);
    await settled(id);
    expect((await deliveries(id))[0]).toMatchObject({ status: 'failed', last_error: 'the execution has been removed meanwhile' });
  });
});

describe('POST /webhooks', () => {
  it('answers what was made, and keeps the secret to itself from then on', async () => {
    const { request, receiver } = await hooked();
    const given = { url: `${receiver.url}/x?key=1`, description: 'to the pager', workflow_id: 'refund', enabled: false };
    const { status, body } = await request('POST', '/webhooks', given);
    const { secret, ...rest } = body;
    expect(status).toBe(201);
    expect(rest).toMatchObject({ ...given, events: ['*'], disabled_reason: null, failures_in_a_row: 0, last_delivered_at: null });
    expect((await request('GET', `/webhooks/${body.id}`)).body).toEqual(rest);
    expect((await request('GET', '/webhooks')).body).toEqual({ webhooks: [rest] });
    const changed = await request('PUT', `/webhooks/${body.id}`, { workflow_id: null, description: null, enabled: true });
    expect(changed.body).toMatchObject({ workflow_id: null, description: null, enabled: true, url: given.url });
    expect(JSON.stringify([changed, await request('GET', '/webhooks')])).not.toContain(secret.slice(6));
    expect((await request('DELETE', `/webhooks/${body.id}`)).body).toEqual({ id: body.id, deleted: true });
    expect((await request('GET', '/webhooks')).body).toEqual({ webhooks: [] });
  });

  it.each([
    [{}, 'url is required'],
    [{ url: 'nonsense' }, 'url must be an http:// or https:// URL'],
    [{ url: 'ftp://example.com' }, 'url must be an http:// or https:// URL'],
    [{ url: 'https://ann:secret@example.com' }, 'url must hold no user name or password: the signature tells who sends'],
    [{ url: 5 }, 'url must be a string'],
    [{ url: 'https://example.com', events: [] }, 'events must not have fewer than 1 items'],
    [{ url: 'https://example.com', events: 'NodeFailed' }, 'events must be a list'],
    [{ url: 'https://example.com', events: ['NodeFell'] }, 'unknown event type: NodeFell'],
    [{ url: 'https://example.com', enabled: 'yes' }, 'enabled must be true or false'],
  ])('refuses %j', async (given, error) => {
    const { request } = await hooked();
    const { status, body } = await request('POST', '/webhooks', given);
    expect([status, body.error]).toEqual([400, expect.stringContaining(`bad request: ${error}`)]);
    expect((await request('GET', '/webhooks')).body.webhooks).toEqual([]);
  });

  it('makes a hundred for a tenant, and no more', async () => {
    const { request, create, receiver } = await hooked();
    for (let i = 0; i < 100; i += 1) await create();
    const { status, body } = await request('POST', '/webhooks', { url: receiver.url });
    expect([status, body.error]).toEqual([409, 'conflict: the tenant has 100 webhooks, and may have no more']);
  });
});

describe('POST /webhooks/:id/test', () => {
  it('sends a ping and answers what came of it, enabled or not', async () => {
    const { create, request, receiver, deliveries } = await hooked(answers(200, 500));
    const { id } = await create({ enabled: false });
    expect((await request('POST', `/webhooks/${id}/test`)).body).toEqual({
      webhook_id: id,
      delivered: true,
      status: 200,
      error: null,
      duration_ms: 0,
    });
    expect(JSON.parse(receiver.seen[0]?.body ?? '')).toMatchObject({ type: 'Ping', tenant_id: 'default', event: null });
    expect(receiver.seen[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    const second = (await request('POST', `/webhooks/${id}/test`)).body;
    expect(second).toMatchObject({ delivered: false, status: 500, error: 'answered 500: as told' });
    expect(await deliveries(id)).toEqual([]);
  });
});

describe('webhook routes', () => {
  const READS = ['GET /webhooks', 'GET /webhooks/ID', 'GET /webhooks/ID/deliveries'];
  const WRITES = [
    'POST /webhooks',
    'PUT /webhooks/ID',
    'POST /webhooks/ID/test',
    'POST /webhooks/ID/replay',
    'POST /webhooks/ID/deliveries/DELIVERY/replay',
    'DELETE /webhooks/ID',
  ];

  async function delivered() {
    const server = await hooked();
    const { id } = await server.create();
    await server.started(REVIEW);
    await eventually(async () => (await server.deliveries(id, 'status=delivered')).length === 3);
    const delivery = (await server.deliveries(id))[0]?.id ?? '';
    const bodies: Readonly<Record<string, object>> = { 'POST /webhooks': { url: server.receiver.url }, 'PUT /webhooks/ID': {} };
    const use = (route: string, more: CallOptions, ids = { id, delivery }) => {
      const [method = '', url = ''] = route.replace('ID', ids.id).replace('DELIVERY', ids.delivery).split(' ');
      return server.request(method, url, bodies[route], more);
    };
    return { ...server, id, delivery, use };
  }

  it.each(ROLES)('let a %s do what the role may', async (role) => {
    const { use } = await delivered();
    for (const route of READS) expect([route, (await use(route, { as: role })).status]).toEqual([route, 200]);
    const may = role === 'operator' || role === 'developer';
    for (const route of WRITES) {
      const expected = may ? (route === 'POST /webhooks' ? 201 : 200) : 403;
      expect([route, (await use(route, { as: role })).status]).toEqual([route, expected]);
    }
  });

  it('want a token', async () => {
    const { use } = await delivered();
    for (const route of [...READS, ...WRITES]) expect((await use(route, { as: null })).status).toBe(401);
  });

  it('say the same of what is another tenant’s as of what does not exist', async () => {
    const { use, addTenant, token, id, delivery, store, request } = await delivered();
    addTenant('acme');
    const authorization = `Bearer ${await token('operator', { tenantId: 'acme' })}`;
    const foreign = { as: null, headers: { authorization } } as const;
    const before = await store.webhooks.get('default', id);
    for (const route of [...READS, ...WRITES].filter((each) => each.includes('ID'))) {
      const theirs = await use(route, foreign);
      const none = await use(route, {}, { id: NONE, delivery });
      expect([route, theirs.status, none.status]).toEqual([route, 404, 404]);
      expect(theirs.body.error).toBe(none.body.error.replace(NONE, id));
    }
    expect((await request('GET', '/webhooks', undefined, foreign)).body).toEqual({ webhooks: [] });
    expect(await store.webhooks.get('default', id)).toEqual(before);
    expect((await use('POST /webhooks/ID/deliveries/DELIVERY/replay', {}, { id, delivery: NONE })).status).toBe(404);
    expect((await use('POST /webhooks/ID/deliveries/DELIVERY/replay', {}, { id, delivery: NOBODY })).status).toBe(404);
  });

  it('list deliveries in pages, by status', async () => {
    const { request, id, deliveries, started } = await delivered();
    for (let i = 0; i < 3; i += 1) await started(REVIEW);
    await eventually(async () => (await deliveries(id, 'status=delivered')).length === 12);
    const all = (await deliveries(id)).map((row) => row.id);
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = `status=delivered&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body } = await request('GET', `/webhooks/${id}/deliveries?${query}`);
      paged.push(...body.deliveries.map((row) => row.id));
      cursor = body.next_cursor;
    }
    expect(paged).toEqual(all);
    for (const query of ['status=lost', 'limit=0', 'limit=x', 'cursor=']) {
      expect((await request('GET', `/webhooks/${id}/deliveries?${query}`)).status).toBe(400);
    }
  });

  it('refuse to put back what is still to be delivered, and changes that are not right', async () => {
    const { create, request, started, deliveries } = await hooked(answers(500));
    const { id } = await create({ events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1);
    const [delivery] = await deliveries(id);
    const { status, body } = await request('POST', `/webhooks/${id}/deliveries/${delivery?.id}/replay`);
    expect([status, body.error]).toEqual([409, `conflict: delivery ${delivery?.id} is still to be delivered`]);
    for (const change of [
      { url: 'x' },
      { url: null },
      { events: ['x'] },
      { events: null },
      { enabled: null },
      { rotate_secret: 1 },
    ]) {
      expect([change, (await request('PUT', `/webhooks/${id}`, change)).status]).toEqual([change, 400]);
    }
  });
});
