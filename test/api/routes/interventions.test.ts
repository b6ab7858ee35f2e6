import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { ROLES } from '../../../src/server/tokens.ts';
import { type Api, api, ECHO, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';

/** Fails until `fixed` is set. */
function broken(): { readonly tools: Tools; fix(): void } {
  let fixed = false;
  return {
    tools: {
      echo: () => {
        if (!fixed) throw Object.assign(new Error('down'), { retryable: false });
        return { up: true };
      },
    },
    fix: () => {
      fixed = true;
    },
  };
}

async function claims({ post }: Api): Promise<boolean> {
  return (await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] })).body.claimed;
}

describe('POST /executions/:id/pause', () => {
  it('pauses an execution, and records the reason', async () => {
    const it = await api();
    const id = await it.started(EXTERNAL);
    expect(await it.post(`/executions/${id}/pause`, { reason: 'the bank is closed' })).toMatchObject({
      status: 200,
      body: { execution_id: id, status: 'paused', held: true },
    });
    const { body } = await it.get(`/executions/${id}`);
    expect(body).toMatchObject({ status: 'paused', held: true, held_reason: 'the bank is closed' });
    expect(await claims(it)).toBe(false);
    const { events } = (await it.get(`/executions/${id}/events?type=workflow_paused`)).body;
    expect(events).toMatchObject([{ kind: 'WorkflowPaused', data: { reason: 'the bank is closed' } }]);
    expect((await it.get('/executions?status=paused')).body.executions).toMatchObject([{ execution_id: id }]);
  });

  it('requires neither a reason nor a body', async () => {
    const { post, get, started } = await api();
    for (const body of [undefined, {}, { reason: null }]) {
      const id = await started(REVIEW);
      expect((await post(`/executions/${id}/pause`, body)).status).toBe(200);
      const held = (await get(`/executions/${id}`)).body;
      expect([held.held, 'held_reason' in held]).toEqual([true, false]);
    }
  });

  it.each([
    [{ reason: 5 }, 'reason must be a string'],
    [{ reason: 'x'.repeat(1_025) }, 'reason must not have more than 1024 characters'],
    [[], 'the body must be a JSON object'],
  ])('refuses %j', async (request, error) => {
    const { post, get, started } = await api();
    const id = await started(REVIEW);
    const { status, body } = await post(`/executions/${id}/pause`, request);
    expect([status, body.error]).toEqual([400, expect.stringContaining('bad request')]);
    expect(body.error).toContain(error);
    expect((await get(`/executions/${id}`)).body.held).toBeUndefined();
  });

  it('returns 409 if it is already paused, or has ended', async () => {
    const { post, started } = await api();
    const id = await started(REVIEW);
    await post(`/executions/${id}/pause`);
    const again = await post(`/executions/${id}/pause`);
    expect([again.status, again.body.error]).toEqual([409, `conflict: execution ${id} is paused already`]);
    await post(`/executions/${id}/cancel`);
    const late = await post(`/executions/${id}/pause`);
    expect([late.status, late.body.error]).toEqual([409, `conflict: execution ${id} has ended: cancelled`]);
  });
});

describe('POST /executions/:id/resume', () => {
  it('begins what was deferred', async () => {
    const it = await api();
    const id = await it.started(EXTERNAL);
    await it.post(`/executions/${id}/pause`);
    expect(await it.post(`/executions/${id}/resume`)).toMatchObject({
      status: 200,
      body: { execution_id: id, status: 'running', held: false },
    });
    expect('held' in (await it.get(`/executions/${id}`)).body).toBe(false);
    expect(await claims(it)).toBe(true);
  });

  it('reports that it is still paused if it awaits a decision', async () => {
    const { post, started } = await api();
    const id = await started(REVIEW);
    await post(`/executions/${id}/pause`);
    expect((await post(`/executions/${id}/resume`, {})).body).toMatchObject({ status: 'paused', held: false });
  });

  it('returns 409 if no operator has paused it, and names the right call', async () => {
    const { post, started } = await api();
    const refusal = async (id: string): Promise<[number, string]> => {
      const { status, body } = await post(`/executions/${id}/resume`);
      return [status, body.error];
    };
    const asks = await started(REVIEW);
    const waits = await started(PAYMENT);
    expect(await refusal(asks)).toEqual([
      409,
      `conflict: execution ${asks} is not paused by an operator: node review waits for a decision (approve)`,
    ]);
    expect(await refusal(waits)).toEqual([
      409,
      `conflict: execution ${waits} is not paused by an operator: node pay waits for event paid (external-event)`,
    ]);
  });
});

describe('an execution that is paused over its budget', () => {
  const BUDGETED = {
    workflow_id: 'budgeted',
    version: '1',
    token_budget: { total_tokens: 10 },
    cost_budget_usd: 1,
    on_budget_exceeded: 'pause',
    nodes: {
      a: { kind: { type: 'python_fn', module: 'm', function: 'f' } },
      b: { kind: { type: 'python_fn', module: 'm', function: 'g' } },
    },
    edges: [{ from: 'a', to: 'b' }],
  };

  it('is resumed with new totals, and refused without', async () => {
    const it = await api();
    const id = await it.started(BUDGETED);
    const { work_item } = (await it.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] })).body;
    const done = { output: {}, state_patch: {}, input_tokens: 8, output_tokens: 4, lease_fence: work_item.lease_fence };
    expect((await it.post(`/work-items/${work_item.id}/complete`, done)).status).toBe(200);
    const reason = 'token budget exceeded: 12 of 10 total_tokens';
    expect((await it.get(`/executions/${id}`)).body).toMatchObject({ status: 'paused', held: true, held_reason: reason });
    expect(await claims(it)).toBe(false);
    for (const body of [undefined, {}, { token_budget: { total_tokens: 12 - 1 } }, { cost_budget_usd: 100 }]) {
      const refused = await it.post(`/executions/${id}/resume`, body);
      expect(refused.status).toBe(409);
      expect(refused.body.error).toContain('token_budget or cost_budget_usd');
    }
    for (const body of [{ token_budget: 20 }, { token_budget: { total_tokens: -1 } }, { cost_budget_usd: '9' }])
      expect((await it.post(`/executions/${id}/resume`, body)).status).toBe(400);
    expect(await it.post(`/executions/${id}/resume`, { token_budget: { total_tokens: 20 } })).toMatchObject({
      status: 200,
      body: { status: 'running', held: false },
    });
    const { events } = (await it.get(`/executions/${id}/events?type=workflow_resumed`)).body;
    expect(events).toMatchObject([{ data: { token_budget: { total_tokens: 20 } } }]);
    expect(await claims(it)).toBe(true);
  });
});

describe('POST /executions/:id/retry', () => {
  it('runs the failed nodes again in the same execution', async () => {
    const { tools, fix } = broken();
    const { post, get, started, settled } = await api({ tools });
    const id = await started(ECHO);
    await settled(id);
    expect((await get(`/executions/${id}`)).body).toMatchObject({ status: 'failed', completed_at: expect.any(String) });
    fix();
    const { status, body } = await post(`/executions/${id}/retry`);
    expect([status, body]).toEqual([200, expect.objectContaining({ execution_id: id, held: false, nodes: ['echo'] })]);
    await settled(id);
    const ended = (await get(`/executions/${id}`)).body;
    expect(ended).toMatchObject({ status: 'completed', output: { echoed: { up: true } } });
    expect('error' in ended).toBe(false);
    const { events } = (await get(`/executions/${id}/events?type=workflow_retried`)).body;
    expect(events).toMatchObject([{ kind: 'WorkflowRetried', data: { nodes: ['echo'] } }]);
  });

  it('returns 409 with the reason for anything that has not failed by its nodes', async () => {
    const { post, started } = await api();
    const id = await started(REVIEW);
    const { status, body } = await post(`/executions/${id}/retry`);
    expect([status, body.error]).toEqual([
      409,
      `conflict: execution ${id} cannot be retried: it is paused, and only failed executions can be`,
    ]);
  });

  it('returns 409 if the nodes that failed do no work that could be repeated', async () => {
    const it = await api();
    const heavy = Array.from({ length: 20 }, (_, i) => ({ condition: `len(state.s.split('a')) == ${i}`, target: 'b' }));
    const branches = [...heavy, { condition: null, target: 'end' }];
    const nodes = { gate: { kind: { type: 'condition', branches } }, b: { kind: { type: 'tool', tool_ref: 't.b' } } };
    await it.post('/workflows', { ir: { workflow_id: 'choosing', version: '1', start_node: 'gate', nodes, edges: [] } });
    const input = { s: `b${'a'.repeat(299_000)}` };
    const { body } = await it.post('/executions', { workflow_id: 'choosing', workflow_version: '1', input });
    const id: string = body.execution_id;
    const refused = await it.post(`/executions/${id}/retry`);
    expect([refused.status, refused.body.error]).toEqual([
      409,
      `conflict: execution ${id} cannot be retried: node(s) gate only choose where to go on, and would fail again`,
    ]);
  });

  describe('of an execution that is over its budget', () => {
    const once = (name: string) => ({ kind: { type: 'python_fn', module: 'm', function: name }, retry_policy: 'no_retry' });
    const budgeted = (onExceeded: string, more: object = {}) => ({
      workflow_id: `budgeted-${onExceeded}`,
      version: '1',
      start_node: 'a',
      cost_budget_usd: 1,
      on_budget_exceeded: onExceeded,
      nodes: { a: once('a'), ...more },
      edges: [{ from: 'a', to: 'end' }],
    });

    async function claimed({
      post,
    }: Api): Promise<{ readonly id: string; readonly node_id: string; readonly lease_fence: number }> {
      return (await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'], wait_ms: 5_000 })).body.work_item;
    }

    /** Fails the next work item for good, at a cost of two dollars. */
    async function fails(it: Api): Promise<string> {
      const { id, node_id, lease_fence } = await claimed(it);
      const failure = { error: `no ${node_id}`, retryable: false, cost_usd: 2, lease_fence };
      expect((await it.post(`/work-items/${id}/fail`, failure)).status).toBe(200);
      return node_id;
    }

    async function completes(it: Api): Promise<void> {
      const { id, lease_fence } = await claimed(it);
      expect((await it.post(`/work-items/${id}/complete`, { output: {}, state_patch: {}, lease_fence })).status).toBe(200);
    }

    async function replays({ get }: Api, id: string): Promise<void> {
      expect((await get(`/executions/${id}/replay`)).body).toMatchObject({ matches: true });
    }

    it('runs the node for budgets again, and not what led to it', async () => {
      const it = await api();
      const id = await it.started(budgeted('over', { over: once('over') }));
      expect([await fails(it), await fails(it)]).toEqual(['a', 'over']);
      expect((await it.get(`/executions/${id}`)).body).toMatchObject({ status: 'failed', error: 'a: no a; over: no over' });
      expect(await it.post(`/executions/${id}/retry`)).toMatchObject({ status: 200, body: { nodes: ['over'], held: false } });
      await completes(it);
      expect((await it.get(`/executions/${id}`)).body).toMatchObject({ status: 'failed', error: 'a: no a' });
      const refused = await it.post(`/executions/${id}/retry`);
      expect([refused.status, refused.body.error]).toEqual([
        409,
        `conflict: execution ${id} cannot be retried: its budget (cost budget exceeded: 4 of 1 USD) has sent it to another node, and it does not come back to node(s) a`,
      ]);
      await replays(it, id);
    });

    it('is paused, and goes on with a greater total', async () => {
      const it = await api();
      const id = await it.started(budgeted('pause'));
      await fails(it);
      const { status, body } = await it.post(`/executions/${id}/retry`);
      expect([status, body]).toEqual([200, expect.objectContaining({ status: 'paused', held: true, nodes: ['a'] })]);
      expect((await it.get(`/executions/${id}`)).body).toMatchObject({ held_reason: 'cost budget exceeded: 2 of 1 USD' });
      expect(await claims(it)).toBe(false);
      expect((await it.post(`/executions/${id}/resume`)).status).toBe(409);
      expect((await it.post(`/executions/${id}/resume`, { cost_budget_usd: 5 })).status).toBe(200);
      await completes(it);
      expect((await it.get(`/executions/${id}`)).body.status).toBe('completed');
      await replays(it, id);
    });
  });

  it('keeps the result of work beside the workflow that was accepted while finalizers ran', async () => {
    const it = await api();
    const once = (kind: JsonObject) => ({ kind, retry_policy: 'no_retry' });
    const python = (name: string) => once({ type: 'python_fn', module: 'm', function: name });
    const id = await it.started({
      workflow_id: 'finalized',
      version: '1',
      start_node: 'a',
      nodes: { a: python('a'), d: python('d'), f: once({ type: 'finalizer', tool_ref: 't.f' }) },
      edges: [{ from: 'a', to: 'd' }],
    });
    await it.post('/work-items', { execution_id: id, node_id: 'd', queue_type: 'general', payload: {} });
    const claim = async (queue: string) =>
      (await it.post('/work-items/claim', { worker_id: 'w', queue_types: [queue], wait_ms: 5_000 })).body.work_item;
    const failing = await claim('python_tool');
    const failure = { error: 'no', retryable: false, lease_fence: failing.lease_fence };
    expect((await it.post(`/work-items/${failing.id}/fail`, failure)).status).toBe(200);
    const beside = await claim('general');
    const finalizer = await claim('tool');
    const done = { output: {}, state_patch: { x: 1 }, lease_fence: beside.lease_fence };
    expect((await it.post(`/work-items/${beside.id}/complete`, done)).status).toBe(200);
    await it.post(`/work-items/${finalizer.id}/complete`, { output: {}, lease_fence: finalizer.lease_fence });
    expect((await it.get(`/executions/${id}`)).body).toMatchObject({ status: 'failed', state: { x: 1 } });
    expect((await it.post(`/executions/${id}/retry`)).status).toBe(200);
    expect((await it.get(`/executions/${id}`)).body).toMatchObject({ status: 'running', state: { x: 1 } });
    expect((await it.get(`/executions/${id}/replay`)).body).toMatchObject({ matches: true });
  });

  it('counts as a live execution of its tenant', async () => {
    const { tools, fix } = broken();
    const { call, post, started, settled } = await api({ tools });
    const id = await started(ECHO);
    await settled(id);
    await started(REVIEW);
    const tenant = '/tenants/default';
    await call('PUT', tenant, { as: 'operator', body: { limits: { max_concurrent_executions: 1 } } });
    expect(await post(`/executions/${id}/retry`)).toMatchObject({ status: 429, body: { code: 'limit_exceeded_concurrency' } });
    await call('PUT', tenant, { as: 'operator', body: { limits: null } });
    fix();
    expect((await post(`/executions/${id}/retry`)).status).toBe(200);
  });
});

describe.each(['pause', 'resume', 'retry'])('POST /executions/:id/%s', (verb) => {
  it.each(ROLES)('is for operators and developers: %s', async (role) => {
    const { post, started } = await api();
    const id = await started(REVIEW);
    const { status } = await post(`/executions/${id}/${verb}`, undefined, { as: role });
    const allowed = role === 'operator' || role === 'developer';
    expect(status).toBe(!allowed ? 403 : verb === 'pause' ? 200 : 409);
  });

  it('returns 404 for executions of another tenant and invalid ids', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    await it.call('POST', '/tenants', { as: 'operator', body: { id: 'acme', name: 'Acme' } });
    const headers = { authorization: `Bearer ${await it.token('operator', { tenantId: 'acme' })}` };
    const answers = [];
    for (const name of [id, UNKNOWN_EXECUTION]) {
      const { status, body } = await it.post(`/executions/${name}/${verb}`, {}, { as: null, headers });
      answers.push([status, body.error.replace(name, 'ID')]);
    }
    expect(answers).toEqual([
      [404, 'not found: execution ID'],
      [404, 'not found: execution ID'],
    ]);
    expect((await it.post(`/executions/nonsense/${verb}`)).status).toBe(404);
    expect((await it.get(`/executions/${id}/events`)).body.events.map(({ kind }) => kind)).not.toContain('WorkflowPaused');
  });
});
