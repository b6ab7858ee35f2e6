import { describe, expect, it } from 'vitest';
import { ROLES } from '../../../src/server/tokens.ts';
import { api, EXTERNAL, REVIEW } from '../support/api.ts';
import { asTenant, createTenant, OPERATOR, updateTenant } from '../support/tenants.ts';

const POLICY = { blocked_tools: ['shell.*'], require_approval_for: [], anything: { else: [1, null, 'é'] } };
const LIMITS = {
  max_concurrent_executions: 5,
  max_workflows: 10,
  max_requests_per_minute: 600,
  max_tokens_per_month: 1_000_000,
  max_cost_per_month_usd: 12.5,
  retention_days: 30,
};

describe('POST /tenants', () => {
  it('creates a tenant as in the reference', async () => {
    const { post } = await api();
    const { status, body } = await post('/tenants', { id: 'acme', name: 'Acme Corp' }, OPERATOR);
    expect(status).toBe(201);
    expect(body).toEqual({
      tenant_id: 'acme',
      id: 'acme',
      name: 'Acme Corp',
      status: 'active',
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
  });

  it('stores policy and limits, and returns them unchanged', async () => {
    const { post, get } = await api();
    await post('/tenants', { id: 'acme', name: 'Acme', policy: POLICY, limits: LIMITS }, OPERATOR);
    expect((await get('/tenants/acme', OPERATOR)).body).toMatchObject({ policy: POLICY, limits: LIMITS });
  });

  it('refuses an id that is taken', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    const { status, body } = await it.post('/tenants', { id: 'acme', name: 'Other' }, OPERATOR);
    expect([status, body.error, body.code]).toEqual([409, 'conflict: tenant acme exists already', 'tenant_exists']);
    expect((await it.post('/tenants', { id: 'default', name: 'Mine' }, OPERATOR)).status).toBe(409);
  });

  it.each([
    [{}, 'id is required'],
    [{ id: 'acme' }, 'name is required'],
    [{ id: 5, name: 'Five' }, 'id must be a string'],
    [{ id: 'acme', name: '' }, 'name must not be empty'],
    [{ id: 'acme', name: 'A', status: 'suspended' }, 'the body has no status'],
    [{ id: 'acme', name: 'A', policy: [] }, 'policy must be a JSON object or null'],
    [{ id: 'acme', name: 'A', limits: 5 }, 'invalid limits: must be a JSON object'],
    [
      { id: 'acme', name: 'A', limits: { max_workers: 1, toString: 1 } },
      'invalid limits: unknown "max_workers", "toString"; known limits are max_concurrent_executions, max_workflows, max_requests_per_minute, max_tokens_per_month, max_cost_per_month_usd, max_storage_bytes, max_cost_per_call_usd, max_tokens_per_call, retention_days',
    ],
    [
      { id: 'acme', name: 'A', limits: { max_workflows: 1.5 } },
      'invalid limits: max_workflows must be a whole number from 0 to 9007199254740991',
    ],
    [
      { id: 'acme', name: 'A', limits: { max_requests_per_minute: 0 } },
      'invalid limits: max_requests_per_minute must be a whole number from 1 to 9007199254740991',
    ],
    [
      { id: 'acme', name: 'A', limits: { max_cost_per_month_usd: '5' } },
      'invalid limits: max_cost_per_month_usd must be a number from 0 to 9007199254740991',
    ],
    [
      { id: 'acme', name: 'A', limits: { retention_days: 0 } },
      'invalid limits: retention_days must be a whole number from 1 to 36500',
    ],
  ])('refuses %j', async (request, error) => {
    const { post, get } = await api();
    const { status, body } = await post('/tenants', request, OPERATOR);
    expect([status, body.error]).toEqual([400, `bad request: ${error}`]);
    expect((await get('/tenants/acme', OPERATOR)).status).toBe(404);
  });

  it('refuses a policy that is too long', async () => {
    const { post } = await api();
    const policy = { text: 'x'.repeat(65_536) };
    const { status, body } = await post('/tenants', { id: 'acme', name: 'A', policy }, OPERATOR);
    expect([status, body.error]).toEqual([400, 'bad request: policy is longer than 65536 characters']);
  });

  it.each(['', ' ', '.', '..', 'a/b', '-a', 'a b', 'é', 'a\n', 'a'.repeat(129)])('refuses the id %j', async (id) => {
    const { post } = await api();
    const { status, body } = await post('/tenants', { id, name: 'A' }, OPERATOR);
    expect([status, body.error]).toEqual([400, expect.stringMatching(/^bad request: invalid tenant id ".*": use at most 128/)]);
  });

  it.each(['a', 'A-1_b.c', '0', 'a'.repeat(128)])('accepts the id %j', async (id) => {
    const it = await api();
    await createTenant(it, id);
    expect((await it.get(`/tenants/${id}`, OPERATOR)).body.id).toBe(id);
  });
});

describe('GET /tenants', () => {
  it('lists them by id', async () => {
    const it = await api();
    await createTenant(it, 'zeta');
    await createTenant(it, 'acme', { policy: POLICY });
    const { body } = await it.get('/tenants', OPERATOR);
    expect(body).toMatchObject({
      tenants: [{ id: 'acme', policy: POLICY }, { id: 'default' }, { id: 'zeta' }],
      limit: 1_000,
      offset: 0,
    });
    expect((await it.get('/tenants?limit=1&offset=2', OPERATOR)).body).toMatchObject({
      tenants: [{ id: 'zeta' }],
      limit: 1,
      offset: 2,
    });
    expect((await it.get('/tenants?limit=0', OPERATOR)).status).toBe(400);
  });

  it('returns limits and usage of a tenant', async () => {
    const it = await api();
    const id = await it.started(EXTERNAL);
    await it.started(REVIEW);
    const claimed = await it.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] });
    const used = { output: {}, input_tokens: 70, output_tokens: 30, cost_usd: 0.25 };
    await it.post(`/work-items/${claimed.body.work_item.id}/complete`, used);
    expect((await it.get(`/executions/${id}`)).body.status).toBe('completed');
    expect((await it.get('/tenants/default', OPERATOR)).body).toMatchObject({
      id: 'default',
      status: 'active',
      usage: { month: '2026-03', tokens: 100, cost_usd: 0.25, live_executions: 1, workflows: 2 },
    });
  });

  it('returns 404 for unknown ids', async () => {
    const { get } = await api();
    const { status, body } = await get('/tenants/acme', OPERATOR);
    expect([status, body.error]).toEqual([404, 'not found: tenant acme']);
  });
});

describe('PUT /tenants/:id', () => {
  it('changes the given fields and keeps the rest; null removes policy and limits', async () => {
    const it = await api();
    await createTenant(it, 'acme', { policy: POLICY, limits: LIMITS });
    it.clock.advance(1_000);
    const renamed = await updateTenant(it, 'acme', { name: 'Acme Corporation', status: null });
    expect(renamed).toMatchObject({
      status: 200,
      body: { tenant_id: 'acme', updated: true, name: 'Acme Corporation', status: 'active', policy: POLICY, limits: LIMITS },
    });
    const { updated_at } = renamed.body;
    expect(Date.parse(updated_at)).toBe(it.clock.nowMs());
    const cleared = (await updateTenant(it, 'acme', { policy: null, limits: null })).body;
    expect(cleared).not.toHaveProperty('policy');
    expect(cleared).not.toHaveProperty('limits');
    expect((await updateTenant(it, 'acme', { limits: { max_workflows: 3, max_tokens_per_month: null } })).body).toMatchObject({
      limits: { max_workflows: 3 },
    });
    expect((await updateTenant(it, 'acme', {})).body).toMatchObject({ updated: true, name: 'Acme Corporation' });
  });

  it.each([
    [{ status: 'closed' }, 'status must be one of active, suspended, archived'],
    [{ name: '' }, 'name must not be empty'],
    [{ limits: { max_workflows: -1 } }, 'invalid limits: max_workflows must be a whole number from 0 to 9007199254740991'],
    [{ policy: 'strict' }, 'policy must be a JSON object or null'],
    [{ policy: { blocked_tools: 'shell' } }, 'invalid policy: blocked_tools must be a list of texts'],
    [{ policy: { model_allowlist: [5] } }, 'invalid policy: model_allowlist must be a list of texts'],
  ])('refuses %j', async (change, error) => {
    const it = await api();
    await createTenant(it, 'acme');
    const before = (await it.get('/tenants/acme', OPERATOR)).body;
    const { status, body } = await updateTenant(it, 'acme', change);
    expect([status, body.error]).toEqual([400, `bad request: ${error}`]);
    expect((await it.get('/tenants/acme', OPERATOR)).body).toEqual(before);
  });

  it('returns 404 for unknown ids', async () => {
    const { status, body } = await updateTenant(await api(), 'acme', { name: 'A' });
    expect([status, body.error, body.code]).toEqual([404, 'not found: tenant acme', 'not_found']);
  });

  it.each(['suspended', 'archived'])('refuses to make the default tenant %s', async (given) => {
    const { status, body } = await updateTenant(await api(), 'default', { status: given });
    expect(status).toBe(400);
    expect(body.error).toBe(`bad request: tenant default cannot be ${given}: its operators manage all other tenants`);
  });

  it('applies at once: tokens of a suspended tenant are refused, and accepted again when it is active', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    const acme = await asTenant(it, 'acme', 'developer');
    await it.post('/workflows', { ir: REVIEW }, acme);
    const start = () => it.post('/executions', { workflow_id: 'review' }, acme);
    expect((await start()).status).toBe(201);
    for (const status of ['suspended', 'archived']) {
      await updateTenant(it, 'acme', { status });
      const refused = await start();
      expect([refused.status, refused.body.error, refused.body.code]).toEqual([
        403,
        `tenant acme is ${status}`,
        'tenant_not_active',
      ]);
      expect((await it.get('/executions', acme)).status).toBe(403);
    }
    await updateTenant(it, 'acme', { status: 'active' });
    expect((await start()).status).toBe(201);
  });
});

describe('operators of another tenant', () => {
  it('see only their own tenant', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    await createTenant(it, 'rival');
    const acme = await asTenant(it, 'acme');
    expect((await it.get('/tenants', acme)).body).toMatchObject({ tenants: [{ id: 'acme' }] });
    expect((await it.get('/tenants?offset=1', acme)).body).toMatchObject({ tenants: [] });
    expect((await it.get('/tenants/acme', acme)).body).toMatchObject({ id: 'acme', usage: { live_executions: 0 } });
    for (const id of ['rival', 'default', 'unknown']) {
      const { status, body } = await it.get(`/tenants/${id}`, acme);
      expect([status, body.error]).toEqual([404, `not found: tenant ${id}`]);
    }
  });

  it('neither create nor change tenants', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    const acme = await asTenant(it, 'acme');
    const created = await it.post('/tenants', { id: 'mine', name: 'Mine' }, acme);
    expect([created.status, created.body.error]).toEqual([403, 'only operators of tenant default create tenants']);
    for (const id of ['acme', 'default', 'unknown']) {
      const { status, body } = await it.call('PUT', `/tenants/${id}`, { ...acme, body: { limits: null } });
      expect([status, body.error]).toEqual([403, 'only operators of tenant default change tenants']);
    }
  });
});

describe('tenants', () => {
  it.each(ROLES.filter((role) => role !== 'operator'))('are not visible to a %s', async (role) => {
    const it = await api();
    await createTenant(it, 'acme');
    const routes = ['GET /tenants', 'POST /tenants', 'GET /tenants/acme', 'PUT /tenants/acme'];
    for (const route of routes) {
      const [method = '', url = ''] = route.split(' ');
      const { status, body } = await it.call(method, url, {
        as: role,
        body: method === 'GET' ? undefined : { id: 'x', name: 'X' },
      });
      expect([route, status, body.error]).toEqual([route, 403, 'insufficient role — operator required']);
    }
  });

  it('are in the audit log with who created and changed them', async () => {
    const it = await api();
    await createTenant(it, 'acme');
    await updateTenant(it, 'acme', { status: 'suspended' });
    expect(await it.store.verifyAudit()).toMatchObject({ fault: null });
  });
});
