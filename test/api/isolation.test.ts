import { describe, expect, it } from 'vitest';
import { type Api, api } from './support/api.ts';
import { bodyFor, FREE_NAMES, HANGING_TOOLS, populate, type TenantFixture, UNKNOWN, withIds } from './support/isolation.ts';
import { answer, nameOf, type Route, registeredRoutes } from './support/routes.ts';

/** Open routes, which concern no tenant. */
const PUBLIC = ['GET /docs/:file', 'GET /console/:file'];
/** The audit chain is shared by all tenants and changes with every commit. */
const OF_THE_CHAIN = ['GET /audit/verify', 'GET /audit/export'];

async function twoTenants(
  background = false,
): Promise<{ it: Api; mine: TenantFixture; theirs: TenantFixture; routes: readonly Route[] }> {
  const it = await api({ tools: HANGING_TOOLS, background });
  const mine = await populate(it, 'aardvark', background);
  const theirs = await populate(it, 'bumblebee', background);
  const routes = (await registeredRoutes(it)).filter((route) => !PUBLIC.includes(nameOf(route)));
  return { it, mine, theirs, routes };
}

/** Every reply to GET, by route. */
async function view(it: Api, world: TenantFixture, skip: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
  const seen: Record<string, string> = {};
  for (const route of await registeredRoutes(it)) {
    if (route.method !== 'GET' || [...PUBLIC, ...skip].includes(nameOf(route))) continue;
    const { status, text } = await answer(it, withIds(route, world.ids) ?? route, world.token);
    seen[nameOf(route)] = `${status} ${text}`;
  }
  return seen;
}

/** The text without its ids; longest first, because some are prefixes of others. */
function general(text: string, ids: Readonly<Record<string, string>>): string {
  const longestFirst = Object.values(ids).sort((a, b) => b.length - a.length);
  return longestFirst.reduce((left, id) => left.replaceAll(id, '<id>'), text);
}

function tracesIn(text: string, { traces }: TenantFixture): readonly string[] {
  return traces.filter((trace) => text.includes(trace));
}

describe('a tenant', () => {
  it('gets the same replies whether another tenant exists or not', async () => {
    const it = await api({ tools: HANGING_TOOLS });
    const mine = await populate(it, 'aardvark');
    const alone = await view(it, mine, OF_THE_CHAIN);
    const theirs = await populate(it, 'bumblebee');
    expect(await view(it, mine, OF_THE_CHAIN)).toEqual(alone);
    for (const [route, text] of Object.entries(await view(it, mine)))
      expect([route, tracesIn(text, theirs)]).toEqual([route, []]);
    // The other tenant sees all of it.
    expect(Object.values(await view(it, theirs)).filter((text) => tracesIn(text, theirs).length > 0).length).toBeGreaterThan(15);
  });

  it('gets the same replies for ids of another tenant as for ids that do not exist, and changes nothing', async () => {
    const { it, mine, theirs, routes } = await twoTenants();
    const before = await view(it, theirs, OF_THE_CHAIN);
    for (const route of routes) {
      const [named, unknown] = [withIds(route, theirs.ids), withIds(route, UNKNOWN)];
      if (named === null || unknown === null) continue;
      const refused = await answer(it, named, mine.token, bodyFor(route));
      const nothing = await answer(it, unknown, mine.token, bodyFor(route));
      expect([nameOf(route), refused.status, general(refused.text, theirs.ids)]).toEqual([
        nameOf(route),
        nothing.status,
        general(nothing.text, UNKNOWN),
      ]);
      // Only operators of the default tenant change tenants.
      if (!FREE_NAMES.includes(nameOf(route)))
        expect([nameOf(route), refused.status]).toEqual([
          nameOf(route),
          route.url.startsWith('/tenants') && route.method !== 'GET' ? 403 : 404,
        ]);
      const more = tracesIn(refused.text, theirs).filter((trace) => !named.url.includes(trace));
      expect([nameOf(route), more]).toEqual([nameOf(route), []]);
    }
    expect(await view(it, theirs, OF_THE_CHAIN)).toEqual(before);
  });

  it('cannot refer to resources of another tenant', async () => {
    const { it, mine, theirs } = await twoTenants();
    const before = await view(it, theirs, OF_THE_CHAIN);
    const post = (url: string, body: unknown) => answer(it, { method: 'POST', url }, mine.token, body);
    const both = async (url: string, resource: string, body: (id: string) => unknown) => {
      const [their, none] = [theirs.ids[resource] ?? '', UNKNOWN[resource] ?? ''];
      const [refused, nothing] = [await post(url, body(their)), await post(url, body(none))];
      expect([url, refused.status, refused.text.replaceAll(their, '<id>')]).toEqual([
        url,
        nothing.status,
        nothing.text.replaceAll(none, '<id>'),
      ]);
      return refused.status;
    };
    expect(await both('/executions', 'workflows', (workflow_id) => ({ workflow_id }))).toBe(404);
    expect(await both('/work-items', 'executions', (execution_id) => ({ execution_id, node_id: 'review' }))).toBe(404);
    expect(await both('/tokens', 'tenants', (tenant_id) => ({ role: 'viewer', tenant_id }))).toBe(403);
    const mcp = (name: string, given: object) => ({ method: 'tools/call', params: { name, arguments: given } });
    await both('/mcp', 'executions', (execution_id) => mcp('jamjet_get_execution', { execution_id }));
    await both('/mcp', 'executions', (execution_id) => mcp('jamjet_get_execution', { execution_id, tenant_id: theirs.tenantId }));
    for (const method of ['GetTask', 'CancelTask'])
      await both('/a2a', 'executions', (id) => ({ jsonrpc: '2.0', id: 1, method, params: { id } }));
    await both('/a2a', 'workflows', (workflow_id) => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      params: { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'x' }], metadata: { workflow_id } } },
    }));
    const claimed = await post('/work-items/claim', { worker_id: 'thief', queue_types: ['python_tool'], max_items: 10 });
    expect(JSON.parse(claimed.text)).toMatchObject({ claimed: false });
    expect(await view(it, theirs, OF_THE_CHAIN)).toEqual(before);
  });

  it('may use the same names, keys and bytes as another', async () => {
    const { it, mine, theirs } = await twoTenants();
    const ids: string[] = [];
    for (const { token } of [mine, theirs]) {
      const call = async (url: string, body: unknown, headers = {}) =>
        it.post(url, body, { as: null, headers: { authorization: `Bearer ${token}`, ...headers } });
      const ir = {
        workflow_id: 'shared',
        version: '1',
        nodes: { a: { kind: { type: 'wait', correlation_key: 'k' } } },
        edges: [],
      };
      expect((await call('/workflows', { ir })).status).toBe(201);
      const { body, headers } = await call('/executions', { workflow_id: 'shared' }, { 'idempotency-key': 'same' });
      expect(headers['idempotency-replayed']).toBeUndefined();
      ids.push(body.execution_id);
    }
    expect(new Set(ids).size).toBe(2);
  });

  it('acts in bulk on its own executions only', async () => {
    const { it, mine, theirs } = await twoTenants(true);
    const finished = async (world: TenantFixture, id: string) => {
      const { text } = await answer(it, { method: 'GET', url: `/jobs/${id}?wait_ms=5000` }, world.token);
      expect(JSON.parse(text)).toMatchObject({ status: 'completed', failed: 0 });
    };
    for (const world of [mine, theirs]) await finished(world, world.ids.jobs ?? '');
    const before = await view(it, theirs, OF_THE_CHAIN);
    const job = await answer(it, { method: 'POST', url: '/executions/bulk' }, mine.token, { action: 'cancel', all: true });
    await finished(mine, (JSON.parse(job.text) as { id: string }).id);
    for (const status of ['running', 'paused']) {
      const { text } = await answer(it, { method: 'GET', url: `/executions?status=${status}` }, mine.token);
      expect(JSON.parse(text)).toMatchObject({ executions: [] });
    }
    expect(await view(it, theirs, OF_THE_CHAIN)).toEqual(before);
  });

  it('gets only events of its own executions in its stream', async () => {
    const { it, mine, theirs } = await twoTenants();
    const { app } = it;
    const headers = { authorization: `Bearer ${mine.token}` };
    const stream = (await app.inject({ url: '/events/stream', headers, payloadAsStream: true })).stream();
    const started: string[] = [];
    for (const { token, ids } of [theirs, mine]) {
      const { text } = await answer(it, { method: 'POST', url: '/executions' }, token, { workflow_id: ids.workflows });
      started.push((JSON.parse(text) as { execution_id: string }).execution_id);
    }
    const [other = '', own = ''] = started;
    let received = '';
    for await (const chunk of stream) {
      received += String(chunk);
      if (received.includes(own)) break;
    }
    expect(received).not.toContain(other);
    expect(tracesIn(received, theirs)).toEqual([]);
  });

  it('waits for its own work only', async () => {
    const { it, mine, theirs } = await twoTenants();
    const claim = { worker_id: 'w', queue_types: ['python_tool'], wait_ms: 60_000 };
    const waiting = answer(it, { method: 'POST', url: '/work-items/claim' }, mine.token, claim);
    for (const { token, tenantId } of [theirs, mine])
      await answer(it, { method: 'POST', url: '/executions' }, token, { workflow_id: `${tenantId}-external` });
    const { text } = await waiting;
    expect(JSON.parse(text)).toMatchObject({ claimed: true, work_item: { workflow_id: 'aardvark-external' } });
    expect(tracesIn(text, theirs)).toEqual([]);
  });
});
