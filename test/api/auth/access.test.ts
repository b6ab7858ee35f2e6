import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/server/config.ts';
import { ROLES, type Role } from '../../../src/server/tokens.ts';
import { api, REVIEW } from '../support/api.ts';
import { answer, nameOf, type Route, registeredRoutes } from '../support/routes.ts';

/** Open routes. */
const OPEN = [
  'GET /',
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
  'GET /.well-known/agent-card.json',
  'GET /.well-known/agent.json',
  'GET /.well-known/did.json',
  'GET /did.json',
  'GET /metrics',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/:file',
  'GET /console/:file',
  'POST /sign-in',
];
/** Routes for operators only. */
const OPERATIONS = [
  'GET /tokens',
  'POST /tokens',
  'DELETE /tokens/:id',
  'GET /tenants',
  'POST /tenants',
  'GET /tenants/:id',
  'PUT /tenants/:id',
  'PUT /tenants/:id/usage/:month',
  'POST /tenants/:id/storage/recount',
  'GET /audit/export',
  'GET /audit/verify',
];
/** Routes for any role although they are not GETs: each message is checked by its content, or is about the caller alone. */
const READS = ['POST /mcp', 'POST /a2a', 'POST /sign-in-links', 'POST /sign-out'];

/** What external workers do. */
const WORK = ['claim', ':id/complete', ':id/fail', ':id/heartbeat', ':id/operations'].map((path) => `POST /work-items/${path}`);

type Access = 'open' | 'work' | 'read' | 'write' | 'operator';

/** By the reference, reading roles may GET, workers may do work, and writing roles may use all other routes. */
function accessTo(route: Route): Access {
  const name = nameOf(route);
  if (OPEN.includes(name)) return 'open';
  if (WORK.includes(name)) return 'work';
  if (OPERATIONS.includes(name)) return 'operator';
  return route.method === 'GET' || READS.includes(name) ? 'read' : 'write';
}

const ALLOWED: Readonly<Record<Access, readonly Role[]>> = {
  open: ROLES,
  work: ['operator', 'developer', 'worker'],
  read: ['operator', 'developer', 'reviewer', 'viewer'],
  write: ['operator', 'developer'],
  operator: ['operator'],
};

/** The route with ids that do not exist. */
function called({ method, url }: Route): Route {
  return { method, url: url.replaceAll(/:\w+/g, 'none') };
}

describe('roles', () => {
  it.each(ROLES)('%s may use exactly the routes of the reference', async (role) => {
    const it = await api();
    const token = await it.token(role);
    const routes = await registeredRoutes(it);
    const denied: string[] = [];
    for (const route of routes) {
      const { status, text } = await answer(it, called(route), token, route.method === 'GET' ? undefined : {});
      if (status === 403) denied.push(nameOf(route));
      else expect([nameOf(route), status < 500, text]).toEqual([nameOf(route), true, text]);
    }
    expect(denied).toEqual(routes.filter((route) => !ALLOWED[accessTo(route)].includes(role)).map(nameOf));
  });

  it('are checked by every route that is listed here', async () => {
    const names = (await registeredRoutes(await api())).map(nameOf);
    expect([...OPEN, ...OPERATIONS, ...READS, ...WORK].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('get a 403 that names the required role when they may not write', async () => {
    const { post } = await api();
    const { status, body } = await post('/executions', {}, { as: 'reviewer' });
    expect(status).toBe(403);
    expect(body).toMatchObject({ error: 'insufficient role — developer or operator required', required: 'developer' });
  });

  it('get a 403 that names the required role when they may not read', async () => {
    const { get } = await api();
    const { body } = await get('/executions', { as: 'worker' });
    const error = 'insufficient role — viewer, reviewer, developer or operator required';
    expect(body).toMatchObject({ error, required: 'viewer' });
  });

  it('get a 403 that names the required role when they are no operator', async () => {
    const { get } = await api();
    const { body } = await get('/tokens', { as: 'developer' });
    expect(body).toMatchObject({ error: 'insufficient role — operator required', required: 'operator' });
  });

  it('unknown to this release may only read', async () => {
    const { token, path, get, post } = await api();
    const authorization = `Bearer ${await token('operator', { name: 'odd' })}`;
    const database = new Database(path);
    database.prepare(`UPDATE tokens SET role = 'emperor' WHERE name = 'odd'`).run();
    database.close();
    expect((await get('/executions', { as: null, headers: { authorization } })).status).toBe(200);
    expect((await post('/executions', {}, { as: null, headers: { authorization } })).status).toBe(403);
  });
});

describe('a token', () => {
  it('is required by every route that is not open', async () => {
    const it = await api();
    for (const route of await registeredRoutes(it)) {
      const { status, text } = await answer(it, called(route), null, route.method === 'GET' ? undefined : {});
      const refused = status === 401 && text.includes('missing Authorization: Bearer <token>');
      expect([nameOf(route), refused]).toEqual([nameOf(route), accessTo(route) !== 'open']);
    }
    expect((await it.get('/executions', { as: null })).headers['www-authenticate']).toBe('Bearer');
  });

  it('is not required by the health check', async () => {
    const { get } = await api();
    expect(await get('/health', { as: null })).toMatchObject({ status: 200, body: { status: 'ok', version: VERSION } });
  });

  it.each(['Bearer nonsense', `Bearer jj_${'0'.repeat(64)}`, 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(8_000)}`])(
    'is refused when it is unknown: %.20s',
    async (authorization) => {
      const { get } = await api();
      const { status, body } = await get('/executions', { as: null, headers: { authorization } });
      expect([status, body.error]).toEqual([401, 'invalid or expired token']);
    },
  );

  it.each(['bearer', 'BEARER', 'Bearer '])('may be sent as %j', async (scheme) => {
    const { get, token } = await api();
    const { status } = await get('/executions', { as: null, headers: { authorization: `${scheme} ${await token('viewer')}` } });
    expect(status).toBe(200);
  });

  it('is refused after its expiry, cached or not', async () => {
    const { get, token, clock } = await api();
    const authorization = `Bearer ${await token('viewer', { expiresAtMs: clock.nowMs() + 1_000 })}`;
    const call = () => get('/executions', { as: null, headers: { authorization } });
    expect((await call()).status).toBe(200);
    clock.advance(1_000);
    expect((await call()).status).toBe(401);
  });

  it('sees only its own tenant', async () => {
    const { token, get, post, path, started } = await api();
    addTenant(path, 'acme', 'active');
    const id = await started({ ...REVIEW, workflow_id: 'secret' });
    const headers = { authorization: `Bearer ${await token('operator', { tenantId: 'acme' })}` };
    const asAcme = { as: null, headers } as const;
    expect((await get('/executions', asAcme)).body.executions).toEqual([]);
    expect((await get('/workflows', asAcme)).body.workflows).toEqual([]);
    for (const url of [`/executions/${id}`, `/executions/${id}/events`, `/executions/${id}/approvals`, '/workflows/secret']) {
      expect((await get(url, asAcme)).status).toBe(404);
    }
    expect((await post(`/executions/${id}/cancel`, {}, asAcme)).status).toBe(404);
    expect((await post(`/executions/${id}/approve`, { decision: 'approved' }, asAcme)).status).toBe(404);
    expect((await post('/executions', { workflow_id: 'secret' }, asAcme)).status).toBe(404);
    expect((await get(`/executions/${id}`)).body.status).toBe('paused');
  });

  it.each(['suspended', 'archived'])('of a tenant that is %s is refused', async (status) => {
    const { token, get, path } = await api();
    addTenant(path, 'acme', status);
    const authorization = `Bearer ${await token('operator', { tenantId: 'acme' })}`;
    const reply = await get('/executions', { as: null, headers: { authorization } });
    expect([reply.status, reply.body.error]).toEqual([403, `tenant acme is ${status}`]);
  });
});

describe('a revoked token', () => {
  it('is refused at once by the server that revoked it', async () => {
    const { token, get, call } = await api();
    const authorization = `Bearer ${await token('viewer', { name: 'leaked' })}`;
    const use = () => get('/executions', { as: null, headers: { authorization } });
    expect((await use()).status).toBe(200);
    const { tokens } = (await get('/tokens', { as: 'operator' })).body;
    const id = tokens.find(({ name }) => name === 'leaked')?.id;
    expect(await call('DELETE', `/tokens/${id}`, { as: 'operator' })).toMatchObject({ status: 200, body: { id, revoked: true } });
    expect((await use()).status).toBe(401);
  });

  it('is refused within five seconds when another process revoked it', async () => {
    const { token, get, store, clock } = await api();
    const authorization = `Bearer ${await token('viewer', { name: 'leaked' })}`;
    const use = () => get('/executions', { as: null, headers: { authorization } });
    expect((await use()).status).toBe(200);
    const [row] = (await store.tenant('default').tokens()).filter(({ name }) => name === 'leaked');
    const context = { tenantId: 'default', atMs: clock.nowMs(), actorId: 'other', actorType: 'human', request: null } as const;
    await store.control({ type: 'token_revoked', id: row?.id ?? '' }, context);
    clock.advance(5_000);
    expect((await use()).status).toBe(401);
  });
});

describe('without authentication', () => {
  it('every caller is an operator of the default tenant', async () => {
    const { get, call } = await api({ auth: 'off' });
    expect((await get('/tokens', { as: null })).status).toBe(200);
    expect((await call('POST', '/tokens', { as: null, body: { role: 'viewer' } })).body.tenant_id).toBe('default');
  });

  it.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { host: 'evil.example' },
    { host: 'evil.example:7700', origin: 'http://evil.example:7700' },
  ])('refuses requests of pages of other sites: %o', async (headers) => {
    const { get } = await api({ auth: 'off' });
    expect((await get('/executions', { as: null, headers })).status).toBe(403);
  });

  it('accepts only its own host names when it listens on a public address', async () => {
    const { get } = await api({ auth: 'off', config: { bind: '0.0.0.0', publicUrl: 'https://flows.example' } });
    const statusOf = async (host: string) => (await get('/executions', { as: null, headers: { host } })).status;
    for (const host of ['evil.example', 'evil.example:7700', '10.evil.example'])
      expect([host, await statusOf(host)]).toEqual([host, 403]);
    for (const host of ['10.0.0.7:7700', '[fd00::1]:7700', 'flows.example', 'localhost:7700'])
      expect([host, await statusOf(host)]).toEqual([host, 200]);
  });

  it.each([
    ['of this computer', { host: '127.0.0.1:7700', origin: 'http://127.0.0.1:7700' }],
    ['by the name of this computer', { host: 'localhost:7700', origin: 'http://localhost:7700' }],
    ['behind a proxy that keeps the host', { host: 'flows.example', origin: 'https://flows.example' }],
    ['behind a proxy that replaces the host', { host: '127.0.0.1:7700', origin: 'https://flows.example' }],
  ])('serves its own console %s, and no other page', async (_where, headers) => {
    const { call } = await api({ auth: 'off', config: { publicUrl: 'https://flows.example/jamjet/' } });
    const statusOf = async (origin: string) =>
      (await call('POST', '/tokens', { as: null, body: { role: 'viewer' }, headers: { ...headers, origin } })).status;
    expect(await statusOf(headers.origin)).toBe(201);
    for (const origin of ['https://flows.example.evil.example', 'https://evil.example', 'http://flows.example:81'])
      expect([origin, await statusOf(origin)]).toEqual([origin, 403]);
  });

  it.each([{ host: '127.0.0.1:7700' }, { host: 'localhost:7700', origin: 'http://localhost:7700' }, { host: '[::1]:7700' }])(
    'serves this computer: %o',
    async (headers) => {
      const { get } = await api({ auth: 'off' });
      expect((await get('/executions', { as: null, headers })).status).toBe(200);
    },
  );
});

function addTenant(path: string, id: string, status: string): void {
  const database = new Database(path);
  database
    .prepare('INSERT INTO tenants (id, name, status, created_at_ms, updated_at_ms) VALUES (?, ?, ?, 0, 0)')
    .run(id, id, status);
  database.close();
}
