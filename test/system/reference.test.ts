import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { VERSION } from '../../src/server/config.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { temporaryFolder } from '../support/server.ts';

/**
 * The REST API reference, section by section, against the shipped server: every request of the reference, and every field of its responses.
 * Additional fields are allowed; no field may be missing.
 */

const TOOLS = `
export const web_search = ({ query }) => ({ hits: [query] });
export const write = () => ({ answer: 'Three, at least.' });
`;

const folder = temporaryFolder();
const tools = join(folder, 'tools.mjs');
writeFileSync(tools, TOOLS);

const server = sharedServer({
  replays: true,
  tools,
  env: { JAMJET_PUBLIC_URL: 'https://runtime.example.com:8443' },
});

type Role = 'operator' | 'developer' | 'reviewer' | 'viewer' | 'worker';
const ROLES: readonly Role[] = ['operator', 'developer', 'reviewer', 'viewer', 'worker'];
const tokens: Partial<Record<Role, string>> = {};

interface Answer {
  readonly status: number;
  readonly body: JsonObject & { readonly error?: string };
}

/** Sends a request like a generic client. `null` = without a token. */
async function ask(role: Role | null, route: string, body?: Json | string): Promise<Answer> {
  const [method = 'GET', path = '/'] = route.split(' ');
  const response = await fetch(`${server().url}${path}`, {
    method,
    headers: {
      ...(role === null ? {} : { authorization: `Bearer ${tokens[role]}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

const RFC_3339_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const aTime = expect.stringMatching(RFC_3339_MS);
const anExecutionId = expect.stringMatching(/^exec_[0-9a-f]{32}$/);

const RESEARCH: JsonObject = {
  workflow_id: 'research-agent',
  version: '0.1.0',
  state_schema: { query: 'str', answer: 'str' },
  nodes: {
    search: { kind: { type: 'tool', tool_ref: 'web_search' } },
    synthesize: { kind: { type: 'tool', tool_ref: 'write' } },
  },
  edges: [
    { from: 'search', to: 'synthesize' },
    { from: 'synthesize', to: 'end' },
  ],
};
const REVIEW: JsonObject = {
  workflow_id: 'review',
  version: '0.1.0',
  nodes: { 'manager-review': { kind: { type: 'human_approval', description: 'Release?' } } },
  edges: [{ from: 'manager-review', to: 'end' }],
};
const PAYMENT: JsonObject = {
  workflow_id: 'payment',
  version: '0.1.0',
  nodes: { pay: { kind: { type: 'wait', correlation_key: 'payment-received' } } },
  edges: [{ from: 'pay', to: 'end' }],
};
const QUERY = { query: 'Latest AI agent frameworks?' };

async function start(workflowId: string, input: Json = {}): Promise<string> {
  const { body } = await ask('developer', 'POST /executions', { workflow_id: workflowId, input });
  return String(body.execution_id);
}

/** Waits until the execution is terminal or paused. */
async function settled(id: string): Promise<JsonObject> {
  return (await ask('viewer', `GET /executions/${id}?wait_ms=20000`)).body;
}

beforeAll(async () => {
  const { client } = server();
  for (const role of ROLES) tokens[role] = (await client.createToken({ role, name: `${role}-of-the-tests` })).token;
  for (const ir of [RESEARCH, REVIEW, PAYMENT]) expect((await ask('developer', 'POST /workflows', { ir })).status).toBe(201);
});

describe('Authentication', () => {
  it('requires Authorization: Bearer <token>', async () => {
    expect(await ask(null, 'GET /executions')).toMatchObject({ status: 401 });
    expect(await ask('operator', 'GET /executions')).toMatchObject({ status: 200 });
  });

  it('shows the plaintext once, at creation', async () => {
    const { client } = server();
    const { token } = await client.createToken({ role: 'viewer' });
    expect(token).toMatch(/^jj_[0-9a-f]{64}$/);
    expect(JSON.stringify(await client.tokens())).not.toContain(token);
  });
});

/** The role that each route of the reference requires, with a request that only fails because its object does not exist. */
const ROUTES = {
  read: [
    'GET /executions',
    'GET /executions/exec_abc123',
    'GET /executions/exec_abc123/events',
    'GET /agents',
    'GET /agents/nobody',
    'GET /audit',
    'GET /workers',
  ],
  write: [
    'POST /workflows',
    'POST /executions',
    'POST /executions/exec_abc123/cancel',
    'POST /executions/exec_abc123/approve',
    'POST /executions/exec_abc123/external-event',
    'POST /agents',
    'POST /agents/discover',
    'POST /agents/nobody/activate',
    'POST /agents/nobody/deactivate',
    'POST /agents/nobody/heartbeat',
  ],
  admin: ['POST /tenants', 'GET /tenants', 'GET /tenants/nobody', 'PUT /tenants/nobody'],
} as const;

describe('Roles', () => {
  it.each([
    ['operator', true, true, true],
    ['developer', true, true, false],
    ['reviewer', true, false, false],
    ['viewer', true, false, false],
    ['worker', false, false, false],
  ] as const)('%s: read %s, write %s, admin %s', async (role, read, write, admin) => {
    for (const [kind, allowed] of Object.entries({ read, write, admin })) {
      for (const route of ROUTES[kind as keyof typeof ROUTES]) {
        const { status } = await ask(role, route, route.startsWith('GET') ? undefined : {});
        expect([route, status === 403]).toEqual([route, !allowed]);
        expect(status).toBeLessThan(500);
      }
    }
  });

  it.each(Object.values(ROUTES).flat())('%s: refused without a token, and with a wrong one', async (route) => {
    expect((await ask(null, route, route.startsWith('GET') ? undefined : {})).status).toBe(401);
    const response = await fetch(`${server().url}${route.split(' ')[1]}`, {
      method: route.split(' ')[0] ?? '',
      headers: { authorization: `Bearer jj_${'0'.repeat(64)}` },
    });
    expect([response.status, await response.json()]).toMatchObject([401, { error: 'invalid or expired token' }]);
  });
});

describe('Health', () => {
  it('GET /health needs no authentication', async () => {
    expect(await ask(null, 'GET /health')).toEqual({ status: 200, body: { status: 'ok', version: VERSION } });
  });
});

describe('Workflows', () => {
  it('POST /workflows registers a definition', async () => {
    expect(await ask('developer', 'POST /workflows', { ir: RESEARCH })).toMatchObject({
      status: 201,
      body: { workflow_id: 'research-agent', version: '0.1.0' },
    });
  });
});

describe('Executions', () => {
  it('POST /executions starts one, of the latest version by default', async () => {
    const named = { workflow_id: 'research-agent', workflow_version: '0.1.0', input: QUERY };
    expect(await ask('developer', 'POST /executions', named)).toEqual({ status: 201, body: { execution_id: anExecutionId } });
    const latest = { workflow_id: 'research-agent', input: QUERY };
    expect(await ask('developer', 'POST /executions', latest)).toEqual({ status: 201, body: { execution_id: anExecutionId } });
  });

  it('GET /executions lists them', async () => {
    const id = await start('research-agent', QUERY);
    await settled(id);
    const { status, body } = await ask('viewer', 'GET /executions?status=completed&limit=1&offset=0');
    expect([status, body]).toMatchObject([
      200,
      {
        executions: [
          {
            execution_id: id,
            workflow_id: 'research-agent',
            status: 'completed',
            created_at: aTime,
            completed_at: aTime,
          },
        ],
      },
    ]);
  });

  it.each(['running', 'paused', 'completed', 'failed', 'cancelled'])('GET /executions?status=%s filters', async (status) => {
    const { body } = await ask('viewer', `GET /executions?status=${status}`);
    for (const execution of body.executions as JsonObject[]) expect(execution.status).toBe(status);
  });

  it('GET /executions/:id gets one with full state', async () => {
    const id = await start('research-agent', QUERY);
    await settled(id);
    expect(await ask('viewer', `GET /executions/${id}`)).toMatchObject({
      status: 200,
      body: {
        execution_id: id,
        workflow_id: 'research-agent',
        status: 'completed',
        state: { query: 'Latest AI agent frameworks?', answer: 'Three, at least.' },
        steps_executed: 2,
        created_at: aTime,
        completed_at: aTime,
      },
    });
  });

  it('GET /executions/:id/events gets the timeline', async () => {
    const id = await start('research-agent', QUERY);
    await settled(id);
    const { status, body } = await ask('viewer', `GET /executions/${id}/events`);
    expect(status).toBe(200);
    const events = body.events as JsonObject[];
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
    for (const event of events) expect(event).toMatchObject({ kind: expect.stringMatching(/^[A-Z]\w+$/), created_at: aTime });
    const shown = events.filter((event) => ['WorkflowStarted', 'NodeCompleted'].includes(String(event.kind)));
    expect(shown.map(({ kind, node_id }) => ({ kind, node_id }))).toEqual([
      { kind: 'WorkflowStarted', node_id: null },
      { kind: 'NodeCompleted', node_id: 'search' },
      { kind: 'NodeCompleted', node_id: 'synthesize' },
    ]);
  });

  it('writes every kind of event of the reference', async () => {
    const kinds = new Set<unknown>();
    const collect = async (id: string): Promise<void> => {
      const { body } = await ask('viewer', `GET /executions/${id}/events`);
      for (const { kind } of body.events as JsonObject[]) kinds.add(kind);
    };
    const researched = await start('research-agent', QUERY);
    await settled(researched);
    const approved = await start('review');
    await settled(approved);
    await ask('developer', `POST /executions/${approved}/approve`, { decision: 'approved' });
    const paid = await start('payment');
    await ask('developer', `POST /executions/${paid}/external-event`, { correlation_key: 'payment-received', payload: {} });
    const cancelled = await start('review');
    await ask('developer', `POST /executions/${cancelled}/cancel`);
    for (const id of [researched, approved, paid, cancelled]) await collect(id);
    for (const kind of [
      'WorkflowStarted',
      'NodeScheduled',
      'NodeCompleted',
      'ApprovalReceived',
      'ExternalEventReceived',
      'ToolCallCompleted',
      'WorkflowCancelled',
    ])
      expect(kinds).toContain(kind);
  });

  it('POST /executions/:id/cancel cancels a running one', async () => {
    const id = await start('review');
    expect(await ask('developer', `POST /executions/${id}/cancel`)).toEqual({
      status: 200,
      body: { execution_id: id, status: 'cancelled' },
    });
  });

  it('POST /executions/:id/approve sends a decision', async () => {
    const id = await start('review');
    await settled(id);
    const decision = {
      decision: 'approved',
      node_id: 'manager-review',
      user_id: 'user-42',
      comment: 'Looks good, proceed.',
      state_patch: { priority: 'high' },
    };
    expect(await ask('developer', `POST /executions/${id}/approve`, decision)).toMatchObject({
      status: 200,
      body: { execution_id: id, accepted: true },
    });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { priority: 'high' } });
  });

  it.each(['approved', 'rejected'])('POST /executions/:id/approve requires only the decision: %s', async (decision) => {
    const id = await start('review');
    await settled(id);
    expect(await ask('developer', `POST /executions/${id}/approve`, { decision })).toMatchObject({
      status: 200,
      body: { execution_id: id, accepted: true },
    });
  });

  it('POST /executions/:id/external-event continues a paused one', async () => {
    const id = await start('payment');
    expect(await settled(id)).toMatchObject({ status: 'paused' });
    const event = { correlation_key: 'payment-received', payload: { amount: 500, currency: 'USD' } };
    expect(await ask('developer', `POST /executions/${id}/external-event`, event)).toMatchObject({
      status: 200,
      body: { execution_id: id, accepted: true },
    });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { amount: 500, currency: 'USD' } });
  });
});

const CARD: JsonObject = {
  id: 'research-agent',
  uri: 'http://localhost:7701',
  name: 'Research Agent',
  description: 'Searches the web and synthesizes reports.',
  version: '0.1.0',
  capabilities: {
    skills: [
      {
        name: 'research',
        description: 'Deep research on any topic',
        input_schema: { type: 'object', properties: { query: { type: 'string' } } },
        output_schema: { type: 'object', properties: { report: { type: 'string' } } },
      },
    ],
    protocols: ['a2a'],
    tools_provided: ['web_search'],
    tools_consumed: [],
  },
  autonomy: 'guided',
  auth: { type: 'bearer_token' },
};

describe('Agents', () => {
  it('POST /agents registers one with its card', async () => {
    expect(await ask('developer', 'POST /agents', CARD)).toMatchObject({ status: 201, body: { agent_id: 'research-agent' } });
  });

  it('POST /agents/:id/activate activates it', async () => {
    expect(await ask('developer', 'POST /agents/research-agent/activate')).toMatchObject({
      status: 200,
      body: { agent_id: 'research-agent', status: 'active' },
    });
  });

  it('POST /agents/:id/heartbeat reports that it is alive', async () => {
    expect(await ask('developer', 'POST /agents/research-agent/heartbeat')).toMatchObject({
      status: 200,
      body: { agent_id: 'research-agent', ok: true },
    });
  });

  it('GET /agents/:id gets its details, including the card', async () => {
    const { status, body } = await ask('viewer', 'GET /agents/research-agent');
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...CARD, agent_id: 'research-agent', status: 'active', last_heartbeat: aTime });
    expect(body.card).toMatchObject(CARD);
  });

  it.each(['', '?status=active', '?skill=research', '?protocol=a2a', '?status=active&skill=research&protocol=a2a'])(
    'GET /agents%s lists it',
    async (query) => {
      const { status, body } = await ask('viewer', `GET /agents${query}`);
      expect([status, (body.agents as JsonObject[]).map((agent) => agent.id)]).toEqual([200, ['research-agent']]);
    },
  );

  it.each(['?status=registered', '?status=paused', '?status=deactivated', '?skill=cooking', '?protocol=mcp', '?protocol=anp'])(
    'GET /agents%s does not',
    async (query) => {
      expect(await ask('viewer', `GET /agents${query}`)).toMatchObject({ status: 200, body: { agents: [] } });
    },
  );

  it('POST /agents/:id/deactivate deactivates it', async () => {
    expect(await ask('developer', 'POST /agents/research-agent/deactivate')).toMatchObject({
      status: 200,
      body: { agent_id: 'research-agent', status: 'deactivated' },
    });
  });

  describe('POST /agents/discover', () => {
    let url = '';
    const remote = createServer((request, response) => {
      if (request.url !== '/.well-known/agent.json') response.writeHead(404).end('nothing here');
      else response.end(JSON.stringify({ ...CARD, id: 'remote-agent', uri: url }));
    });
    beforeAll(async () => {
      await new Promise<void>((resolve) => remote.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`;
    });
    afterAll(() => remote.close());

    it('fetches the card of a remote agent and registers it', async () => {
      const { status, body } = await ask('developer', 'POST /agents/discover', { url });
      expect(status).toBe(201);
      expect(body).toMatchObject({ ...CARD, id: 'remote-agent', agent_id: 'remote-agent', uri: url, status: 'registered' });
      expect(await ask('viewer', 'GET /agents/remote-agent')).toMatchObject({ status: 200, body });
    });
  });
});

describe('Audit log', () => {
  it('GET /audit queries it', async () => {
    const id = await start('research-agent', QUERY);
    await settled(id);
    const { status, body } = await ask('viewer', `GET /audit?execution_id=${id}&event_type=node_completed`);
    expect([status, body]).toMatchObject([200, { total: 2, limit: 50, offset: 0 }]);
    const items = body.items as JsonObject[];
    expect(items).toHaveLength(2);
    for (const item of items)
      expect(item).toMatchObject({
        id: expect.any(String),
        execution_id: id,
        event_type: 'node_completed',
        actor_id: expect.any(String),
        created_at: aTime,
      });
  });

  it('GET /audit?actor_id= finds the actions of an actor', async () => {
    const id = await start('review');
    await settled(id);
    await ask('developer', `POST /executions/${id}/approve`, { decision: 'approved', user_id: 'user-42' });
    const { body } = await ask('viewer', 'GET /audit?actor_id=user-42&event_type=approval_received&limit=1');
    const decided = { execution_id: id, event_type: 'approval_received', on_behalf_of: 'user-42' };
    expect(body.items).toMatchObject([{ ...decided, actor_id: expect.stringContaining('developer') }]);
  });

  it('GET /audit returns at most 200 items per page', async () => {
    expect(await ask('viewer', 'GET /audit?limit=1000')).toMatchObject({ status: 200, body: { limit: 200 } });
    const { body: all } = await ask('viewer', 'GET /audit?limit=3');
    const { body: page } = await ask('viewer', 'GET /audit?limit=1&offset=2');
    expect([page.offset, page.limit]).toEqual([2, 1]);
    expect(page.items).toEqual((all.items as Json[]).slice(2));
    expect(page.total).toBe(all.total);
  });
});

describe('Tenants', () => {
  it('POST /tenants creates one', async () => {
    expect(await ask('operator', 'POST /tenants', { id: 'acme', name: 'Acme Corp' })).toMatchObject({
      status: 201,
      body: { tenant_id: 'acme' },
    });
  });

  it('GET /tenants lists all', async () => {
    const { status, body } = await ask('operator', 'GET /tenants');
    expect(status).toBe(200);
    expect((body.tenants as JsonObject[]).map((tenant) => tenant.id)).toEqual(expect.arrayContaining(['acme', 'default']));
  });

  it('GET /tenants/:id gets its details', async () => {
    expect(await ask('operator', 'GET /tenants/acme')).toMatchObject({
      status: 200,
      body: { id: 'acme', name: 'Acme Corp', status: 'active', created_at: aTime },
    });
  });

  it('PUT /tenants/:id updates its configuration, all fields optional', async () => {
    const policy = { blocked_tools: ['shell.*'] };
    const limits = { max_concurrent_executions: 10 };
    const change = { name: 'Acme Corporation', status: 'active', policy, limits };
    expect(await ask('operator', 'PUT /tenants/acme', change)).toMatchObject({ status: 200, body: { tenant_id: 'acme' } });
    expect(await ask('operator', 'GET /tenants/acme')).toMatchObject({ status: 200, body: change });
    expect((await ask('operator', 'PUT /tenants/acme', {})).status).toBe(200);
    expect(await ask('operator', 'GET /tenants/acme')).toMatchObject({ status: 200, body: change });
  });
});

describe('Workers', () => {
  it('GET /workers lists the active ones', async () => {
    await ask('developer', 'POST /work-items/claim', { worker_id: 'w1', queue_types: ['python_tool'] });
    const { status, body } = await ask('viewer', 'GET /workers');
    expect(status).toBe(200);
    expect(body.workers).toEqual(expect.arrayContaining([expect.objectContaining({ worker_id: 'w1', status: 'active' })]));
  });
});

describe('Federation', () => {
  it('GET /.well-known/did.json is a public DID document with the active agents', async () => {
    await ask('developer', 'POST /agents', { ...CARD, id: 'active-agent', name: 'Active Agent' });
    await ask('developer', 'POST /agents/active-agent/activate');
    const { status, body } = await ask(null, 'GET /.well-known/did.json');
    expect([status, body]).toMatchObject([200, { id: 'did:web:runtime.example.com%3A8443' }]);
    expect(body.service).toMatchObject([{ id: expect.stringContaining('#'), type: 'A2AService', name: 'Active Agent' }]);
  });
});

describe('Error responses', () => {
  it('400', async () => {
    const { workflow_id: _left, ...ir } = RESEARCH;
    const { status, body } = await ask('developer', 'POST /workflows', { ir });
    expect([status, body.error]).toEqual([400, 'bad request: ir.workflow_id is required']);
  });

  it('401', async () => {
    const response = await fetch(`${server().url}/executions`, { headers: { authorization: 'Bearer jj_none' } });
    expect([response.status, await response.json()]).toMatchObject([401, { error: 'invalid or expired token' }]);
  });

  it('403', async () => {
    const { status, body } = await ask('viewer', 'POST /executions', { workflow_id: 'research-agent', input: {} });
    expect([status, body.error]).toEqual([403, 'insufficient role — developer or operator required']);
  });

  it('404', async () => {
    const { status, body } = await ask('viewer', 'GET /executions/exec_abc123');
    expect([status, body.error]).toEqual([404, 'not found: execution exec_abc123']);
  });

  /** Invalid input for every route of the reference, with the expected status. */
  const BAD: readonly (readonly [route: string, body: Json | string | undefined, status: number])[] = [
    ['POST /workflows', undefined, 400],
    ['POST /workflows', '{"ir":', 400],
    ['POST /workflows', { ir: 5 }, 400],
    ['POST /workflows', { ir: { workflow_id: 'x', version: '1', nodes: { a: { kind: { type: 'nonsense' } } }, edges: [] } }, 400],
    ['POST /executions', undefined, 400],
    ['POST /executions', { input: {} }, 400],
    ['POST /executions', { workflow_id: 7 }, 400],
    ['POST /executions', { workflow_id: 'unknown' }, 404],
    ['POST /executions', { workflow_id: 'research-agent', workflow_version: '9.9.9' }, 404],
    ['GET /executions?status=nonsense', undefined, 400],
    ['GET /executions?limit=-1', undefined, 400],
    ['GET /executions?offset=x', undefined, 400],
    ['GET /executions/nonsense', undefined, 404],
    ['GET /executions/nonsense/events', undefined, 404],
    ['POST /executions/nonsense/cancel', undefined, 404],
    ['POST /executions/nonsense/approve', { decision: 'approved' }, 404],
    ['POST /executions/nonsense/approve', {}, 400],
    ['POST /executions/nonsense/external-event', { correlation_key: 'k', payload: {} }, 404],
    ['POST /executions/nonsense/external-event', { payload: {} }, 400],
    ['POST /executions/nonsense/external-event', { correlation_key: 'k' }, 400],
    ['POST /agents', {}, 400],
    ['POST /agents', '[]', 400],
    ['POST /agents', { ...CARD, id: '' }, 400],
    ['GET /agents?status=nonsense', undefined, 400],
    ['GET /agents/unknown', undefined, 404],
    ['POST /agents/discover', {}, 400],
    ['POST /agents/discover', { url: 'not a url' }, 400],
    ['POST /agents/discover', { url: 'http://127.0.0.1:9/' }, 502],
    ['POST /agents/unknown/activate', undefined, 404],
    ['POST /agents/unknown/deactivate', undefined, 404],
    ['POST /agents/unknown/heartbeat', undefined, 404],
    ['GET /audit?limit=x', undefined, 400],
    ['GET /audit?offset=-1', undefined, 400],
    ['POST /tenants', {}, 400],
    ['POST /tenants', { id: 'acme', name: 'again' }, 409],
    ['POST /tenants', { id: 'no spaces or /', name: 'x' }, 400],
    ['GET /tenants/unknown', undefined, 404],
    ['PUT /tenants/unknown', {}, 404],
    ['PUT /tenants/acme', { status: 'nonsense' }, 400],
    ['PUT /tenants/acme', { limits: { max_workflows: -1 } }, 400],
  ];
  it.each(BAD)('%s with %j is refused with %i', async (route, body, status) => {
    const answer = await ask('operator', route, body);
    expect([answer.status, typeof answer.body.error]).toEqual([status, 'string']);
    expect(answer.body.error).not.toMatch(/\n\s+at /);
  });

  it.each(Object.values(ROUTES).flat())('%s: a wrong method gets the allowed ones', async (route) => {
    const { status, body } = await ask('operator', `DELETE ${route.split(' ')[1]}`);
    expect([status, body.error]).toEqual([405, expect.stringMatching(/^method not allowed: .*use .*(GET|POST|PUT)/)]);
  });
});

describe('CLI to API mapping', () => {
  interface Printed {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  function cli(...args: string[]): Promise<Printed> {
    const env = { PATH: process.env.PATH, HOME: folder, JAMJET_URL: server().url, JAMJET_TOKEN: tokens.developer };
    return new Promise((done) => {
      execFile(process.execPath, [resolve('bin/jamjet.js'), ...args], { cwd: folder, env }, (error, stdout, stderr) =>
        done({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    });
  }

  it('jamjet run <wf> --input <json>, inspect, events', async () => {
    const ran = await cli('run', 'research-agent', '--input', JSON.stringify(QUERY), '--json');
    expect(ran.code, ran.stderr).toBe(0);
    const id = /exec_[0-9a-f]{32}/.exec(ran.stdout)?.[0] ?? '';
    const inspected = await cli('inspect', id);
    expect([inspected.code, inspected.stdout]).toEqual([0, expect.stringContaining('completed')]);
    const events = await cli('events', id);
    expect([events.code, events.stdout]).toEqual([0, expect.stringContaining('workflow_started')]);
  });

  it('jamjet agents list, inspect, activate, deactivate', async () => {
    await ask('developer', 'POST /agents', { ...CARD, id: 'by-hand', name: 'By Hand' });
    expect(await cli('agents', 'activate', 'by-hand')).toMatchObject({ code: 0 });
    expect(await cli('agents', 'list')).toMatchObject({ code: 0, stdout: expect.stringContaining('by-hand') });
    expect(await cli('agents', 'inspect', 'by-hand')).toMatchObject({ code: 0, stdout: expect.stringContaining('By Hand') });
    expect(await cli('agents', 'deactivate', 'by-hand')).toMatchObject({ code: 0 });
  });

  it('jamjet agents discover <url>', async () => {
    const { code, stderr } = await cli('agents', 'discover', 'http://127.0.0.1:9/');
    expect([code, stderr]).toEqual([1, expect.stringContaining('127.0.0.1:9')]);
  });
});
