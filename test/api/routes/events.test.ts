import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { Event } from '../../../src/api/schemas/events.ts';
import { type Api, api, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

async function eventsOf({ get }: Api, url: string, headers = {}): Promise<readonly Event[]> {
  return (await get(url, { headers })).body.events;
}

describe('GET /executions/:id/events', () => {
  it('lists events in the form of the reference', async () => {
    const server = await api();
    const id = await server.started(REVIEW, { a: 1 });
    const [first, second] = await eventsOf(server, `/executions/${id}/events`);
    expect(first).toMatchObject({
      id: expect.stringMatching(UUID),
      execution_id: id,
      sequence: 1,
      kind: 'WorkflowStarted',
      type: 'workflow_started',
      node_id: null,
      created_at: expect.stringMatching(/\.\d{3}Z$/),
      data: { workflow_id: 'review', workflow_version: '1.0.0', initial_input: { a: 1 } },
    });
    expect(second).toMatchObject({ sequence: 2, node_id: 'review', data: { node_id: 'review' } });
  });

  it('lists events in the tagged form on request', async () => {
    const server = await api();
    const url = `/executions/${await server.started(REVIEW)}/events`;
    const seed = await eventsOf(server, url);
    const tagged = await eventsOf(server, `${url}?format=tagged`);
    expect(tagged[0]).toMatchObject({ kind: { type: 'workflow_started', workflow_id: 'review' }, kind_name: 'WorkflowStarted' });
    expect(tagged[1]).toMatchObject({ kind: { node_id: 'review' }, node_id: 'review', sequence: 2 });
    expect(tagged.map(({ sequence }) => sequence)).toEqual(seed.map(({ sequence }) => sequence));
    expect(await eventsOf(server, url, { 'x-jamjet-events': 'tagged' })).toEqual(tagged);
    expect(await eventsOf(server, `${url}?format=seed`, { 'x-jamjet-events': 'tagged' })).toEqual(seed);
  });

  it('includes the state patch of each completion', async () => {
    const server = await api({ tools: { greet: () => ({ greeting: 'hello' }), count: () => 3 } });
    const node = (tool_ref: string, more = {}) => ({ kind: { type: 'tool', tool_ref, ...more } });
    const id = await server.started({
      workflow_id: 'patches',
      version: '1',
      nodes: {
        greet: node('greet'),
        count: node('count'),
        kept: node('count', { output_key: 'total' }),
        gate: { kind: { type: 'condition', branches: [{ target: 'end' }] } },
      },
      edges: [
        { from: 'greet', to: 'count' },
        { from: 'count', to: 'kept' },
        { from: 'kept', to: 'gate' },
      ],
    });
    await server.get(`/executions/${id}?wait_ms=5000`);
    const completed = await eventsOf(server, `/executions/${id}/events?type=node_completed`);
    expect(completed.map(({ data }) => data.state_patch)).toEqual([{ greeting: 'hello' }, { count: 3 }, { total: 3 }, {}]);
    expect(completed.every(({ data }) => typeof data.duration_ms === 'number')).toBe(true);
  });

  it('gives the input of each attempt, the transition taken, and the conditions evaluated', async () => {
    const server = await api({
      tools: { price: (input) => ({ total: Number((input as { n: number }).n) * 2 }), pay: () => ({}) },
    });
    const id = await server.started(
      {
        workflow_id: 'transitions',
        version: '1',
        nodes: {
          price: { kind: { type: 'tool', tool_ref: 'price', input_mapping: { n: '{{ state.n }}' } } },
          gate: {
            kind: {
              type: 'condition',
              branches: [
                { condition: 'state.total > 100', target: 'review' },
                { condition: 'state.total > 10', target: 'pay' },
                { target: 'end' },
              ],
            },
          },
          pay: { kind: { type: 'tool', tool_ref: 'pay' } },
          review: { kind: { type: 'human_approval' } },
        },
        edges: [
          { from: 'price', to: 'gate' },
          { from: 'pay', to: 'end' },
        ],
      },
      { n: 21 },
    );
    await server.get(`/executions/${id}?wait_ms=5000`);
    const started = await eventsOf(server, `/executions/${id}/events?type=node_started`);
    expect(started.map(({ node_id, data }) => [node_id, data.input])).toEqual([
      ['price', { n: 21 }],
      ['pay', { n: 21, total: 42 }],
    ]);
    const completed = await eventsOf(server, `/executions/${id}/events?type=node_completed`);
    expect(completed.map(({ node_id, data: { taken, evaluated } }) => [node_id, taken, evaluated])).toEqual([
      ['price', ['gate'], undefined],
      [
        'gate',
        ['pay'],
        [
          { target: 'review', condition: 'state.total > 100', value: false },
          { target: 'pay', condition: 'state.total > 10', value: true },
        ],
      ],
      ['pay', ['end'], undefined],
    ]);
  });

  it('uses the form for which the server is configured', async () => {
    const server = await api({ config: { eventFormat: 'tagged' } });
    const url = `/executions/${await server.started(REVIEW)}/events`;
    expect((await eventsOf(server, url))[0]?.kind).toMatchObject({ type: 'workflow_started' });
    expect((await eventsOf(server, `${url}?format=seed`))[0]?.kind).toBe('WorkflowStarted');
  });

  it('pages by sequence', async () => {
    const server = await api();
    const url = `/executions/${await server.started(REVIEW)}/events`;
    const all = await eventsOf(server, url);
    expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, i) => i + 1));
    expect(await eventsOf(server, `${url}?limit=2`)).toEqual(all.slice(0, 2));
    expect(await eventsOf(server, `${url}?after=1&limit=1`)).toEqual(all.slice(1, 2));
    expect(await eventsOf(server, `${url}?after=${all.length}`)).toEqual([]);
  });

  it('filters by node and by kind in either spelling', async () => {
    const server = await api();
    const url = `/executions/${await server.started(REVIEW)}/events`;
    const started = await eventsOf(server, `${url}?type=workflow_started`);
    expect(started).toHaveLength(1);
    expect(await eventsOf(server, `${url}?type=WorkflowStarted`)).toEqual(started);
    expect((await eventsOf(server, `${url}?node_id=review`)).every(({ node_id }) => node_id === 'review')).toBe(true);
    expect((await server.get(`${url}?type=workflow_strated`)).status).toBe(400);
  });

  it('returns 404 for unknown executions', async () => {
    const { get } = await api();
    expect((await get(`/executions/${UNKNOWN_EXECUTION}/events`)).status).toBe(404);
    expect((await get(`/executions/${UNKNOWN_EXECUTION}/events?wait_ms=1000`)).status).toBe(404);
  });

  it('refuses an invalid query', async () => {
    const { get } = await api();
    for (const query of ['after=-1', 'after=x', 'limit=0', 'format=xml', 'wait_ms=x']) {
      expect((await get(`/executions/${UNKNOWN_EXECUTION}/events?${query}`)).status, query).toBe(400);
    }
  });

  it('returns the whole log, even of megabytes', async () => {
    const server = await api();
    const id = await server.started(EXTERNAL);
    const payload = 'x'.repeat(100_000);
    for (let i = 0; i < 30; i += 1) await server.post(`/executions/${id}/external-event`, { correlation_key: 'k', payload });
    const events = await eventsOf(server, `/executions/${id}/events`);
    expect(events.filter(({ kind }) => kind === 'ExternalEventReceived')).toHaveLength(30);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1));
  });

  it('with wait_ms waits for the next event', async () => {
    const server = await api();
    const id = await server.started(PAYMENT);
    const after = (await eventsOf(server, `/executions/${id}/events`)).length;
    const waiting = eventsOf(server, `/executions/${id}/events?after=${after}&wait_ms=60000`);
    await server.post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: { amount: 1 } });
    expect((await waiting)[0]).toMatchObject({ sequence: after + 1, kind: 'ExternalEventReceived' });
  });

  it('with wait_ms and a filter waits for a matching event', async () => {
    const server = await api();
    const id = await server.started(PAYMENT);
    const waiting = eventsOf(server, `/executions/${id}/events?type=workflow_completed&wait_ms=60000`);
    await server.post(`/executions/${id}/external-event`, { correlation_key: 'other', payload: null });
    await server.post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: null });
    expect(await waiting).toMatchObject([{ kind: 'WorkflowCompleted' }]);
  });

  it('with wait_ms does not wait for an execution that has ended', async () => {
    const server = await api();
    const id = await server.started(PAYMENT);
    await server.post(`/executions/${id}/cancel`);
    expect(await eventsOf(server, `/executions/${id}/events?after=1000&wait_ms=60000`)).toEqual([]);
  });

  it('with wait_ms replies when the time is up', async () => {
    const server = await api();
    const id = await server.started(PAYMENT);
    expect(await eventsOf(server, `/executions/${id}/events?after=1000&wait_ms=1`)).toEqual([]);
  });
});

describe('POST /executions/:id/external-event', () => {
  it('wakes the node that waits for it', async () => {
    const { started, post, get } = await api();
    const id = await started(PAYMENT);
    const { status, body } = await post(`/executions/${id}/external-event`, {
      correlation_key: 'paid',
      payload: { amount: 500 },
    });
    expect(status).toBe(200);
    expect(body).toEqual({ execution_id: id, accepted: true, matched: true, buffered: false, node_id: 'pay' });
    expect((await get(`/executions/${id}`)).body).toMatchObject({ status: 'completed', state: { amount: 500 } });
  });

  it('is buffered for a wait that is not reached yet', async () => {
    const { started, post } = await api();
    const later = {
      ...EXTERNAL,
      nodes: { ...EXTERNAL.nodes, later: { kind: { type: 'wait', correlation_key: 'early' } } },
      edges: [{ from: 'work', to: 'later' }],
    };
    const id = await started(later);
    const { body } = await post(`/executions/${id}/external-event`, { correlation_key: 'early', payload: null });
    expect(body).toEqual({ execution_id: id, accepted: true, matched: false, buffered: true, node_id: null });
  });

  describe('with a payload that does not fit the schema of its wait', () => {
    const schema = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] };
    const checked = (...schemas: readonly (object | null)[]): JsonObject => ({
      ...PAYMENT,
      nodes: Object.fromEntries(
        schemas.map((each, i) => [
          `pay${i}`,
          { kind: { type: 'wait', correlation_key: 'paid', ...(each === null ? {} : { schema: each as JsonObject }) } },
        ]),
      ),
      start_node: 'pay0',
      edges: schemas.slice(1).map((_, i) => ({ from: `pay${i}`, to: `pay${i + 1}` })),
    });
    const PROBLEM = 'the payload does not fit the schema of pay0: amount must be number';
    const wrong = { correlation_key: 'paid', payload: { amount: 'all' } };
    const STRICT = { headers: { prefer: 'handling=strict' } };

    it('is taken with a warning', async () => {
      const { started, post } = await api();
      const id = await started(checked(schema));
      const { status, body } = await post(`/executions/${id}/external-event`, wrong);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        matched: true,
        warnings: [{ code: 'invalid_payload', message: PROBLEM, path: 'payload' }],
      });
    });

    it('is refused when the sender asks to be strict, and nothing is logged', async () => {
      const { started, post, get } = await api();
      const id = await started(checked(schema));
      const refused = await post(`/executions/${id}/external-event`, wrong, STRICT);
      expect([refused.status, refused.body]).toMatchObject([400, { code: 'invalid_input', error: `bad request: ${PROBLEM}` }]);
      expect((await get(`/executions/${id}/events?type=external_event_received`)).body.events).toEqual([]);
      const right = await post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: { amount: 1 } }, STRICT);
      expect(right.body).toMatchObject({ matched: true });
      expect(right.body.warnings).toBeUndefined();
    });

    it('fits if it fits that of one node with its key, or one of them has none', async () => {
      const { started, post } = await api();
      for (const others of [{ type: 'object', properties: { amount: { type: 'string' } } }, null]) {
        const id = await started(checked(schema, others));
        expect((await post(`/executions/${id}/external-event`, wrong, STRICT)).status).toBe(200);
      }
    });

    it('cannot be told with a schema that is none: it is refused at registration', async () => {
      const { post } = await api();
      const { status, body } = await post('/workflows', { ir: checked({ type: 'nothing' }) });
      expect([status, body.diagnostics]).toMatchObject([
        400,
        [{ code: 'bad_event_schema', node_id: 'pay0', path: 'nodes.pay0.kind.schema' }],
      ]);
    });
  });

  it('is logged with a warning if no node ever waits for its key', async () => {
    const { started, post, get } = await api();
    const id = await started(PAYMENT);
    const send = async (key: string) =>
      (await post(`/executions/${id}/external-event`, { correlation_key: key, payload: 1 })).body;
    expect((await send('piad')).warnings).toEqual([
      { code: 'nobody_waits', message: 'no node waits for "piad"; did you mean "paid"?', path: 'correlation_key' },
    ]);
    expect((await send('refunded')).warnings).toMatchObject([
      { message: 'no node waits for "refunded"; the workflow waits for paid' },
    ]);
    expect((await get(`/executions/${id}/events?type=external_event_received`)).body.events).toHaveLength(2);
  });

  it.each([
    ['the header', { headers: { 'idempotency-key': 'evt-1' } }, {}],
    ['event_id', {}, { event_id: 'evt-1' }],
  ])('counts once under the same key in %s', async (_where, options, extra) => {
    const { started, post, get } = await api();
    const id = await started(EXTERNAL);
    const send = (payload: unknown) =>
      post(`/executions/${id}/external-event`, { correlation_key: 'k', payload, ...extra }, options);
    const first = await send(1);
    expect((await send(1)).body).toEqual(first.body);
    expect((await send(2)).status).toBe(409);
    expect((await get(`/executions/${id}/events?type=external_event_received`)).body.events).toHaveLength(1);
  });

  it('is refused by an execution that has ended', async () => {
    const { started, post } = await api();
    const id = await started(PAYMENT);
    await post(`/executions/${id}/cancel`);
    const { status, body } = await post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: null });
    expect([status, body.error]).toEqual([409, expect.stringMatching(/^conflict: /)]);
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [
      {},
      { correlation_key: 'k' },
      { payload: 1 },
      { correlation_key: '', payload: 1 },
      { correlation_key: 5, payload: 1 },
    ]) {
      expect((await post(`/executions/${UNKNOWN_EXECUTION}/external-event`, body)).status, JSON.stringify(body)).toBe(400);
    }
  });

  it('returns 404 for unknown executions', async () => {
    const { post } = await api();
    expect((await post(`/executions/${UNKNOWN_EXECUTION}/external-event`, { correlation_key: 'k', payload: null })).status).toBe(
      404,
    );
  });
});

describe('POST /events', () => {
  const event = { workflow_id: PAYMENT.workflow_id, key: 'order-7', correlation_key: 'paid', payload: { amount: 5 } };

  it('reaches the live execution with the key, and starts one if none is live', async () => {
    const { post } = await api();
    await post('/workflows', { ir: PAYMENT });
    expect((await post('/events', event)).status).toBe(404);
    const start = { workflow_id: PAYMENT.workflow_id, input: { order: 7 } };
    const { workflow_id: _, ...unnamed } = event;
    const { status, body } = await post('/events', { ...unnamed, event_id: 'e1', start });
    expect(status).toBe(200);
    expect(body).toEqual({
      execution_id: expect.stringMatching(/^exec_/),
      accepted: true,
      matched: true,
      buffered: false,
      node_id: expect.any(String),
      started: true,
    });
    expect((await post('/events', { ...unnamed, event_id: 'e1', start })).body).toEqual(body);
  });

  it('warns of a key that no node waits for', async () => {
    const { post } = await api();
    await post('/workflows', { ir: PAYMENT });
    const { body } = await post('/events', { ...event, correlation_key: 'payed', start: {} });
    expect(body).toMatchObject({ buffered: true, warnings: [{ code: 'nobody_waits', path: 'correlation_key' }] });
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    await post('/workflows', { ir: PAYMENT });
    const { key: _, ...keyless } = event;
    const { workflow_id: __, ...unnamed } = event;
    for (const [body, message] of [
      [unnamed, 'bad request: workflow_id is missing'],
      [
        { ...event, start: { workflow_id: 'other' } },
        'bad request: workflow_id and start.workflow_id differ: an event reaches executions of one workflow',
      ],
      [keyless, /^bad request: .*key/],
      [{ ...event, key: '' }, /^bad request: .*key/],
      [{ ...event, key: 'a\tb', start: {} }, /^bad request: the key of an execution is a text/],
      [{ ...event, start: 5 }, /^bad request: .*start/],
      [{ ...event, start: { labels: 5 } }, /^bad request: .*labels/],
    ] as const) {
      const reply = await post('/events', body);
      expect([reply.status, reply.body.error], JSON.stringify(body)).toEqual([
        400,
        typeof message === 'string' ? message : expect.stringMatching(message),
      ]);
    }
  });
});
