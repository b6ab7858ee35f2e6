import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/clock.ts';
import { api, ECHO, ECHO_TOOLS, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';

const RFC3339_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('POST /executions', () => {
  it('starts the latest version and returns an id', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    await post('/workflows', { ir: { ...REVIEW, version: '0.9.0' } });
    const { status, body } = await post('/executions', { workflow_id: 'review', input: { a: 1 } });
    expect(status).toBe(201);
    expect(body.execution_id).toMatch(/^exec_[0-9a-f]{32}$/);
    expect((await get(`/executions/${body.execution_id}`)).body.workflow_version).toBe('0.9.0');
  });

  it('starts the requested version', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    await post('/workflows', { ir: { ...REVIEW, version: '2' } });
    const { body } = await post('/executions', { workflow_id: 'review', workflow_version: '1.0.0' });
    expect((await get(`/executions/${body.execution_id}`)).body.workflow_version).toBe('1.0.0');
  });

  it('starts one execution with a key, and names it to others', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    const start = (more: object) => post('/executions', { workflow_id: 'review', key: 'order-42', ...more });
    const { status, body } = await start({});
    const execution_id = body.execution_id as string;
    expect([status, (await get(`/executions/${execution_id}`)).body.key]).toEqual([201, 'order-42']);
    expect((await get('/executions?label=jamjet.key:order-42')).body.executions).toMatchObject([
      { execution_id, key: 'order-42' },
    ]);
    const refused = await start({});
    expect([refused.status, refused.body]).toEqual([
      409,
      {
        error: `conflict: execution ${execution_id} has the key 'order-42' and has not ended`,
        code: 'already_running',
        execution_id,
      },
    ]);
    const running = await start({ if_running: 'return' });
    expect([running.status, running.body]).toEqual([200, { execution_id, already_running: true }]);
    await post(`/executions/${execution_id}/cancel`);
    expect((await start({ if_running: 'return' })).status).toBe(201);
    expect((await start({ if_running: 'replace' })).body.error).toBe('bad request: if_running must be one of return');
    expect((await start({ key: undefined, if_running: 'return' })).body.error).toBe('bad request: if_running needs a key');
  });

  it('starts for later', async () => {
    const clock = new FakeClock();
    const { post, get, runtime } = await api({ clock });
    await post('/workflows', { ir: REVIEW });
    const start = async (more: object, headers: Record<string, string> = {}) =>
      (await post('/executions', { workflow_id: 'review', ...more }, { headers })).body.execution_id as string;
    const at = (ms: number) => new Date(clock.nowMs() + ms).toISOString();
    const beginsAt = at(60_000);
    const delayed = await start({ delay: '1m' }, { 'idempotency-key': 'k' });
    const dated = await start({ start_at: at(120_000) });
    const past = await start({ start_at: '2020-01-01T00:00:00Z' });
    expect((await get(`/executions/${delayed}`)).body).toMatchObject({ status: 'pending', start_at: beginsAt, sequence: 1 });
    expect((await get(`/executions/${past}`)).body).not.toHaveProperty('start_at');
    const pending = async () =>
      (await get('/executions?status=pending')).body.executions.map((each: { execution_id: string }) => each.execution_id);
    expect(await pending()).toEqual([dated, delayed]);
    expect((await get('/executions/counts')).body).toMatchObject({ counts: { pending: 2 } });
    clock.advance(1_000);
    expect(await start({ delay: '1m' }, { 'idempotency-key': 'k' })).toBe(delayed);
    clock.advance(59_000);
    const begun = await runtime.settled('default', delayed, 5_000);
    expect(begun.status).toBe('paused');
    expect(await pending()).toEqual([dated]);
    expect((await post(`/executions/${dated}/cancel`)).status).toBe(200);
    expect((await get(`/executions/${dated}/events`)).body.events.map(({ type }: { type: string }) => type)).toEqual([
      'workflow_started',
      'workflow_cancelled',
    ]);
  });

  it.each([
    [{ delay: 'soon' }, 'delay must be a duration like 90, 90s, 1.5h or 2d, not "soon"'],
    [{ delay: true }, 'delay must be a number or a string'],
    [{ delay: -1 }, 'delay must be >= 0'],
    [{ delay: '1h later' }, 'delay must be a duration like 90, 90s, 1.5h or 2d, not "1h later"'],
    [{ delay: '101000d' }, 'delay must be a duration like 90, 90s, 1.5h or 2d, not "101000d"'],
    [{ start_at: '2027-02-30T00:00:00Z' }, 'start_at must be a time like 2026-03-12T10:00:00Z, not "2027-02-30T00:00:00Z"'],
    [{ start_at: '2999-01-01T00:00:00Z' }, 'an execution can be started at most 100 years ahead'],
    [{ delay: 1, start_at: '2027-01-01T00:00:00Z' }, 'give start_at or delay, not both'],
  ])('refuses %j', async (more, message) => {
    const { post } = await api();
    await post('/workflows', { ir: REVIEW });
    const { status, body } = await post('/executions', { workflow_id: 'review', ...more });
    expect([status, body.error]).toEqual([400, `bad request: ${message}`]);
  });

  it('starts at once with a delay of null', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    const { execution_id } = (await post('/executions', { workflow_id: 'review', delay: null, start_at: null })).body;
    expect((await get(`/executions/${execution_id}`)).body.status).toBe('paused');
  });

  it('accepts any JSON as input, and none as {}', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    const inputOf = async (body: object) => {
      const { execution_id } = (await post('/executions', { workflow_id: 'review', ...body })).body;
      return (await get(`/executions/${execution_id}`)).body.input;
    };
    for (const none of [{}, { input: null }]) expect(await inputOf(none)).toEqual({});
    for (const input of [{ a: [1, 'é'] }, 'text', 5, false, []]) expect(await inputOf({ input })).toEqual(input);
  });

  it.each(['jamjet.cron', 'jamjet.parent.node', 'jamjet.root', 'jamjet.a2a.context', 'jamjet.'])(
    'refuses a label that only the runtime sets: %s',
    async (key) => {
      const { post, get } = await api();
      await post('/workflows', { ir: REVIEW });
      const { status, body } = await post('/executions', { workflow_id: 'review', labels: { [key]: 'x' } });
      const error = `bad request: label ${key} is reserved: only the runtime sets labels that begin with jamjet.`;
      expect([status, body.error]).toEqual([400, error]);
      expect((await get('/executions')).body.executions).toEqual([]);
      const labelled = await post('/workflows', { ir: { ...REVIEW, version: '2', labels: { [key]: 'x' } } });
      expect([labelled.status, labelled.body.diagnostics]).toEqual([400, [expect.objectContaining({ code: 'reserved_label' })]]);
    },
  );

  it.each(['a:b', '', 'x'.repeat(257)])('refuses a label that could not be searched for: %j', async (key) => {
    const { post } = await api();
    const { status, body } = await post('/executions', { workflow_id: 'review', labels: { [key]: 'c' } });
    expect([status, body.error]).toEqual([400, expect.stringContaining('labels must not have a key like ')]);
  });

  it('keeps labels', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    const { execution_id } = (await post('/executions', { workflow_id: 'review', labels: { team: 'ops' } })).body;
    expect((await get(`/executions/${execution_id}`)).body.labels).toEqual({ team: 'ops' });
  });

  it('returns 404 for an unregistered workflow or version', async () => {
    const { post } = await api();
    await post('/workflows', { ir: REVIEW });
    expect(await post('/executions', { workflow_id: 'none' })).toMatchObject({
      status: 404,
      body: { error: 'not found: workflow none' },
    });
    expect(await post('/executions', { workflow_id: 'review', workflow_version: '9' })).toMatchObject({
      status: 404,
      body: { error: 'not found: workflow review v9' },
    });
  });

  it('returns the same id for a repeated Idempotency-Key', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    const start = (input: unknown) =>
      post('/executions', { workflow_id: 'review', input }, { headers: { 'idempotency-key': 'order-1' } });
    const first = await start({ a: 1 });
    const second = await start({ a: 1 });
    expect([second.status, second.body]).toEqual([201, first.body]);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect((await get('/executions')).body.executions).toHaveLength(1);
    expect(await start({ a: 2 })).toMatchObject({ status: 409, body: { error: expect.stringMatching(/^conflict: /) } });
  });

  it('starts once, however many repetitions arrive together', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    const headers = { 'idempotency-key': 'order-1' };
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => post('/executions', { workflow_id: 'review' }, { headers })),
    );
    expect(new Set(replies.map(({ status, body }) => `${status} ${body.execution_id}`)).size).toBe(1);
    expect((await get('/executions')).body.executions).toHaveLength(1);
  });

  it.each(['', 'x'.repeat(256), 'é'])('refuses the Idempotency-Key %j', async (key) => {
    const { post } = await api();
    const { status, body } = await post('/executions', { workflow_id: 'a' }, { headers: { 'idempotency-key': key } });
    expect([status, body.error]).toEqual([400, expect.stringMatching(/Idempotency-Key/)]);
  });
});

describe('an idempotency key', () => {
  it.each(['a2a:bob:m1', 'cron:job:1'])('must not be one that the server reserves: %s', async (key) => {
    const { post } = await api();
    const headers = { 'idempotency-key': key };
    const { status, body } = await post('/executions', { workflow_id: 'x', input: {} }, { headers });
    expect([status, body.error]).toEqual([400, expect.stringContaining('must not begin with a2a: or cron:')]);
  });
});

describe('GET /executions/:id', () => {
  it('returns one object that every client understands', async () => {
    const { started, get } = await api({ tools: ECHO_TOOLS });
    const id = await started(ECHO, { query: 'x' });
    const { body } = await get(`/executions/${id}?wait_ms=5000`);
    const state = { query: 'x', echoed: { query: 'x' } };
    expect(body).toEqual({
      execution_id: id,
      id,
      tenant_id: 'default',
      workflow_id: 'echo',
      workflow_version: '1.0.0',
      revision: expect.stringMatching(/^[0-9a-f]{64}$/),
      status: 'completed',
      state,
      current_state: state,
      input: { query: 'x' },
      initial_input: { query: 'x' },
      output: state,
      labels: {},
      steps_executed: 1,
      sequence: expect.any(Number),
      segment_number: 0,
      created_at: expect.stringMatching(RFC3339_MS),
      started_at: body.created_at,
      updated_at: expect.stringMatching(RFC3339_MS),
      completed_at: expect.stringMatching(RFC3339_MS),
    });
  });

  it('has no output, error or end while it runs', async () => {
    const { started, get } = await api();
    const { body } = await get(`/executions/${await started(EXTERNAL)}`);
    expect(body).toMatchObject({ status: 'running', completed_at: null });
    for (const key of ['output', 'error', 'detail', 'parent_execution_id']) expect(body).not.toHaveProperty(key);
  });

  it('contains the error of a failed execution', async () => {
    const failing = {
      echo: () => {
        throw Object.assign(new Error('no such order'), { retryable: false });
      },
    };
    const { started, get } = await api({ tools: failing });
    const { body } = await get(`/executions/${await started(ECHO)}?wait_ms=5000`);
    expect(body.status).toBe('failed');
    expect([body.error, body.detail]).toEqual(['echo: no such order', body.error]);
  });

  it('accepts the id in every spelling', async () => {
    const { started, get } = await api();
    const id = await started(REVIEW);
    const hex = id.slice('exec_'.length);
    const dashed = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    for (const spelling of [hex, dashed, hex.toUpperCase()]) {
      expect((await get(`/executions/${spelling}`)).body.execution_id).toBe(id);
    }
  });

  it('with wait_ms replies when the execution pauses or ends', async () => {
    const { started, get, post } = await api();
    const paused = await started(PAYMENT);
    expect((await get(`/executions/${paused}?wait_ms=60000`)).body.status).toBe('paused');
    const running = await started(EXTERNAL);
    const waiting = get(`/executions/${running}?wait_ms=60000`);
    await post(`/executions/${running}/cancel`);
    expect((await waiting).body.status).toBe('cancelled');
  });

  it('with wait_ms replies after that time at the latest', async () => {
    const { started, get, clock } = await api();
    const waiting = get(`/executions/${await started(EXTERNAL)}?wait_ms=1000`);
    await get('/health');
    clock.advance(1_000);
    expect((await waiting).body.status).toBe('running');
  });

  it('refuses an invalid query', async () => {
    const { get } = await api();
    for (const waitMs of ['-1', 'soon', '1.5']) {
      expect((await get(`/executions/${UNKNOWN_EXECUTION}?wait_ms=${waitMs}`)).status, waitMs).toBe(400);
    }
  });
});

describe('GET /executions', () => {
  it('lists the newest first, without states', async () => {
    const { started, get } = await api();
    const ids = [await started(REVIEW, { a: 1 }), await started(PAYMENT), await started(EXTERNAL)];
    const { body } = await get('/executions');
    expect(body).toMatchObject({ limit: 50, offset: 0 });
    expect(body.executions.map(({ execution_id }) => execution_id)).toEqual(ids.reverse());
    for (const key of ['state', 'current_state', 'input', 'initial_input', 'output']) {
      expect(body.executions[0]).not.toHaveProperty(key);
    }
  });

  it('includes states on request', async () => {
    const { started, get } = await api();
    await started(REVIEW, { a: 1 });
    const [item] = (await get('/executions?include=state')).body.executions;
    expect(item?.state).toEqual({ a: 1 });
    expect(item).not.toHaveProperty('input');
  });

  it('pages', async () => {
    const { started, get } = await api();
    const ids = [await started(REVIEW), await started(REVIEW), await started(REVIEW)];
    const page = async (query: string) => (await get(`/executions?${query}`)).body.executions.map(({ id }) => id);
    expect(await page('limit=2')).toEqual([ids[2], ids[1]]);
    expect(await page('limit=2&offset=2')).toEqual([ids[0]]);
    expect(await page('offset=9007199254740991')).toEqual([]);
  });

  it('reduces a large limit and reports the applied one', async () => {
    const { get } = await api();
    expect((await get('/executions?limit=1000000')).body.limit).toBe(1_000);
  });

  it('filters by each of the seven states', async () => {
    const { started, get, post } = await api({ tools: ECHO_TOOLS });
    await started(REVIEW);
    await started(EXTERNAL);
    await post(`/executions/${await started(PAYMENT)}/cancel`);
    await get(`/executions/${await started(ECHO)}?wait_ms=5000`);
    const found = async (status: string) =>
      (await get(`/executions?status=${status}`)).body.executions.map(({ workflow_id }) => workflow_id);
    expect(await found('paused')).toEqual(['review']);
    expect(await found('running')).toEqual(['external']);
    expect(await found('cancelled')).toEqual(['payment']);
    expect(await found('completed')).toEqual(['echo']);
    for (const status of ['failed', 'limit_exceeded', 'pending']) expect(await found(status)).toEqual([]);
  });

  it('filters by workflow and by parent', async () => {
    const { started, get, post } = await api();
    await post('/workflows', { ir: PAYMENT });
    const parent = await started({
      workflow_id: 'parent',
      version: '1',
      nodes: { child: { kind: { type: 'subgraph', workflow_ref: 'payment' } } },
      edges: [{ from: 'child', to: 'end' }],
    });
    await get(`/executions/${parent}?wait_ms=5000`);
    const [child, ...others] = (await get(`/executions?parent_execution_id=${parent}`)).body.executions;
    expect(others).toEqual([]);
    expect(child).toMatchObject({ workflow_id: 'payment', parent_execution_id: parent });
    expect((await get('/executions?workflow_id=parent')).body.executions).toHaveLength(1);
  });
});

describe('POST /executions/:id/cancel', () => {
  it('requires no body', async () => {
    const { started, post, get } = await api();
    const id = await started(REVIEW);
    expect(await post(`/executions/${id}/cancel`)).toMatchObject({
      status: 200,
      body: { execution_id: id, status: 'cancelled' },
    });
    expect((await get(`/executions/${id}`)).body).toMatchObject({ status: 'cancelled' });
  });

  it('keeps the reason', async () => {
    const { started, post, get } = await api();
    const id = await started(REVIEW);
    await post(`/executions/${id}/cancel`, { reason: 'wrong order' });
    const { events } = (await get(`/executions/${id}/events`)).body;
    expect(events.find(({ kind }) => kind === 'WorkflowCancelled')?.data.reason).toBe('wrong order');
  });

  it('refuses what has ended', async () => {
    const { started, post } = await api();
    const id = await started(REVIEW);
    await post(`/executions/${id}/cancel`);
    expect(await post(`/executions/${id}/cancel`)).toMatchObject({
      status: 400,
      body: { error: `bad request: execution ${id} is already in terminal state: cancelled` },
    });
  });

  it('returns 404 for unknown ids', async () => {
    const { post } = await api();
    expect((await post(`/executions/${UNKNOWN_EXECUTION}/cancel`)).status).toBe(404);
    expect((await post('/executions/exec_1/cancel', { reason: 5 })).status).toBe(400);
  });
});
