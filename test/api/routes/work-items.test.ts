import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api, EXTERNAL, UNKNOWN_EXECUTION } from '../support/api.ts';

const OPERATOR = { as: 'operator' } as const;
const ITEM = '00000000-0000-4000-8000-000000000000';

async function claimed(server: Api, more: object = {}) {
  return (await server.post('/work-items/claim', { worker_id: 'w1', queue_types: ['python_tool'], ...more })).body;
}

describe('a token of role worker', () => {
  const worker = async (server: Api, queues?: readonly string[]) => {
    const { body } = await server.post('/tokens', { role: 'worker', ...(queues === undefined ? {} : { queues }) }, OPERATOR);
    return { as: null, headers: { authorization: `Bearer ${body.token}` } } as const;
  };
  const request = { worker_id: 'w1', queue_types: ['python_tool'] };
  const settle = (id: string): [string, object][] => [
    [`/work-items/${id}/heartbeat`, { worker_id: 'w1', lease_fence: 1 }],
    [`/work-items/${id}/fail`, { error: 'no' }],
    [`/work-items/${id}/complete`, { output: 1 }],
  ];

  it('does the work of its queues', async () => {
    const server = await api();
    const as = await worker(server, ['gpu', 'python_tool']);
    const id = await server.started(EXTERNAL);
    const { work_item: item } = (await server.post('/work-items/claim', request, as)).body;
    const lease = { worker_id: 'w1', lease_fence: item.lease_fence };
    expect((await server.post(`/work-items/${item.id}/heartbeat`, lease, as)).body).toMatchObject({ renewed: true });
    expect((await server.post(`/work-items/${item.id}/complete`, { output: 1, ...lease }, as)).status).toBe(200);
    expect(await server.runtime.settled('default', id)).toMatchObject({ status: 'completed' });
  });

  it('neither claims nor settles the work of other queues', async () => {
    const server = await api();
    const as = await worker(server, ['gpu', 'tool']);
    await server.started(EXTERNAL);
    const { status, body } = await server.post('/work-items/claim', { ...request, queue_types: ['gpu', 'python_tool'] }, as);
    expect([status, body.error]).toEqual([403, 'this token may not claim from queue "python_tool"; it may from gpu, tool']);
    const { work_item: item } = await claimed(server);
    for (const [url, report] of settle(item.id)) {
      const reply = await server.post(url, report, as);
      expect([reply.status, reply.body.error]).toEqual([404, `not found: work item ${item.id}`]);
    }
    expect((await server.post(`/work-items/${item.id}/complete`, { output: 1 })).status).toBe(200);
  });

  it('without queues does the work of all', async () => {
    const server = await api();
    const as = await worker(server);
    await server.started(EXTERNAL);
    const { work_item: item } = (await server.post('/work-items/claim', request, as)).body;
    expect((await server.post(`/work-items/${item.id}/complete`, { output: 1 }, as)).status).toBe(200);
  });
});

describe('POST /work-items/claim', () => {
  it('returns the oldest item with everything a worker needs', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL, { a: 1 });
    const { claimed: got, work_item, work_items } = await claimed(server);
    expect(got).toBe(true);
    expect(work_items).toEqual([work_item]);
    expect(work_item).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      execution_id: id,
      workflow_id: 'external',
      workflow_version: '1.0.0',
      node_id: 'work',
      queue_type: 'python_tool',
      payload: { module: 'm', function: 'f', input: { a: 1 } },
      activation: 1,
      attempt: 0,
      idempotency_key: `${id}:work:1`,
      tenant_id: 'default',
      started_by: { actor_id: 'developer', actor_type: 'human' },
      labels: {},
      max_attempts: 3,
      lease_expires_at: expect.stringMatching(/Z$/),
      deadline_at: expect.stringMatching(/Z$/),
    });
    expect(work_item.lease_fence).toBeGreaterThan(0);
  });

  it('gives every attempt of a visit the same idempotency key, and an enqueued item its id', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const first = (await claimed(server)).work_item;
    await server.post(`/work-items/${first.id}/fail`, { error: 'no' });
    server.clock.advance(60_000);
    const second = (await claimed(server, { wait_ms: 60_000 })).work_item;
    expect([second.attempt, second.activation, second.idempotency_key]).toEqual([1, 1, first.idempotency_key]);
    await server.post('/work-items', { execution_id: id, node_id: 'work', queue_type: 'python_tool', payload: {} });
    const enqueued = (await claimed(server)).work_item;
    expect([enqueued.activation, enqueued.idempotency_key, enqueued.deadline_at]).toEqual([0, enqueued.id, null]);
  });

  it('returns nothing to a token that was revoked while it waited', async () => {
    const server = await api();
    const { body } = await server.post('/tokens', { role: 'developer' }, { as: 'operator' });
    const headers = { authorization: `Bearer ${body.token}` };
    const request = { worker_id: 'w1', queue_types: ['python_tool'], wait_ms: 60_000 };
    const before = server.clock.waiting;
    const waiting = server.post('/work-items/claim', request, { as: null, headers });
    await eventually(() => server.clock.waiting > before);
    await server.call('DELETE', `/tokens/${body.id}`, { as: 'operator' });
    expect((await waiting).body).toEqual({ claimed: false });
    await server.started(EXTERNAL);
    expect((await claimed(server)).claimed).toBe(true);
  });

  it('returns nothing from other queues, twice, or from no queue', async () => {
    const server = await api();
    await server.started(EXTERNAL);
    expect(await claimed(server, { queue_types: ['model', 'unheard_of'] })).toEqual({ claimed: false });
    expect(await claimed(server, { queue_types: [] })).toEqual({ claimed: false });
    expect((await claimed(server)).claimed).toBe(true);
    expect(await claimed(server)).toEqual({ claimed: false });
  });

  it('returns several items on request', async () => {
    const server = await api();
    for (let i = 0; i < 3; i += 1) await server.started(EXTERNAL);
    const { work_item, work_items } = await claimed(server, { max_items: 2 });
    expect(work_items).toHaveLength(2);
    expect(work_items[0]).toEqual(work_item);
  });

  it('waits for work on request', async () => {
    const server = await api();
    const waiting = claimed(server, { wait_ms: 60_000 });
    const id = await server.started(EXTERNAL);
    expect((await waiting).work_item.execution_id).toBe(id);
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [
      {},
      { worker_id: 'w' },
      { worker_id: '', queue_types: [] },
      { worker_id: 'w', queue_types: 'python_tool' },
      { worker_id: 'w', queue_types: [1] },
      { worker_id: 'w', queue_types: [], max_items: 0 },
      { worker_id: 'w', queue_types: [], max_items: '2' },
      { worker_id: 'w', queue_types: [], wait_ms: -1 },
    ]) {
      expect((await post('/work-items/claim', body)).status, JSON.stringify(body)).toBe(400);
    }
  });
});

describe('POST /work-items/:id/complete', () => {
  it('settles the item and moves the execution on', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    const { status, body } = await server.post(`/work-items/${work_item.id}/complete`, {
      output: { answer: 42 },
      state_patch: { answer: 42 },
      execution_id: id,
      node_id: 'work',
      duration_ms: 12,
      lease_fence: work_item.lease_fence,
      gen_ai_model: 'm',
      input_tokens: 3,
      output_tokens: 4,
      cost_usd: 0.01,
    });
    expect([status, body]).toEqual([200, { completed: true, work_item_id: work_item.id }]);
    expect((await server.get(`/executions/${id}`)).body).toMatchObject({ status: 'completed', state: { answer: 42 } });
    const [completed] = (await server.get(`/executions/${id}/events?type=node_completed`)).body.events;
    expect(completed?.data).toMatchObject({
      duration_ms: 12,
      gen_ai_model: 'm',
      input_tokens: 3,
      output_tokens: 4,
      cost_usd: 0.01,
    });
  });

  it('derives execution and node from the item', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    await server.post(`/work-items/${work_item.id}/complete`, { output: { a: 1 } });
    expect((await server.get(`/executions/${id}`)).body.state).toEqual({ a: 1 });
  });

  it('accepts the execution id in every spelling, but not another one', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    const complete = (execution_id: string) => server.post(`/work-items/${work_item.id}/complete`, { output: 1, execution_id });
    expect((await complete(UNKNOWN_EXECUTION)).status).toBe(400);
    expect((await complete(id.slice('exec_'.length).toUpperCase())).status).toBe(200);
  });

  it('refuses a stale fence with the fields that workers read', async () => {
    const server = await api();
    await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    const reply = await server.post(`/work-items/${work_item.id}/complete`, {
      output: 1,
      lease_fence: work_item.lease_fence + 1,
    });
    expect([reply.status, reply.body]).toEqual([
      409,
      {
        completed: false,
        reason: 'stale or invalid lease fence',
        error: 'conflict: stale or invalid lease fence',
        code: 'stale_fence',
      },
    ]);
  });

  it.each(['complete', 'fail', 'heartbeat'])('makes a later %s a conflict', async (verb) => {
    const server = await api();
    await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    await server.post(`/work-items/${work_item.id}/complete`, { output: 1 });
    const body = { output: 1, error: 'x', worker_id: 'w1', lease_fence: work_item.lease_fence };
    expect((await server.post(`/work-items/${work_item.id}/${verb}`, body)).status).toBe(409);
  });

  it.each(['complete', 'fail', 'heartbeat'])('of a cancelled execution is a conflict: %s', async (verb) => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    await server.post(`/executions/${id}/cancel`);
    const before = (await server.get(`/executions/${id}`)).body.sequence;
    const body = { output: 1, error: 'x', worker_id: 'w1', lease_fence: work_item.lease_fence };
    expect((await server.post(`/work-items/${work_item.id}/${verb}`, body)).status).toBe(409);
    expect((await server.get(`/executions/${id}`)).body.sequence).toBe(before);
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [
      {},
      { state_patch: {} },
      { output: 1, lease_fence: -1 },
      { output: 1, lease_fence: '1' },
      { output: 1, duration_ms: -5 },
      { output: 1, input_tokens: 1.5 },
      { output: 1, cost_usd: 'free' },
    ]) {
      expect((await post(`/work-items/${ITEM}/complete`, body)).status, JSON.stringify(body)).toBe(400);
    }
  });
});

describe('work of a worker', () => {
  it('has the token as its actor, on behalf of the named worker', async () => {
    const { started, post, get } = await api();
    const id = await started(EXTERNAL);
    const claim = async (worker_id: string) =>
      (await post('/work-items/claim', { worker_id, queue_types: ['python_tool'] })).body.work_item;
    const first = await claim('agent:w1');
    await post(`/work-items/${first.id}/fail`, { error: 'no', lease_fence: first.lease_fence, worker_id: 'w1-helper' });
    const loggedEvents = async () => (await get(`/executions/${id}/events`)).body.events as unknown as readonly LoggedEvent[];
    const failed = await loggedEvents();
    expect(failed.find(({ type }) => type === 'node_started')).toMatchObject({
      actor_id: 'developer',
      on_behalf_of: 'agent:w1',
      data: { worker_id: 'agent:w1' },
    });
    expect(failed.find(({ type }) => type === 'node_failed')).toMatchObject({ actor_id: 'developer', on_behalf_of: 'w1-helper' });
    const { total } = (await get(`/audit?execution_id=${id}&actor_id=agent:w1`)).body as unknown as { total: number };
    expect(total).toBe(1);
  });

  it('is on behalf of the claimer if only the fence is given, and of no worker without either', async () => {
    const { started, post, get } = await api();
    for (const [proof, behalf] of [
      [{ lease_fence: 1 }, 'w1'],
      [{}, undefined],
    ] as const) {
      const id = await started(EXTERNAL);
      const item = (await post('/work-items/claim', { worker_id: 'w1', queue_types: ['python_tool'] })).body.work_item;
      await post(`/work-items/${item.id}/complete`, { output: 1, ...proof });
      const [done] = (await get(`/executions/${id}/events?kind=node_completed`)).body.events as unknown as readonly LoggedEvent[];
      expect([done?.actor_id, done?.on_behalf_of]).toEqual(['developer', behalf]);
    }
  });
});

interface LoggedEvent {
  readonly type: string;
  readonly actor_id: string;
  readonly on_behalf_of?: string;
}

describe('POST /work-items/:id/fail', () => {
  it('fails the attempt, which is retried', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    const { status, body } = await server.post(`/work-items/${work_item.id}/fail`, { error: 'boom' });
    expect([status, body]).toEqual([200, { failed: true, work_item_id: work_item.id }]);
    const [failed] = (await server.get(`/executions/${id}/events?type=node_failed`)).body.events;
    expect(failed?.data).toMatchObject({ error: 'boom', attempt: 0, retryable: true });
  });

  it('fails the node for good when it is not retryable', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    await server.post(`/work-items/${work_item.id}/fail`, { error: 'boom', retryable: false });
    expect((await server.get(`/executions/${id}`)).body.status).toBe('failed');
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [{}, { error: 5 }, { error: 'x', retryable: 'no' }]) {
      expect((await post(`/work-items/${ITEM}/fail`, body)).status, JSON.stringify(body)).toBe(400);
    }
  });
});

describe('POST /work-items/:id/heartbeat', () => {
  it('extends the lease of its holder', async () => {
    const server = await api();
    await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    server.clock.advance(10_000);
    const lease = { worker_id: 'w1', lease_fence: work_item.lease_fence };
    const { status, body } = await server.post(`/work-items/${work_item.id}/heartbeat`, lease);
    expect(status).toBe(200);
    expect(body).toMatchObject({ renewed: true, work_item_id: work_item.id });
    expect(Date.parse(body.lease_expires_at)).toBe(Date.parse(work_item.lease_expires_at) + 10_000);
  });

  it.each([{ worker_id: 'w2' }, { lease_fence: 99 }, { lease_fence: null }])('is refused with %j', async (wrong) => {
    const server = await api();
    await server.started(EXTERNAL);
    const { work_item } = await claimed(server);
    const lease = { worker_id: 'w1', lease_fence: work_item.lease_fence, ...wrong };
    expect(await server.post(`/work-items/${work_item.id}/heartbeat`, lease)).toMatchObject({
      status: 409,
      body: { renewed: false, reason: 'stale or invalid lease fence' },
    });
  });
});

describe('POST /work-items', () => {
  it('enqueues an item', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { status, body } = await server.post('/work-items', { execution_id: id, node_id: 'work', payload: { a: 1 } });
    expect([status, body]).toEqual([201, { work_item_id: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
    const { work_item } = await claimed(server, { queue_types: ['general'] });
    expect(work_item).toMatchObject({ id: body.work_item_id, execution_id: id, node_id: 'work', payload: { a: 1 } });
  });

  it('returns 404 for unknown nodes', async () => {
    const { started, post } = await api();
    const id = await started(EXTERNAL);
    const { status, body } = await post('/work-items', { execution_id: id, node_id: 'extra' });
    expect([status, body.error]).toEqual([400, `bad request: execution ${id} has no node 'extra'`]);
  });

  it('returns 404 for unknown executions', async () => {
    const { post } = await api();
    for (const execution_id of [UNKNOWN_EXECUTION, 'nonsense']) {
      const { status, body } = await post('/work-items', { execution_id, node_id: 'n' });
      expect([status, body.error]).toEqual([404, `not found: execution ${execution_id}`]);
    }
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [
      {},
      { execution_id: UNKNOWN_EXECUTION },
      { execution_id: 5, node_id: 'n' },
      { execution_id: UNKNOWN_EXECUTION, node_id: '' },
    ]) {
      expect((await post('/work-items', body)).status, JSON.stringify(body)).toBe(400);
    }
  });
});

describe('an item that does not exist', () => {
  it.each([ITEM, 'nonsense'])('is not found: %s', async (id) => {
    const { post } = await api();
    for (const [verb, body] of [
      ['complete', { output: 1 }],
      ['fail', { error: 'x' }],
      ['heartbeat', { worker_id: 'w' }],
    ] as const) {
      expect(await post(`/work-items/${id}/${verb}`, body)).toMatchObject({
        status: 404,
        body: { error: `not found: work item ${id}` },
      });
    }
  });
});

describe('GET /workers', () => {
  it('lists the runtime and the recently seen workers', async () => {
    const server = await api();
    await server.started(EXTERNAL);
    await claimed(server);
    const { workers } = (await server.get('/workers')).body;
    expect(workers).toContainEqual(
      expect.objectContaining({ id: server.runtime.id, worker_id: server.runtime.id, kind: 'runtime', status: 'active' }),
    );
    expect(workers).toContainEqual(
      expect.objectContaining({
        id: 'w1',
        kind: 'external',
        queue_types: ['python_tool'],
        in_flight: 1,
        claimed_total: 1,
        last_seen_at: expect.stringMatching(/Z$/),
      }),
    );
  });
});

describe('POST /work-items/:id/fail with details of the error', () => {
  it('logs name, stack, cause and errors, cut to what a log may have', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = (await server.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] })).body;
    const stack = Array.from({ length: 60 }, (_, i) => `  File "tool.py", line ${i}`).join('\n');
    await server.post(`/work-items/${work_item.id}/fail`, {
      error: 'boom',
      error_name: 'ValueError',
      stack,
      cause: { name: 'KeyError', message: 'amount', other: 1, cause: 'the dict is empty' },
      errors: ['a', { message: 'b', stack: 7 }, 3],
      retryable: false,
    });
    const { events } = (await server.get(`/executions/${id}/events?kind=NodeFailed`)).body;
    expect(events[0]?.data).toMatchObject({
      error: 'boom',
      error_name: 'ValueError',
      stack: stack.split('\n').slice(0, 40).join('\n'),
      cause: { name: 'KeyError', message: 'amount', cause: { message: 'the dict is empty' } },
      errors: [{ message: 'a' }, { message: 'b' }],
    });
    expect(JSON.stringify(events)).not.toContain('other');
  });

  it('bounds what a worker sends, however deep and long', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const { work_item } = (await server.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] })).body;
    let cause: unknown = 'end';
    for (let depth = 0; depth < 8; depth += 1) cause = { message: 'x'.repeat(2_000), stack: 'y'.repeat(9_000), cause };
    await server.post(`/work-items/${work_item.id}/fail`, {
      error: 'boom',
      cause,
      errors: Array(12).fill(cause),
      retryable: false,
    });
    const { events } = (await server.get(`/executions/${id}/events?kind=NodeFailed`)).body;
    expect(JSON.stringify(events[0]?.data).length).toBeLessThan(20_000);
  });
});
