import { describe, expect, it } from 'vitest';
import { api, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';

/** The requests of JamJet's Java SDK: blocking calls under `/api/v1`, each reply one JSON value. */
async function java(role: 'developer' | 'viewer' | null = 'developer') {
  const server = await api();
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const token = role === null ? null : await server.token(role);
  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'jamjet-java-sdk/0.1.0',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const warnings = response.headers.get('x-jamjet-warnings');
    if (warnings !== null) throw new Error(`the server does not know all of the SDK's fields: ${warnings}`);
    if (!response.ok) throw Object.assign(new Error(text), { status: response.status });
    return text === '' ? null : JSON.parse(text);
  };
  const client = {
    health: () => send('GET', '/health'),
    createWorkflow: (ir: object) => send('POST', '/api/v1/workflows', ir),
    listWorkflows: () => send('GET', '/api/v1/workflows'),
    startExecution: (id: string, input: object) => send('POST', `/api/v1/workflows/${id}/execute`, input),
    getExecution: (id: string) => send('GET', `/api/v1/executions/${id}`),
    listExecutions: (status: string | null, limit: number, offset: number) =>
      send('GET', `/api/v1/executions?limit=${limit}&offset=${offset}${status === null ? '' : `&status=${status}`}`),
    cancelExecution: (id: string) => send('POST', `/api/v1/executions/${id}/cancel`, {}),
    getEvents: (id: string) => send('GET', `/api/v1/executions/${id}/events`),
    approve: (id: string, decision: string, comment: string | null, patch: object | null) =>
      send('POST', `/api/v1/executions/${id}/approve`, {
        decision,
        ...(comment === null ? {} : { comment }),
        ...(patch === null ? {} : { state_patch: patch }),
      }),
    sendExternalEvent: (id: string, correlation_key: string, payload: unknown) =>
      send('POST', `/api/v1/executions/${id}/events`, { correlation_key, payload }),
    queryAudit: (id: string) => send('GET', `/api/v1/audit?limit=50&offset=0&execution_id=${id}`),
    registerAgent: (card: object) => send('POST', '/api/v1/agents', card),
    listAgents: () => send('GET', '/api/v1/agents'),
    getAgent: (id: string) => send('GET', `/api/v1/agents/${id}`),
    activateAgent: (id: string) => send('POST', `/api/v1/agents/${id}/activate`, {}),
    deactivateAgent: (id: string) => send('POST', `/api/v1/agents/${id}/deactivate`, {}),
    listWorkers: () => send('GET', '/api/v1/workers'),
  };
  return { ...server, client };
}

describe("JamJet's Java SDK on /api/v1", () => {
  it('registers, lists, runs and reads', async () => {
    const { client } = await java();
    expect(await client.health()).toMatchObject({ status: 'ok' });
    expect(await client.createWorkflow(REVIEW)).toMatchObject({ workflow_id: 'review' });
    expect(await client.listWorkflows()).toMatchObject([{ workflow_id: 'review', version: '1.0.0' }]);
    const { execution_id } = await client.startExecution('review', { amount: 0 });
    expect(await client.getExecution(execution_id)).toMatchObject({ execution_id, status: 'paused', state: { amount: 0 } });
    const { executions } = await client.listExecutions('paused', 10, 0);
    expect(executions).toMatchObject([{ execution_id, current_state: { amount: 0 }, initial_input: { amount: 0 } }]);
    expect((await client.listExecutions(null, 10, 0)).executions).toHaveLength(1);
    expect(await client.approve(execution_id, 'approved', null, { done: true })).toMatchObject({ execution_id, accepted: true });
    expect(await client.getExecution(execution_id)).toMatchObject({ status: 'completed', output: { done: true } });
    expect((await client.getEvents(execution_id)).events[0].kind).toMatchObject({ type: 'workflow_started' });
  });

  it('reads events and the audit log by the names of the Spring models', async () => {
    const { client, get } = await java();
    await client.createWorkflow(REVIEW);
    const { execution_id } = await client.startExecution('review', { amount: 0 });
    for (const event of (await client.getEvents(execution_id)).events) {
      const { type, ...fields } = event.kind;
      expect(event).toMatchObject({ event_id: event.id, event_type: type, payload: fields, timestamp: event.created_at });
    }
    expect((await client.getEvents(execution_id)).events[0]).toMatchObject({
      event_type: 'workflow_started',
      payload: { workflow_id: 'review', initial_input: { amount: 0 } },
    });
    const { items } = await client.queryAudit(execution_id);
    for (const item of items) {
      const { type, ...fields } = item.raw_event;
      expect(item).toMatchObject({ event_type: type, payload: fields, timestamp: item.created_at });
    }
    expect(items.at(-1)).toMatchObject({ event_type: 'workflow_started', node_id: null });
    // Neither the reference's form nor the Python SDK's has these names.
    for (const path of [`/executions/${execution_id}/events`, `/compat/executions/${execution_id}/events`])
      expect((await get(path)).body.events[0]).not.toHaveProperty('event_id');
    expect((await get(`/audit?execution_id=${execution_id}`)).body).not.toHaveProperty('items.0.payload');
  });

  it('starts the version registered last', async () => {
    const { client } = await java();
    await client.createWorkflow({ ...REVIEW, version: '2.0.0' });
    await client.createWorkflow(REVIEW);
    expect(await client.listWorkflows()).toHaveLength(1);
    const { execution_id } = await client.startExecution('review', {});
    expect((await client.getExecution(execution_id)).workflow_version).toBe('1.0.0');
  });

  it('sends events and cancels', async () => {
    const { client } = await java();
    await client.createWorkflow(PAYMENT);
    const paid = (await client.startExecution('payment', {})).execution_id;
    expect(await client.sendExternalEvent(paid, 'paid', { sum: 5 })).toMatchObject({ accepted: true });
    const other = (await client.startExecution('payment', {})).execution_id;
    expect(await client.cancelExecution(other)).toEqual({ execution_id: other, status: 'cancelled' });
  });

  it('manages agents and sees workers', async () => {
    const { client } = await java();
    const card = { id: 'helper', uri: 'http://localhost:7701', name: 'Helper', version: '1' };
    expect(await client.registerAgent(card)).toMatchObject({ agent_id: 'helper' });
    expect((await client.listAgents()).agents).toMatchObject([{ id: 'helper' }]);
    expect(await client.activateAgent('helper')).toMatchObject({ status: 'active' });
    expect(await client.deactivateAgent('helper')).toMatchObject({ status: 'deactivated' });
    expect(await client.getAgent('helper')).toMatchObject({ name: 'Helper' });
    expect((await client.listWorkers()).workers).toEqual(expect.any(Array));
  });

  it('gets a status and JSON for every error', async () => {
    const { client } = await java();
    await expect(client.getExecution(UNKNOWN_EXECUTION)).rejects.toMatchObject({ status: 404 });
    await expect(client.startExecution('none', {})).rejects.toMatchObject({ status: 404 });
    await expect(client.createWorkflow({})).rejects.toThrow('ir.workflow_id is required');
    const viewer = (await java('viewer')).client;
    await expect(viewer.startExecution('review', {})).rejects.toMatchObject({ status: 403 });
    expect(await viewer.listWorkflows()).toEqual([]);
    const anonymous = (await java(null)).client;
    await expect(anonymous.listWorkflows()).rejects.toMatchObject({ status: 401 });
    await expect(anonymous.startExecution('review', {})).rejects.toMatchObject({ status: 401 });
  });

  it('sees only its own tenant', async () => {
    const { call, started, token, get, post } = await java();
    await call('POST', '/tenants', { as: 'operator', body: { id: 'acme', name: 'Acme' } });
    await started(REVIEW);
    const headers = { authorization: `Bearer ${await token('developer', { tenantId: 'acme' })}` };
    expect((await get('/api/v1/workflows', { as: null, headers })).body).toEqual([]);
    expect((await post('/api/v1/workflows/review/execute', {}, { as: null, headers })).status).toBe(404);
  });

  it('accepts any JSON as input, and none as {}', async () => {
    const { call, post, get } = await api();
    await post('/api/v1/workflows', REVIEW);
    for (const [raw, input] of [
      ['', {}],
      ['{"a":null}', { a: null }],
      ['[0]', [0]],
    ] as const) {
      const { status, body } = await call('POST', '/api/v1/workflows/review/execute', { rawBody: raw });
      expect([raw, status]).toEqual([raw, 201]);
      expect((await get(`/api/v1/executions/${body.execution_id}`)).body.input).toEqual(input);
    }
    expect((await call('POST', '/api/v1/workflows/review/execute', { rawBody: '{' })).status).toBe(400);
    expect((await get('/api/v1/workflows?limit=0')).status).toBe(400);
  });

  it('gets errors with the path it sent', async () => {
    const { call } = await api();
    const { status, headers, body } = await call('DELETE', '/api/v1/workflows');
    expect([status, headers.allow, body.error]).toEqual([405, 'GET, POST', expect.stringContaining('DELETE /api/v1/workflows;')]);
    expect((await call('GET', '/api/v1/workflows/review/execute')).body.error).toContain('GET /api/v1/workflows/review/execute');
  });
});
