import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/runtimes.ts';
import { type CallOptions, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { READERS } from '../support/roles.ts';
import { answers, webhookServer } from '../support/webhooks.ts';

const NONE = '00000000-0000-4000-8000-000000000000';

describe('POST /webhooks', () => {
  it('returns the webhook, and its secret only once', async () => {
    const { request, receiver } = await webhookServer();
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
    [
      { url: 'https://ann:secret@example.com' },
      'url must not contain a user name or password: receivers authenticate messages by the signature',
    ],
    [{ url: 5 }, 'url must be a string'],
    [{ url: 'https://example.com', events: [] }, 'events must not be empty'],
    [{ url: 'https://example.com', events: 'NodeFailed' }, 'events must be a list'],
    [{ url: 'https://example.com', events: ['NodeFell'] }, 'unknown event type: NodeFell'],
    [{ url: 'https://example.com', enabled: 'yes' }, 'enabled must be true or false'],
  ])('refuses %j', async (given, error) => {
    const { request } = await webhookServer();
    const { status, body } = await request('POST', '/webhooks', given);
    expect([status, body.error]).toEqual([400, expect.stringContaining(`bad request: ${error}`)]);
    expect((await request('GET', '/webhooks')).body.webhooks).toEqual([]);
  });

  it('allows a hundred for a tenant, and no more', async () => {
    const { request, create, receiver } = await webhookServer();
    for (let i = 0; i < 100; i += 1) await create();
    const { status, body } = await request('POST', '/webhooks', { url: receiver.url });
    expect([status, body.error]).toEqual([409, 'conflict: the tenant has 100 webhooks, and may have no more']);
  });
});

describe('POST /webhooks/:id/test', () => {
  it('sends a ping and returns its result, enabled or not', async () => {
    const { create, request, receiver, deliveries } = await webhookServer(answers(200, 500));
    const { id } = await create({ enabled: false });
    expect((await request('POST', `/webhooks/${id}/test`)).body).toEqual({
      webhook_id: id,
      delivered: true,
      status: 200,
      error: null,
      duration_ms: 0,
    });
    expect(JSON.parse(receiver.requests[0]?.body ?? '')).toMatchObject({ type: 'Ping', tenant_id: 'default', event: null });
    expect(receiver.requests[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    const second = (await request('POST', `/webhooks/${id}/test`)).body;
    expect(second).toMatchObject({ delivered: false, status: 500, error: 'answered 500: as configured' });
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
    const server = await webhookServer();
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

  it.each(READERS)('let a %s do what the role may', async (role) => {
    const { use } = await delivered();
    for (const route of READS) expect([route, (await use(route, { as: role })).status]).toEqual([route, 200]);
    const may = role === 'operator' || role === 'developer';
    for (const route of WRITES) {
      const expected = may ? (route === 'POST /webhooks' ? 201 : 200) : 403;
      expect([route, (await use(route, { as: role })).status]).toEqual([route, expected]);
    }
  });

  it('require a token', async () => {
    const { use } = await delivered();
    for (const route of [...READS, ...WRITES]) expect((await use(route, { as: null })).status).toBe(401);
  });

  it('reply the same for webhooks of another tenant as for missing ones', async () => {
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
    expect((await use('POST /webhooks/ID/deliveries/DELIVERY/replay', {}, { id, delivery: UNKNOWN_EXECUTION })).status).toBe(404);
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

  it('refuse to replay pending deliveries, and invalid changes', async () => {
    const { create, request, started, deliveries } = await webhookServer(answers(500));
    const { id } = await create({ events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1);
    const [delivery] = await deliveries(id);
    const { status, body } = await request('POST', `/webhooks/${id}/deliveries/${delivery?.id}/replay`);
    expect([status, body.error]).toEqual([409, `conflict: delivery ${delivery?.id} is still pending`]);
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
