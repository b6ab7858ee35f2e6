import { describe, expect, it } from 'vitest';
import type { TenantDetail } from '../../src/api/operations/tenants.ts';
import type { ToolContext } from '../../src/runtime/types/work.ts';
import { card } from './support/agents.ts';
import { type Api, type ApiOptions, api, ECHO, EXTERNAL, PAYMENT, REVIEW } from './support/api.ts';
import { asTenant, createTenant, OPERATOR, updateTenant } from './support/tenants.ts';

async function usage({ get }: Api): Promise<TenantDetail['usage']> {
  return ((await get('/tenants/acme', OPERATOR)).body as unknown as TenantDetail).usage;
}

/** Resolves when what the tenant stores is counted. */
async function counted(it: Api): Promise<NonNullable<TenantDetail['usage']['storage']>> {
  for (;;) {
    const { storage } = await usage(it);
    if (storage?.bytes !== undefined && !storage.counting) return storage;
    await new Promise(setImmediate);
  }
}

/** A tenant with executions, memory, an artifact and a webhook, and how to call as its developer. */
async function tenant(options: ApiOptions = {}) {
  const it = await api({ background: true, ...options });
  await createTenant(it, 'acme');
  const acme = await asTenant(it, 'acme', 'developer');
  for (const ir of [ECHO, EXTERNAL, PAYMENT, REVIEW]) await it.post('/workflows', { ir }, acme);
  const start = async (workflow_id: string): Promise<string> =>
    (await it.post('/executions', { workflow_id }, acme)).body.execution_id;
  await it.post('/memory/docs', { items: [{ id: 'a', text: 'some text' }] }, acme);
  await it.call('POST', '/artifacts?media_type=text/plain', { ...acme, rawBody: 'bytes' });
  return { ...it, it, acme, start };
}

describe('max_storage_bytes', () => {
  it('refuses what adds at the request of a caller', async () => {
    const { it, acme, start, post, call } = await tenant();
    const [ended, paying] = [await start('review'), await start('payment')];
    await post(`/executions/${ended}/cancel`, {}, acme);
    const external = await start('external');
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 100 } });
    const { bytes } = await counted(it);
    const refused = {
      error: `too many requests: tenant acme stores ${bytes} of at most 100 bytes (max_storage_bytes)`,
      code: 'limit_exceeded_storage',
    };
    const bodies: Readonly<Record<string, object>> = {
      '/executions': { workflow_id: 'review' },
      '/workflows': { ir: { ...REVIEW, workflow_id: 'new' } },
      [`/executions/${ended}/fork`]: { at_sequence: 1 },
      [`/executions/${paying}/external-event`]: { correlation_key: 'paid', payload: { amount: 1 } },
      '/work-items': { execution_id: external, node_id: 'work', payload: {} },
      '/memory/docs': { items: [{ text: 'more' }] },
      '/agents': card('helper'),
      '/cron': { name: 'nightly', cron_expression: '0 9 * * *', workflow_id: 'review' },
      '/webhooks': { url: 'https://hooks.example/late' },
      '/artifacts': {},
    };
    for (const [url, body] of Object.entries(bodies)) {
      const reply = await post(url, body, acme);
      expect([url, reply.status, reply.body, reply.headers['retry-after']]).toEqual([url, 429, refused, '60']);
    }
    const discovered = await post('/agents/discover', { uri: 'https://agents.example' }, acme);
    expect(discovered.body).toEqual(refused);
    const rpc = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'jamjet_run_workflow', arguments: { workflow_id: 'review', input: {} } },
    };
    expect(JSON.stringify((await post('/mcp', rpc, acme)).body)).toContain('max_storage_bytes');
    expect((await call('GET', '/executions', acme)).status).toBe(200);
  });

  it('lets everything go on that ends, decides or removes', async () => {
    const { it, acme, start, post, call, get } = await tenant();
    const external = await start('external');
    const [reviewed, rejected, paying, paused] = [
      await start('review'),
      await start('review'),
      await start('payment'),
      await start('review'),
    ];
    await post('/cron', { name: 'nightly', cron_expression: '0 9 * * *', workflow_id: 'review' }, acme);
    const webhook = (await post('/webhooks', { url: 'https://hooks.example/all', enabled: false }, acme)).body as unknown as {
      id: string;
    };
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 0 } });
    const before = await counted(it);
    const claimed = await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] }, acme);
    const { id, lease_fence } = claimed.body.work_item;
    const requests: readonly (readonly [string, string, object])[] = [
      ['POST', `/work-items/${id}/heartbeat`, { worker_id: 'w', lease_fence }],
      ['POST', `/work-items/${id}/complete`, { output: { large: 'x'.repeat(100) } }],
      ['POST', `/executions/${reviewed}/approve`, { decision: 'approved' }],
      ['POST', `/executions/${rejected}/approve`, { decision: 'rejected' }],
      ['POST', `/executions/${paying}/external-event`, { correlation_key: 'paid', payload: {} }],
      ['POST', `/executions/${paused}/pause`, {}],
      ['POST', `/executions/${paused}/resume`, {}],
      ['POST', `/executions/${paused}/cancel`, {}],
      ['POST', '/executions/bulk', { action: 'cancel', filter: { workflow_id: 'review' } }],
      ['POST', '/cron/nightly/pause', {}],
      ['DELETE', '/cron/nightly', {}],
      ['DELETE', '/memory/docs/a', {}],
      ['DELETE', `/webhooks/${webhook.id}`, {}],
    ];
    for (const [method, url, body] of requests) {
      const { status } = await call(method, url, { ...acme, ...(method === 'POST' ? { body } : {}) });
      expect([url, status < 300]).toEqual([url, true]);
    }
    expect((await get(`/executions/${external}`, acme)).body.status).toBe('completed');
    expect((await get(`/executions/${paying}`, acme)).body.status).toBe('completed');
    expect((await counted(it)).by_kind).toMatchObject({ memory: 0, artifacts: before.by_kind.artifacts });
  });

  it('does not stop active executions, but what they add to the memory', async () => {
    const echo = async (_input: unknown, { memory }: ToolContext) => {
      await memory.add('docs', { text: 'more' });
      return {};
    };
    const { it, acme, start, post, runtime } = await tenant({ tools: { echo } });
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 1_000_000 } });
    await counted(it);
    expect((await runtime.settled('acme', await start('echo'))).status).toBe('completed');
    const waiting = await start('external');
    const { bytes = 0 } = await counted(it);
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: bytes } });
    expect((await post('/executions', { workflow_id: 'echo' }, acme)).body.code).toBe('limit_exceeded_storage');
    const { work_item } = (await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] }, acme)).body;
    expect((await post(`/work-items/${work_item.id}/complete`, { output: {} }, acme)).status).toBe(200);
    expect((await runtime.settled('acme', waiting)).status).toBe('completed');
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: (await counted(it)).bytes ?? 0 } });
    const memory = runtime.memory.add({ tenantId: 'acme', actorId: 'a', actorType: 'human' }, 'docs', [{ text: 'x' }]);
    await expect(memory).rejects.toMatchObject({ code: 'limit_exceeded_storage' });
  });

  it('admits again once something was removed, or the limit was raised', async () => {
    const { it, acme, post, call } = await tenant();
    await post('/memory/docs', { items: [{ id: 'b', text: 'x'.repeat(10_000) }] }, acme);
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 9_000 } });
    await counted(it);
    const start = async () => (await post('/executions', { workflow_id: 'review' }, acme)).status;
    expect(await start()).toBe(429);
    await call('DELETE', '/memory/docs/b', acme);
    expect(await start()).toBe(201);
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 1 } });
    expect(await start()).toBe(429);
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 1_000_000 } });
    expect(await start()).toBe(201);
    await updateTenant(it, 'acme', { limits: null });
    expect(await start()).toBe(201);
    expect((await usage(it)).storage).toBeUndefined();
  });

  it('repeats the reply to an earlier start and event', async () => {
    const { it, acme, post } = await tenant();
    const key = { ...acme, headers: { ...acme.headers, 'idempotency-key': 'k' } };
    const started = await post('/executions', { workflow_id: 'payment' }, key);
    const event = { correlation_key: 'paid', payload: { amount: 1 }, event_id: 'e' };
    const url = `/executions/${started.body.execution_id}/external-event`;
    const sent = await post(url, event, acme);
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 0 } });
    await counted(it);
    expect((await post('/executions', { workflow_id: 'payment' }, key)).body).toEqual(started.body);
    expect((await post(url, event, acme)).body).toEqual(sent.body);
  });

  it('is counted anew when an operator of tenant default asks for it', async () => {
    const { it, post } = await tenant();
    const recount = (options: Parameters<Api['post']>[2]) => post('/tenants/acme/storage/recount', undefined, options);
    expect(await recount(OPERATOR)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    await updateTenant(it, 'acme', { limits: { max_storage_bytes: 1_000_000 } });
    const before = await counted(it);
    expect(await recount(OPERATOR)).toMatchObject({
      status: 202,
      body: { tenant_id: 'acme', storage: { bytes: before.bytes, counting: true } },
    });
    expect(await counted(it)).toEqual(before);
    expect((await recount(await asTenant(it, 'acme'))).status).toBe(403);
    const audit = await it.get('/audit?event_type=tenant_recount_requested');
    expect(audit.body).toMatchObject({ items: [{ raw_event: { tenant_id: 'acme' } }] });
  });

  it('is shown by metrics, by tenant if the operator asks for it', async () => {
    for (const tenantLabel of [true, false]) {
      const { it, app } = await tenant({ metrics: { tenantLabel } });
      await updateTenant(it, 'acme', { limits: { max_storage_bytes: 1_000_000 } });
      const { bytes = 0 } = await counted(it);
      const { payload } = await app.inject({
        url: '/metrics',
        headers: { authorization: `Bearer ${await it.token('operator')}` },
      });
      const label = tenantLabel ? '{tenant="acme"}' : '';
      expect(payload).toContain(`\njamjet_storage_bytes${label} ${bytes}\n`);
      expect(payload).toContain(`\njamjet_storage_used_ratio${label} ${bytes / 1_000_000}\n`);
    }
  });
});
