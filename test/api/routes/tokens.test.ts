import { describe, expect, it } from 'vitest';
import { api } from '../support/api.ts';

const OPERATOR = { as: 'operator' } as const;

describe('POST /tokens', () => {
  it('creates a token whose plaintext is returned once', async () => {
    const { post, get } = await api();
    const { status, body } = await post('/tokens', { role: 'developer', name: 'ci', expires_in: '30d' }, OPERATOR);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      id: expect.any(String),
      token: expect.stringMatching(/^jj_[0-9a-f]{64}$/),
      role: 'developer',
      name: 'ci',
      tenant_id: 'default',
      revoked_at: null,
    });
    expect(Date.parse(body.expires_at ?? '') - Date.parse(body.created_at)).toBe(30 * 86_400_000);
    expect(JSON.stringify((await get('/tokens', OPERATOR)).body)).not.toContain(body.token.slice(3));
    const headers = { authorization: `Bearer ${body.token}` };
    expect((await post('/executions', {}, { as: null, headers })).status).toBe(400);
  });

  it('accepts a time of expiry', async () => {
    const { post } = await api();
    const { body } = await post('/tokens', { role: 'viewer', expires_at: '2030-01-01T01:00:00+01:00' }, OPERATOR);
    expect(body.expires_at).toBe('2030-01-01T00:00:00.000Z');
  });

  it('restricts a worker to queues', async () => {
    const { post, get } = await api();
    const { body } = await post('/tokens', { role: 'worker', queues: ['gpu', 'tool'] }, OPERATOR);
    expect(body).toMatchObject({ role: 'worker', queues: ['gpu', 'tool'] });
    expect((await get('/tokens', OPERATOR)).body.tokens.find(({ id }) => id === body.id)).toMatchObject({
      queues: ['gpu', 'tool'],
    });
    const { items } = (await get('/audit?event_type=token_created', OPERATOR)).body as unknown as {
      items: { raw_event: unknown }[];
    };
    expect(items[0]?.raw_event).toMatchObject({ token_id: body.id, queues: ['gpu', 'tool'] });
  });

  it('requires only a role', async () => {
    const { post } = await api();
    expect((await post('/tokens', { role: 'viewer' }, OPERATOR)).body).toMatchObject({ role: 'viewer', expires_at: null });
  });

  it.each([
    [{}, 'role is required'],
    [{ role: 'admin' }, 'role must be one of operator, developer, reviewer, viewer, worker'],
    [{ role: 'viewer', name: '' }, 'name must not be empty'],
    [{ role: 'viewer', expires_in: 30 }, 'expires_in must be a string'],
    [{ role: 'viewer', expires_in: 'soon' }, 'expires_in must be like 90s, 15m, 12h, 30d or 4w, not "soon"'],
    [{ role: 'viewer', expires_at: '2031-02-29T00:00:00Z' }, 'expires_at must be an RFC 3339 time, not "2031-02-29T00:00:00Z"'],
    [{ role: 'viewer', expires_at: 'soon' }, 'expires_at must be an RFC 3339 time, not "soon"'],
    [{ role: 'viewer', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at is past: 2020-01-01T00:00:00Z'],
    [{ role: 'viewer', expires_at: '2030-01-01T00:00:00Z', expires_in: '1h' }, 'give expires_in or expires_at, not both'],
    [{ role: 'developer', queues: ['gpu'] }, 'queues restrict role worker only, not developer'],
    [{ role: 'worker', queues: [] }, 'queues must not be empty'],
    [{ role: 'viewer', expiry: '1h' }, 'the body has no expiry'],
  ])('refuses %j', async (request, error) => {
    const { post } = await api();
    const { status, body } = await post('/tokens', request, OPERATOR);
    expect([status, body.error]).toEqual([400, `bad request: ${error}`]);
  });

  it('refuses tokens for a tenant that does not exist', async () => {
    const { post } = await api();
    const { status, body } = await post('/tokens', { role: 'viewer', tenant_id: 'acme' }, OPERATOR);
    expect([status, body.error]).toEqual([404, 'not found: tenant acme']);
  });
});

describe('DELETE /tokens/:id', () => {
  it('returns 404 for unknown ids', async () => {
    const { call } = await api();
    expect((await call('DELETE', '/tokens/none', OPERATOR)).status).toBe(404);
  });

  it('shows in the list', async () => {
    const { post, call, get } = await api();
    const { id } = (await post('/tokens', { role: 'viewer' }, OPERATOR)).body;
    await call('DELETE', `/tokens/${id}`, OPERATOR);
    const { tokens } = (await get('/tokens', OPERATOR)).body;
    expect(tokens.find((token) => token.id === id)?.revoked_at).toMatch(/Z$/);
  });
});
