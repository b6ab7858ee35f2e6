import { describe, expect, it } from 'vitest';
import { agentOf, CARD, card, idsOf, skilled, tenant, traceOf } from '../support/agents.ts';
import { api, EXTERNAL } from '../support/api.ts';
import { READERS } from '../support/roles.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('POST /agents', () => {
  it('registers the card of the reference', async () => {
    const { post, get, clock } = await api();
    const reply = await post('/agents', CARD);
    const now = new Date(clock.nowMs()).toISOString();
    const [skill] = CARD.capabilities.skills;
    const expected = {
      ...CARD,
      capabilities: { ...CARD.capabilities, skills: [{ ...skill, id: 'research' }] },
      auth: { type: 'bearer_token', scopes: [] },
      constraints: null,
      latency_class: null,
      cost_class: null,
      reasoning_modes: [],
      labels: {},
    };
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      ...expected,
      agent_id: 'research-agent',
      uuid: expect.stringMatching(UUID),
      card: expected,
      status: 'registered',
      stale: false,
      registered_at: now,
      updated_at: now,
      last_heartbeat: null,
    });
    expect((await get('/agents/research-agent')).body).toEqual(reply.body);
    expect((await get(`/agents/${agentOf(reply).uuid}`)).body).toEqual(reply.body);
  });

  it('accepts the stricter form that older servers require', async () => {
    const { post } = await api();
    const strict = {
      ...CARD,
      capabilities: {
        skills: [{ name: 'research', description: '', input_schema: '{}', output_schema: '{}' }],
        protocols: ['mcp_server'],
        tools_provided: [],
        tools_consumed: [],
      },
      auth: { type: 'bearer_token', scopes: ['read'] },
      constraints: {
        max_iterations: 5,
        allowed_tools: [],
        blocked_tools: [],
        allowed_delegations: [],
        require_approval_for: [],
      },
      latency_class: 'fast',
      cost_class: 'low',
      reasoning_modes: ['react'],
      labels: { trust_domain: 'acme' },
    };
    const { status, body } = await post('/agents', strict);
    expect(status).toBe(201);
    expect(body).toMatchObject(strict);
  });

  it('accepts looser forms: few fields, null for missing ones, and the names of A2A', async () => {
    const { post } = await api();
    const least = await post('/agents', { id: 'a', name: 'A', uri: 'http://a.test' });
    expect(least.status).toBe(201);
    expect(least.body).toMatchObject({ description: '', version: '0.1.0', autonomy: 'guided', auth: { type: 'none' } });
    const nothing = { description: null, version: null, capabilities: null, autonomy: null, constraints: null, labels: null };
    expect((await post('/agents', { id: 'b', name: 'B', uri: 'http://b.test', ...nothing })).status).toBe(201);
    const named = await post('/agents', card('c', { capabilities: { skills: ['plan'] } }));
    expect(agentOf(named).capabilities.skills).toEqual([{ id: 'plan', name: 'plan', description: '' }]);
    const a2a = await post('/agents', {
      id: 'd',
      name: 'D',
      url: 'https://d.test/a2a',
      capabilities: { streaming: true },
      skills: [{ id: 'plan', name: 'Plan', tags: ['x'] }],
      securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' } },
    });
    expect(a2a.body).toMatchObject({
      uri: 'https://d.test/a2a',
      capabilities: { streaming: true, protocols: ['a2a'], skills: [{ id: 'plan', name: 'Plan', description: '', tags: ['x'] }] },
      auth: { type: 'api_key', header: 'X-Key' },
      card: { url: 'https://d.test/a2a', skills: [{ id: 'plan' }] },
    });
  });

  it('updates the agent of the same id: its uuid, status and first registration are kept', async () => {
    const { post, clock } = await api();
    const first = agentOf(await post('/agents', CARD));
    await post('/agents/research-agent/activate');
    clock.advance(1_000);
    const again = await post('/agents', { ...CARD, version: '0.2.0' });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({
      agent_id: first.id,
      uuid: first.uuid,
      version: '0.2.0',
      status: 'active',
      registered_at: first.registered_at,
      updated_at: new Date(clock.nowMs()).toISOString(),
    });
  });

  it('lets several agents share an address', async () => {
    const { post } = await api();
    await post('/agents', CARD);
    expect((await post('/agents', { ...CARD, id: 'other' })).status).toBe(201);
  });

  it('registers an id once, however many requests arrive at the same time', async () => {
    const { post, get, store } = await api();
    const replies = await Promise.all([1, 2, 3, 4].map((n) => post('/agents', { ...CARD, version: `0.${n}.0` })));
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(replies.map((reply) => agentOf(reply).uuid)).size).toBe(1);
    expect(traceOf(await get('/agents/research-agent/trace'))).toHaveLength(4);
    expect((await store.verifyAudit()).fault).toBeNull();
  });

  it.each([
    [{}, 'id is required'],
    [[], 'the body must be a JSON object'],
    [{ ...CARD, id: '' }, 'id is required'],
    [{ ...CARD, id: 7 }, 'id must be a string'],
    [{ ...CARD, id: 'a\nb' }, 'id must be printable text of at most 200 characters'],
    [{ ...CARD, id: 'x'.repeat(201) }, 'id must be printable text of at most 200 characters'],
    [{ ...CARD, id: 'search' }, 'id must not be "search": it cannot be used in a URL'],
    [{ ...CARD, id: '..' }, 'id must not be "..": it cannot be used in a URL'],
    [{ ...CARD, name: ' ' }, 'name is required'],
    [{ ...CARD, uri: undefined }, 'uri is required'],
    [{ ...CARD, uri: 'localhost' }, 'uri must be an absolute URI of at most 2048 characters'],
    [{ ...CARD, uri: 'http://me:secret@a.test' }, 'uri must not contain a user name or password'],
    [{ ...CARD, autonomy: 'total' }, 'autonomy must be one of deterministic, guided, bounded_autonomous, fully_autonomous'],
    [{ ...CARD, capabilities: [] }, 'capabilities must be a JSON object'],
    [{ ...CARD, capabilities: { protocols: 'a2a' } }, 'capabilities.protocols must be a list'],
    [{ ...CARD, labels: { a: 1 } }, 'labels.a must be a string'],
    [{ ...CARD, auth: {} }, 'auth.type is required'],
    [{ ...CARD, notes: 'x'.repeat(70_000) }, 'the card is longer than 64 KiB'],
  ])('refuses an invalid card: %#', async (body, error) => {
    const { post, get } = await api();
    const reply = await post('/agents', body);
    expect([reply.status, reply.body.error]).toEqual([400, `bad request: ${error}`]);
    expect(idsOf(await get('/agents'))).toEqual([]);
  });
});

describe('GET /agents', () => {
  it('lists the most recently registered first, in pages', async () => {
    const { post, get } = await api();
    for (let n = 1; n <= 120; n += 1) await post('/agents', card(`agent-${n}`));
    await post('/agents', card('agent-1'));
    expect(idsOf(await get('/agents'))).toEqual(Array.from({ length: 100 }, (_, i) => `agent-${120 - i}`));
    expect(idsOf(await get('/agents?limit=2&offset=118'))).toEqual(['agent-2', 'agent-1']);
    expect((await get('/agents?limit=5000&offset=200')).body).toEqual({ agents: [], limit: 1_000, offset: 200 });
  });

  it('filters by status, skill and protocol', async () => {
    const { post, get } = await api();
    await post('/agents', CARD);
    await post('/agents', card('planner', { capabilities: { skills: [{ id: 'p', name: 'Plan' }], protocols: ['mcp_server'] } }));
    await post('/agents/planner/activate');
    expect(idsOf(await get('/agents?status=active'))).toEqual(['planner']);
    expect(idsOf(await get('/agents?status=archived'))).toEqual([]);
    expect(idsOf(await get('/agents?skill=research'))).toEqual(['research-agent']);
    for (const skill of ['plan', 'Plan', 'p']) expect(idsOf(await get(`/agents?skill=${skill}`))).toEqual(['planner']);
    expect(idsOf(await get('/agents?protocol=a2a'))).toEqual(['research-agent']);
    for (const protocol of ['mcp', 'mcp_server']) expect(idsOf(await get(`/agents?protocol=${protocol}`))).toEqual(['planner']);
    expect(idsOf(await get('/agents?skill=plan&protocol=a2a'))).toEqual([]);
    expect(idsOf(await get('/agents?skill=plan&protocol=mcp&status=active'))).toEqual(['planner']);
  });

  it.each([
    ['status=asleep', 'status must be one of registered, active, paused, deactivated, archived'],
    ['limit=0', 'limit must be >= 1'],
    ['offset=-1', 'offset must be >= 0'],
  ])('refuses ?%s', async (query, error) => {
    const { get } = await api();
    const { status, body } = await get(`/agents?${query}`);
    expect([status, body.error]).toEqual([400, `bad request: ${error}`]);
  });
});

describe('GET /agents/search', () => {
  it('finds agents that have all of the skills, in one trust domain', async () => {
    const { post, get } = await api();
    await post('/agents', skilled('one', 'search', 'write'));
    await post('/agents', { ...skilled('two', 'search'), labels: { trust_domain: 'acme' } });
    expect(idsOf(await get('/agents/search?skills=search'))).toEqual(['two', 'one']);
    expect(idsOf(await get('/agents/search?skills=write,%20Search,'))).toEqual(['one']);
    expect(idsOf(await get('/agents/search?skills=search&trust_domain=acme'))).toEqual(['two']);
    expect(idsOf(await get('/agents/search?trust_domain=other'))).toEqual([]);
    expect(idsOf(await get('/agents/search'))).toEqual(['two', 'one']);
    expect(idsOf(await get('/agents/search?limit=1&offset=1'))).toEqual(['one']);
  });
});

describe('the status of an agent', () => {
  it.each([
    [['activate'], 'active'],
    [['activate', 'activate'], 'active'],
    [['activate', 'pause'], 'paused'],
    [['activate', 'pause', 'activate'], 'active'],
    [['activate', 'deactivate', 'deactivate'], 'deactivated'],
    [['activate', 'pause', 'deactivate', 'archive'], 'archived'],
  ])('changes by %j', async (verbs, status) => {
    const { post, get } = await api();
    await post('/agents', CARD);
    for (const verb of verbs) expect((await post(`/agents/research-agent/${verb}`)).status).toBe(200);
    const { uuid } = agentOf(await get('/agents/research-agent'));
    const last = verbs.at(-1);
    expect((await post(`/agents/${uuid}/${last}`)).body).toEqual({ agent_id: 'research-agent', status });
    expect(agentOf(await get('/agents/research-agent')).status).toBe(status);
  });

  it.each([
    [[], 'pause', 'is registered and cannot become paused: it may become active'],
    [[], 'deactivate', 'is registered and cannot become deactivated: it may become active'],
    [['activate'], 'archive', 'is active and cannot become archived: it may become paused or deactivated'],
    [['activate', 'deactivate'], 'activate', 'is deactivated and cannot become active: it may become archived'],
    [['activate', 'deactivate', 'archive'], 'activate', 'is archived and cannot become active: register it again first'],
  ])('after %j does not allow %s', async (verbs, verb, why) => {
    const { post, get } = await api();
    await post('/agents', CARD);
    for (const earlier of verbs) await post(`/agents/research-agent/${earlier}`);
    const before = (await get('/agents/research-agent')).body;
    const { status, body } = await post(`/agents/research-agent/${verb}`);
    expect([status, body.error]).toEqual([409, `conflict: agent research-agent ${why}`]);
    expect((await get('/agents/research-agent')).body).toEqual(before);
  });

  it.each([['deactivate'], ['deactivate', 'archive']])('is reset by a new registration after %j', async (...verbs) => {
    const { post } = await api();
    const { uuid } = agentOf(await post('/agents', CARD));
    await post('/agents/research-agent/activate');
    for (const verb of verbs) await post(`/agents/research-agent/${verb}`);
    expect(await post('/agents', CARD)).toMatchObject({ status: 200, body: { uuid, status: 'registered' } });
    expect((await post('/agents/research-agent/activate')).status).toBe(200);
  });

  it('changes once when two conflicting requests arrive at once', async () => {
    const { post, get } = await api();
    await post('/agents', CARD);
    await post('/agents/research-agent/activate');
    const replies = await Promise.all(['deactivate', 'pause'].map((verb) => post(`/agents/research-agent/${verb}`)));
    const { status } = agentOf(await get('/agents/research-agent'));
    expect(status).toBe('deactivated');
    expect(replies.filter((reply) => reply.status === 200).length).toBeGreaterThan(0);
  });
});

describe('POST /agents/:id/heartbeat', () => {
  it('records that an agent is alive; an active one without heartbeats becomes stale', async () => {
    const { post, get, clock } = await api();
    await post('/agents', CARD);
    await post('/agents/research-agent/activate');
    const agent = async () => agentOf(await get('/agents/research-agent'));
    clock.advance(3_600_000);
    expect(await agent()).toMatchObject({ last_heartbeat: null, stale: false });
    expect(await post('/agents/research-agent/heartbeat')).toMatchObject({
      status: 200,
      body: { agent_id: 'research-agent', ok: true },
    });
    const at = new Date(clock.nowMs()).toISOString();
    clock.advance(90_000);
    expect(await agent()).toMatchObject({ last_heartbeat: at, stale: false });
    clock.advance(1);
    expect(await agent()).toMatchObject({ last_heartbeat: at, stale: true });
    await post('/agents/research-agent/pause');
    expect(await agent()).toMatchObject({ stale: false });
    await post('/agents/research-agent/activate');
    expect(await agent()).toMatchObject({ stale: false });
    clock.advance(90_001);
    expect(await agent()).toMatchObject({ stale: true });
    await post('/agents/research-agent/heartbeat');
    expect(await agent()).toMatchObject({ stale: false });
  });

  it('is not recorded in the audit', async () => {
    const { post, get, store } = await api();
    await post('/agents', CARD);
    const before = await store.verifyAudit();
    await post('/agents/research-agent/heartbeat');
    expect(await store.verifyAudit()).toEqual(before);
    expect(traceOf(await get('/agents/research-agent/trace'))).toHaveLength(1);
  });
});

describe('GET /agents/:id/trace', () => {
  it('lists what was done to an agent and what it did, newest first', async () => {
    const bench = await api();
    const { post, get, token, clock } = bench;
    const own = { as: null, headers: { authorization: `Bearer ${await token('developer', { name: 'agent:research-agent' })}` } };
    await post('/agents', CARD, { as: 'operator' });
    clock.advance(1_000);
    await post('/workflows', { ir: EXTERNAL }, own);
    clock.advance(1_000);
    const { execution_id } = (await post('/executions', { workflow_id: 'external', input: {} }, own)).body;
    clock.advance(1_000);
    const claim = { worker_id: 'agent:research-agent', queue_types: ['python_tool'] };
    const { work_item } = (await post('/work-items/claim', claim, own)).body;
    clock.advance(1_000);
    await post(`/work-items/${work_item?.id}/complete`, { output: {} }, own);
    clock.advance(1_000);
    await post('/agents/research-agent/activate', undefined, own);
    const events = traceOf(await get('/agents/research-agent/trace', { as: 'viewer' }));
    expect(events[0]).toEqual({
      timestamp: new Date(clock.nowMs()).toISOString(),
      direction: 'inbound',
      event_type: 'agent_activated',
      summary: 'agent activated by agent:research-agent',
      actor_id: 'agent:research-agent',
    });
    expect(events.find((event) => event.event_type === 'node_started')).toEqual({
      timestamp: new Date(clock.nowMs() - 2_000).toISOString(),
      direction: 'outbound',
      event_type: 'node_started',
      summary: `node started work in ${execution_id}`,
      actor_id: 'agent:research-agent',
      execution_id,
      node_id: 'work',
    });
    expect(events.map((event) => event.event_type)).toEqual(
      expect.arrayContaining(['workflow_registered', 'workflow_started', 'node_completed', 'workflow_completed']),
    );
    expect(events.at(-1)).toMatchObject({ direction: 'inbound', summary: 'agent registered by operator' });
    const times = events.map((event) => event.timestamp);
    expect(times).toEqual([...times].sort().reverse());
    expect(traceOf(await get('/agents/research-agent/trace?limit=2'))).toEqual(events.slice(0, 2));
  });

  it('lists nothing of other agents', async () => {
    const { post, get } = await api();
    await post('/agents', CARD);
    await post('/agents', card('other'));
    await post('/agents/other/activate');
    expect(traceOf(await get('/agents/research-agent/trace')).map((event) => event.event_type)).toEqual(['agent_registered']);
  });
});

const OF_ONE = ['activate', 'pause', 'deactivate', 'archive', 'heartbeat'];

describe('roles', () => {
  it.each(READERS)('%s may use exactly the routes for reading, or all', async (role) => {
    const { call } = await api();
    const writes = ['/agents', '/agents/discover', ...OF_ONE.map((verb) => `/agents/none/${verb}`)];
    const statuses = await Promise.all(writes.map(async (url) => (await call('POST', url, { as: role, body: {} })).status));
    const may = role === 'operator' || role === 'developer';
    expect(statuses).toEqual(may ? [400, 400, 404, 404, 404, 404, 404] : writes.map(() => 403));
    for (const url of ['/agents', '/agents/search']) expect((await call('GET', url, { as: role })).status).toBe(200);
    for (const url of ['/agents/none', '/agents/none/trace']) expect((await call('GET', url, { as: role })).status).toBe(404);
    for (const url of ['/agents', '/agents/search', '/agents/none'])
      expect((await call('GET', url, { as: null })).status).toBe(401);
  });
});

describe('another tenant', () => {
  it('neither sees nor changes an agent, by id or uuid', async () => {
    const bench = await api();
    const { post, get, call } = bench;
    const asAcme = await tenant(bench, 'acme');
    const mine = agentOf(await post('/agents', CARD));
    for (const name of [mine.id, mine.uuid]) {
      for (const url of [`/agents/${name}`, `/agents/${name}/trace`]) {
        expect(await get(url, asAcme)).toMatchObject({ status: 404, body: { error: `not found: agent ${name}` } });
      }
      for (const verb of OF_ONE) {
        const reply = await call('POST', `/agents/${name}/${verb}`, asAcme);
        expect(reply).toMatchObject({ status: 404, body: { error: `not found: agent ${name}` } });
      }
    }
    expect(idsOf(await get('/agents', asAcme))).toEqual([]);
    expect(idsOf(await get('/agents/search?skills=research', asAcme))).toEqual([]);
    expect((await get('/agents/research-agent')).body).toEqual(mine);
  });

  it('may have an agent of the same id', async () => {
    const bench = await api();
    const { post, get } = bench;
    const asAcme = await tenant(bench, 'acme');
    await post('/agents', CARD);
    expect(await post('/agents', { ...CARD, name: 'Theirs' }, asAcme)).toMatchObject({ status: 201, body: { name: 'Theirs' } });
    expect((await get('/agents/research-agent')).body).toMatchObject({ name: 'Research Agent' });
    expect(traceOf(await get('/agents/research-agent/trace', asAcme))).toHaveLength(1);
  });
});
