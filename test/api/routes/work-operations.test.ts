import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { durable, durableMachine } from '../../../src/index.ts';
import { longestTurnMs } from '../../support/longest-turn.ts';
import { replayAll } from '../../support/replay-all.ts';
import { type Api, api, EXTERNAL } from '../support/api.ts';

const { document } = durable({ id: 'f', run: () => ({}) });
const MACHINE = durableMachine(createMachine({ initial: 'a', states: { a: {} } }), { id: 'f' }).document;
const NOTHING = { operations: 0, results: 0, sequence: 0 };

async function claimed(ir = document, queue = 'tool', input: object = {}) {
  const server = await api();
  const id = await server.started(ir, input);
  const claim = { worker_id: 'w1', queue_types: [queue], ...(ir === document ? { tools: ['f'] } : {}) };
  const item = (await server.post('/work-items/claim', claim)).body.work_item;
  return { ...server, id, item };
}

/** An item of a state machine, which is in its only state. */
const machineClaimed = () => claimed(MACHINE, 'tool', { value: 'a' });

type Claimed = Awaited<ReturnType<typeof claimed>>;

const send = (
  { post, item }: Pick<Claimed, 'post' | 'item'>,
  operations: unknown,
  more: object = {},
  as: 'developer' | 'worker' = 'worker',
) =>
  post(
    `/work-items/${item.id}/operations`,
    { lease_fence: item.lease_fence, worker_id: 'w1', known: NOTHING, operations, ...more },
    { as },
  );

const types = async ({ log, id }: Pick<Claimed, 'log' | 'id'>) => (await log(id)).map(({ type }) => type);

describe('POST /work-items/:id/operations', () => {
  it('commits what a function has begun and done, and answers with what the worker does not know', async () => {
    const server = await claimed();
    expect(server.item).toMatchObject({ tool: 'f', journal: { operations: [], results: [], partial: false, paused: false } });
    const begun = await send(server, [
      { type: 'begin', operation: 1, kind: 'step', name: 'a' },
      { type: 'begin', operation: 2, kind: 'event', name: 'paid', key: 'paid', limit_ms: 60_000 },
    ]);
    expect(begun).toMatchObject({ status: 200, body: { acknowledged: true, work_item_id: server.item.id } });
    const { journal } = begun.body as unknown as { journal: Record<string, unknown> };
    expect(journal).toEqual({
      sequence: 5,
      paused: false,
      parked: false,
      partial: false,
      operations: [
        { number: 1, name: 'a', kind: 'step', attempt: 0, status: 'running' },
        { number: 2, name: 'paid', kind: 'event', attempt: 0, status: 'waiting' },
      ],
      results: [],
    });
    const done = [{ type: 'complete', operation: 1, attempt: 0, output: null, duration_ms: 3 }];
    const known = { operations: 2, results: 0, sequence: 5 };
    const completed = await send(server, done, { known });
    expect(completed.body).toMatchObject({
      journal: {
        operations: [{ number: 1, status: 'completed' }],
        results: [{ position: 1, operation: 1, output: null }],
      },
    });
    // The answer was lost: nothing is done twice.
    expect((await send(server, done, { known })).body).toEqual(completed.body);
    const parked = await send(server, [], { known: { operations: 2, results: 1, sequence: 6 }, parked_after: 1 });
    expect(parked.body).toMatchObject({ journal: { parked: true, operations: [], results: [] } });
    expect(await types(server)).toEqual([
      'workflow_started',
      'node_scheduled',
      'node_started',
      'step_started',
      'step_started',
      'step_completed',
      'function_parked',
    ]);
    expect((await send(server, [])).status).toBe(409);
  });

  it('does not park a function that has yet to be given a result', async () => {
    const server = await claimed();
    await send(server, [
      { type: 'begin', operation: 1, kind: 'value', name: 'now' },
      { type: 'complete', operation: 1, attempt: 0, output: 7 },
    ]);
    expect((await send(server, [], { parked_after: 0 })).body).toMatchObject({
      journal: { parked: false, results: [{ position: 1, operation: 1, output: 7 }] },
    });
  });

  it('waits for something that the worker does not know', async () => {
    const server = await claimed();
    const { body } = await send(server, [{ type: 'begin', operation: 1, kind: 'event', name: 'paid', key: 'paid' }]);
    const { sequence } = (body as unknown as { journal: { sequence: number } }).journal;
    const waiting = send(server, [], { known: { operations: 1, results: 0, sequence }, wait_ms: 30_000 });
    await server.post(`/executions/${server.id}/external-event`, { correlation_key: 'paid', payload: { by: 'ann' } });
    expect((await waiting).body).toMatchObject({ journal: { results: [{ position: 1, operation: 1, output: { by: 'ann' } }] } });
  });

  const begin = { type: 'begin', operation: 1, kind: 'step', name: 'a' };
  it.each<readonly [object, string]>([
    [
      { ...begin, type: 'begun' },
      'operations[0].type: it is one of begin, complete, fail, update, cancel, transition, not "begun"',
    ],
    [{ ...begin, kind: 'sleeep' }, 'operations[0].kind: it is one of step, value, expose, handler, sleep'],
    [{ ...begin, kind: '__proto__' }, 'operations[0].kind: it is one of'],
    [{ type: 'begin', operation: 1, name: 'a' }, 'operations[0].kind: a text is needed'],
    [{ ...begin, operation: 0 }, 'operations[0].operation: a whole number of at least 1 is needed'],
    [{ ...begin, name: 'x'.repeat(201) }, 'operations[0].name must have at most 200 characters'],
    [{ ...begin, name: null }, 'operations[0].name must be a text'],
    [{ ...begin, kind: 'sleep' }, 'operations[0].limit_ms: exactly one of limit_ms and until_ms is needed'],
    [{ ...begin, kind: 'sleep', limit_ms: 1, until_ms: 1 }, 'exactly one of limit_ms and until_ms'],
    [{ ...begin, kind: 'sleep', limit_ms: -1 }, 'operations[0].limit_ms: milliseconds from 0 to'],
    [{ ...begin, kind: 'sleep', until_ms: 1e300 }, 'operations[0].until_ms: milliseconds since 1970 are needed'],
    [{ ...begin, kind: 'event' }, 'operations[0].key: exactly one of key and accepts is needed'],
    [{ ...begin, kind: 'approval' }, 'operations[0].message: a text is needed'],
    [{ ...begin, kind: 'call', input: {} }, 'operations[0].workflow must be a text'],
    [{ ...begin, kind: 'call', workflow: 'w' }, 'operations[0].input: a value is needed, which may be null'],
    [{ ...begin, kind: 'expose' }, 'operations[0].exposed: an object is needed'],
    [{ type: 'complete', operation: 1, attempt: 0 }, 'operations[0].output: a value is needed'],
    [{ type: 'fail', operation: 1, attempt: 0 }, 'operations[0].error: a text is needed'],
    [{ type: 'update', output: 1 }, 'operations[0].update: a whole number of at least 1 is needed'],
    [
      { type: 'transition', operation: 1, event: 'go', value: 'a', snapshot: {} },
      'operations[0].snapshot: {set: {pointer: value}',
    ],
    [{ ...begin, name: '\ud800' }, 'operations[0].name has text that is not valid Unicode'],
  ])('refuses %j, with the place', async (operation, problem) => {
    const server = await claimed();
    const { status, body } = await send(server, [operation]);
    expect({ status, error: body.error }).toEqual({ status: 400, error: expect.stringContaining(problem) });
    expect(await types(server)).toHaveLength(3);
  });

  it.each<readonly [unknown, string]>([
    [[{ ...begin, operation: 2 }], 'operations[0]: operation 2 cannot begin: the next one is 1'],
    [[begin, { ...begin, operation: 3 }], 'operations[1]: operation 3 cannot begin: the next one is 2'],
    [[{ type: 'complete', operation: 1, attempt: 0, output: 1 }], 'operations[0]: operation 1 has not begun'],
    [[{ type: 'update', update: 3, output: 1 }], 'operations[0]: update 3 has not come'],
  ])('refuses operations that do not fit the journal: %j', async (operations, problem) => {
    const server = await claimed();
    const { status, body } = await send(server, operations);
    expect(status).toBe(409);
    expect(body).toMatchObject({ acknowledged: false, code: 'conflict', reason: problem });
    expect(await types(server)).toHaveLength(3);
  });

  it('refuses another operation at the place of one, and a result that does not come from workers', async () => {
    const server = await claimed();
    await send(server, [begin, { type: 'begin', operation: 2, kind: 'sleep', name: 'sleep', limit_ms: 1_000 }]);
    expect((await send(server, [{ ...begin, name: 'b' }])).body).toMatchObject({
      code: 'conflict',
      reason: 'operations[0]: operation 1 was step "a", and cannot become step "b"',
    });
    expect((await send(server, [{ type: 'complete', operation: 2, attempt: 0, output: 1 }])).body).toMatchObject({
      reason: 'operations[0]: the result of operation 2, sleep, does not come from a worker',
    });
    expect((await send(server, [{ type: 'fail', operation: 1, attempt: 2, error: 'no' }])).body).toMatchObject({
      reason: 'operations[0]: operation 1 is at attempt 0, not 2',
    });
  });

  it('refuses a schema that cannot check updates, and an update is checked by one that takes long without holding up others', async () => {
    const server = await claimed();
    const handler = (schema: unknown) => [
      { type: 'begin', operation: 1, kind: 'step', name: 'a' },
      { type: 'begin', operation: 2, kind: 'handler', name: 'add', schema },
    ];
    const refused = await send(server, handler({ properties: { sku: { type: 'txt' } } }));
    expect(refused).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/operations\[1\]\.schema: it cannot check updates "add": .*type/) },
    });
    expect(await send(server, handler({ properties: { sku: { pattern: '^(a+)+$' } } }))).toMatchObject({ status: 200 });
    const update = { input: { sku: `${'a'.repeat(40)}!` }, wait_ms: 0 };
    let answers = 0;
    let isOver = false;
    const hostile = server.post(`/executions/${server.id}/updates/add`, update).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await server.get(`/executions/${server.id}`);
      answers += 1;
    }
    expect(await hostile).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('it takes too long to be checked') },
    });
    // The check takes a second.
    expect(answers).toBeGreaterThan(5);
  });

  it('needs the fence of the claim', async () => {
    const server = await claimed();
    const { item } = server;
    expect((await send(server, [begin], { lease_fence: 0 })).status).toBe(400);
    const { lease_fence: _, ...unfenced } = { lease_fence: 1, known: NOTHING, operations: [begin] };
    expect((await server.post(`/work-items/${item.id}/operations`, unfenced)).status).toBe(400);
    expect(await send(server, [begin], { lease_fence: item.lease_fence + 1 })).toMatchObject({
      status: 409,
      body: { acknowledged: false, code: 'stale_fence', reason: 'stale or invalid lease fence' },
    });
    expect(await send({ ...server, item: { ...item, id: '00000000-0000-4000-8000-000000000000' } }, [begin])).toMatchObject({
      status: 404,
    });
    expect(await types(server)).toHaveLength(3);
  });

  it('is for durable functions, and for requests of at most 2 MiB', async () => {
    const tool = await claimed(EXTERNAL as never, 'python_tool');
    const { status, body } = await send(tool, [begin]);
    expect({ status, error: body.error }).toEqual({
      status: 400,
      error: expect.stringContaining('is not of a durable function'),
    });
    const server = await claimed();
    const large = [begin, { type: 'complete', operation: 1, attempt: 0, output: 'x'.repeat(2_200_000) }];
    expect((await send(server, large)).status).toBe(413);
  });

  it('is not open to readers, nor to workers of other queues or tenants', async () => {
    const server: Api & Pick<Claimed, 'item'> = await claimed();
    const body = { lease_fence: 1, known: NOTHING, operations: [begin] };
    const url = `/work-items/${server.item.id}/operations`;
    expect((await server.post(url, body, { as: 'viewer' })).status).toBe(403);
    expect((await server.post(url, body, { as: null })).status).toBe(401);
    await server.post('/tenants', { id: 'acme', name: 'acme' }, { as: 'operator' });
    const other = await server.token('worker', { tenantId: 'acme' });
    const { status } = await server.post(url, body, { as: null, headers: { authorization: `Bearer ${other}` } });
    expect(status).toBe(404);
  });
});

describe('operations of a hostile worker', () => {
  const transition = (operation: number, set: object, removed: readonly string[] = []) => ({
    type: 'transition',
    operation,
    event: 'go',
    value: 'a',
    snapshot: { set, removed },
  });
  const fields = (count: number, key: (index: number) => string, value: unknown = 1) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [key(index), value]));
  const exposes = (from: number, count: number, exposed: (index: number) => object) =>
    Array.from({ length: count }, (_, index) => ({
      type: 'begin',
      operation: from + index,
      kind: 'expose',
      name: 'expose',
      exposed: exposed(index),
    }));

  it.each<readonly [string, object, string]>([
    ['deep', transition(1, { ['/a'.repeat(20_001)]: 1 }), '…" has more than 256 keys'],
    [
      'many',
      transition(
        1,
        fields(5_100, (n) => `/a/${n}`),
      ),
      'the pointers of a request have at most 10,000 keys',
    ],
    [
      'many that remove',
      transition(
        1,
        {},
        Array.from({ length: 10_001 }, (_, n) => `/${n}`),
      ),
      'have at most 10,000 keys',
    ],
    ['without a slash', transition(1, { a: 1 }), 'the pointer "a" is no JSON pointer (RFC 6901)'],
    ['with an escape of its own', transition(1, {}, ['/~2']), 'the pointer "/~2" is no JSON pointer (RFC 6901)'],
    ['to __proto__', transition(1, { '/__proto__/x': 1 }), 'the pointer "/__proto__/x" has a key that is not allowed'],
    ['to a prototype', transition(1, { '/a/constructor/prototype': 1 }), 'has a key that is not allowed'],
    ['whose value is a prototype', transition(1, { '/constructor': { prototype: {} } }), 'has a key that is not allowed'],
    ['to the whole, which is none', transition(1, { '': [] }), 'the whole snapshot, at "", is an object'],
  ])('are refused for pointers: %s', async (_, operation, problem) => {
    const server = await claimed();
    const { status, body } = await send(server, [operation]);
    expect({ status, error: body.error }).toEqual({ status: 400, error: expect.stringContaining(problem) });
    expect(body.error).toContain('operations[0].snapshot: ');
    expect(await types(server)).toHaveLength(3);
  });

  it('are refused if they lead into a list, with nothing changed', async () => {
    const server = await machineClaimed();
    const { status, body } = await send(server, [transition(1, { '': { list: [1] } }), transition(2, { '/list/4294967290': 1 })]);
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'conflict',
      reason: 'operations[1]: the pointer "/list/4294967290" leads into a list, which can only be set as a whole',
    });
    expect(await types(server)).toHaveLength(3);
    expect((await server.get(`/executions/${server.id}`)).body.state).toEqual({ value: 'a' });
  });

  it('are refused if the state would be too large, and the attempt goes on', async () => {
    const server = await machineClaimed();
    const large = 'x'.repeat(2_000_000);
    for (let n = 1; n <= 8; n += 1) await send(server, [transition(n, { [`/k${n}`]: large })]);
    const { status, body } = await send(server, [transition(9, { '/k9': large })]);
    expect({ status, body }).toMatchObject({
      status: 413,
      body: { code: 'state_too_large', error: expect.stringContaining('the state would be larger than 16 MiB') },
    });
    expect((await send(server, [transition(9, { '/k9': 1 }, ['/k1'])])).status).toBe(200);
  });

  it('are refused if the journal would be too large', async () => {
    const server = await claimed();
    const large = 'x'.repeat(2_000_000);
    const step = (operation: number) => [
      { type: 'begin', operation, kind: 'step', name: 'a' },
      { type: 'complete', operation, attempt: 0, output: large },
    ];
    for (let n = 1; n <= 16; n += 1) expect((await send(server, step(n))).status).toBe(200);
    const { status, body } = await send(server, step(17));
    expect({ status, body }).toMatchObject({
      status: 413,
      body: {
        code: 'state_too_large',
        error: expect.stringContaining('the journal of the function would be larger than 32 MiB'),
      },
    });
    expect((await send(server, [], { parked_after: 0 })).status).toBe(200);
  });

  it('are refused if a cancelled question would be followed by another one, which has the state in the log as well', async () => {
    const server = await claimed();
    const ask = (operation: number) => ({ type: 'begin', operation, kind: 'approval', name: 'approval', message: 'Sure?' });
    const { status, body } = await send(server, [ask(1), ask(2), { type: 'cancel', operation: 1 }, ask(3)]);
    expect({ status, reason: (body as unknown as { reason: string }).reason }).toEqual({
      status: 409,
      reason: 'operations[3]: a question is asked by the same operations: the next one needs a commit of its own',
    });
    expect((await send(server, [ask(1), ask(2), { type: 'cancel', operation: 1 }])).status).toBe(200);
    expect((await send(server, [ask(3)])).status).toBe(200);
  });

  it('are refused if they are more than 1,000', async () => {
    const server = await claimed();
    expect(
      (
        await send(
          server,
          exposes(1, 1_001, () => ({})),
        )
      ).status,
    ).toBe(400);
  });

  it('are taken in no time if they are allowed, and can be replayed', async () => {
    const requests: readonly (readonly object[])[] = [
      [
        transition(
          1,
          fields(4_000, (n) => `/k${n}`),
        ),
      ],
      [
        transition(
          1,
          { '': { value: 'a', ...fields(4_000, (n) => `k${n}`) }, ...fields(2_000, (n) => `/k${n}`, 2) },
          Object.keys(fields(4_000, (n) => `/k${n}`)),
        ),
      ],
      [
        transition(
          1,
          fields(40, (n) => `/p${n}${'/a'.repeat(240)}`),
        ),
      ],
      Array.from({ length: 1_000 }, (_, n) =>
        transition(
          n + 1,
          fields(9, (m) => `/k${n}_${m}`),
        ),
      ),
      exposes(1, 1_000, (n) => fields(10, (m) => `k${n}_${m}`)),
    ];
    for (const request of requests) {
      const server = request.some((operation) => 'event' in operation) ? await machineClaimed() : await claimed();
      let status = 0;
      const tookMs = await longestTurnMs(async () => {
        status = (await send(server, request)).status;
      });
      expect(status).toBe(200);
      // Seconds, as long as each pointer and each operation copied the state.
      expect(tookMs).toBeLessThan(500);
      expect(Object.keys((await server.get(`/executions/${server.id}`)).body.state ?? {}).length).toBeGreaterThan(10);
      await server.close();
      expect((await replayAll(server.path)).differing).toEqual([]);
    }
  });

  it('leave a state that was asked about as it was', async () => {
    const server = await claimed();
    const ask = { type: 'begin', operation: 2, kind: 'approval', name: 'approval', message: 'Sure?' };
    await send(server, [...exposes(1, 1, () => ({ a: { b: 1 } })), ask, ...exposes(3, 1, () => ({ a: { b: 2 } }))]);
    const asked = (await server.log(server.id)).find(({ type }) => type === 'interrupt_raised');
    expect(asked?.data).toMatchObject({ state_for_review: { a: { b: 1 } } });
    expect((await server.get(`/executions/${server.id}`)).body.state).toEqual({ a: { b: 2 } });
  });
});
