import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { durable, durableMachine, workflow } from '../../../src/index.ts';
import { ir } from '../../support/ir.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api } from '../support/api.ts';

// What a token of role `worker` may do under the lease of a function.

const NOTHING = { operations: 0, results: 0, sequence: 0 };
const call = (target: string, operation = 1) => ({
  type: 'begin',
  operation,
  kind: 'call',
  name: target,
  workflow: target,
  input: { amount: 1_000_000 },
});
const transition = (value: unknown, more: object = {}) => ({
  type: 'transition',
  operation: 1,
  event: 'xstate.init',
  value,
  ...more,
});

/** An execution of the function `f`, whose item a worker has claimed. */
async function claimed(server: Api, document: JsonObject) {
  const id = await server.started(document);
  const claim = { worker_id: 'w1', queue_types: ['tool'], tools: ['f'] };
  const item = (await server.post('/work-items/claim', claim, { as: 'worker' })).body.work_item;
  const send = (operations: readonly object[], known: object = NOTHING) =>
    server.post(
      `/work-items/${item.id}/operations`,
      { lease_fence: item.lease_fence, worker_id: 'w1', known, operations },
      { as: 'worker' },
    );
  const childrenOf = async () => (await server.get(`/executions?parent_execution_id=${id}`)).body.executions;
  const state = async () => (await server.get(`/executions/${id}`)).body.state;
  return { ...server, id, item, send, childrenOf, state };
}

const refused = (reason: string) => ({
  status: 409,
  body: { acknowledged: false, code: 'conflict', reason: expect.stringContaining(reason) },
});

describe('the calls of a function in a worker', () => {
  const run = () => ({});
  const pay: JsonObject = ir('pay', { pay: { type: 'tool', tool_ref: 'pay' } }, [['pay', 'end']]);
  const paying = (policy: JsonObject) => ({ ...pay, policy });

  /** A server with the tool `pay`, and an execution of a function that calls the workflow `pay` only. */
  async function caller({
    calls,
    child = pay,
    tenantPolicy,
  }: {
    calls?: string[];
    child?: JsonObject;
    tenantPolicy?: JsonObject;
  }) {
    const paid: { readonly input: Json; readonly startedBy: string }[] = [];
    const server = await api({
      tools: {
        pay: (input, { startedBy }) => {
          paid.push({ input, startedBy: startedBy.actorId });
          return { receipt: 'r-1' };
        },
      },
    });
    await server.post('/workflows', { ir: child });
    if (tenantPolicy !== undefined)
      await server.call('PUT', '/tenants/default', { as: 'operator', body: { policy: tenantPolicy } });
    const { document } = durable({ id: 'f', ...(calls === undefined ? {} : { calls }), run });
    return { ...(await claimed(server, document)), paid };
  }

  it.each([{ calls: undefined }, { calls: [] }, { calls: ['ship', 'pa', 'pay.'] }])(
    'are refused unless the document has them: $calls',
    async ({ calls }) => {
      const { send, childrenOf, timeline, paid, id } = await caller(calls === undefined ? {} : { calls });
      expect(await send([call('pay')])).toMatchObject(
        refused(
          'operations[0]: the document does not say that the function calls workflow "pay": add it to `calls` of the function, and register the workflow again',
        ),
      );
      const step = { type: 'begin', operation: 1, kind: 'step', name: 'a' };
      expect(await send([step, call('pay', 2)])).toMatchObject(refused('operations[1]: the document does not say'));
      expect(await childrenOf()).toEqual([]);
      expect(await timeline(id)).toEqual(['workflow_started', 'node_scheduled run', 'node_started run']);
      expect(paid).toEqual([]);
    },
  );

  it('are those of the revision that the execution was started with', async () => {
    const { send, post, childrenOf } = await caller({});
    await post('/workflows', { ir: durable({ id: 'f', version: '2', calls: ['pay'], run }).document });
    expect((await send([call('pay')])).status).toBe(409);
    expect(await childrenOf()).toEqual([]);
  });

  it('are children like others: their events are of the runtime, and they have the starter of their caller', async () => {
    const { send, childrenOf, get, log, paid, id } = await caller({ calls: ['pay'] });
    expect((await send([call('pay')])).status).toBe(200);
    await eventually(async () => (await childrenOf())[0]?.status === 'completed');
    expect(paid).toEqual([{ input: { amount: 1_000_000 }, startedBy: 'developer' }]);
    const [child] = await childrenOf();
    const begun = (await log(id)).find(({ type }) => type === 'step_started');
    expect(begun).toMatchObject({ actorId: 'worker', onBehalfOf: 'w1', data: { kind: 'call', workflow_id: 'pay' } });
    const [started] = await log(String(child?.execution_id));
    expect(started).toMatchObject({ type: 'workflow_started', actorId: expect.stringMatching(/^runtime-/), onBehalfOf: null });
    const audit = await get(`/audit?execution_id=${child?.execution_id}`, { as: 'operator' });
    const actors = (audit.body as unknown as { items: { actor_id: string }[] }).items.map(({ actor_id }) => actor_id);
    expect(new Set(actors)).toEqual(new Set([started?.actorId]));
    // Said again, because the answer was lost.
    expect((await send([call('pay')])).status).toBe(200);
    expect(await childrenOf()).toHaveLength(1);
  });

  it.each([
    { by: 'its workflow', child: paying({ require_approval_for: ['pay'] }) },
    { by: 'the tenant', tenantPolicy: { require_approval_for: ['pay'] } },
  ])('wait for a person where a policy of $by says so, whom the worker cannot replace', async ({ by: _, ...policies }) => {
    const { send, childrenOf, post, timeline, paid } = await caller({ calls: ['pay'], ...policies });
    await send([call('pay')]);
    await eventually(async () => (await childrenOf()).length === 1);
    const child = (await childrenOf())[0]?.execution_id ?? '';
    await eventually(async () => (await timeline(child)).at(-1) === 'tool_approval_required pay');
    const decision = { decision: 'approved' };
    expect((await post(`/executions/${child}/approve`, decision, { as: 'worker' })).status).toBe(403);
    expect(paid).toEqual([]);
    expect((await post(`/executions/${child}/approve`, decision)).status).toBe(200);
    await eventually(() => paid.length === 1);
  });

  it.each([
    { by: 'its workflow', child: paying({ blocked_tools: ['pay'] }) },
    { by: 'the tenant', tenantPolicy: { blocked_tools: ['pay'] } },
  ])('fail where a policy of $by blocks a tool', async ({ by: _, ...policies }) => {
    const { send, childrenOf, timeline, paid, id } = await caller({ calls: ['pay'], ...policies });
    await send([call('pay')]);
    await eventually(async () => (await timeline(id)).includes('step_failed run'));
    expect((await childrenOf()).map(({ status }) => status)).toEqual(['failed']);
    expect(paid).toEqual([]);
  });
});

describe('the transitions of a machine in a worker', () => {
  const machine = createMachine({
    initial: 'idle',
    states: {
      idle: {},
      busy: { type: 'parallel', states: { left: { initial: 'a', states: { a: {}, b: {}, h: { type: 'history' } } }, right: {} } },
      over: { type: 'final' },
    },
  });
  const { document } = durableMachine(machine, { id: 'f' });
  const snapshot = (value: Json) => ({ set: { '': { status: 'active', value, context: {}, children: {} } }, removed: [] });

  it('have the state values of the machine', async () => {
    const server = await claimed(await api(), document);
    for (const value of ['away', 'busy', '', '__proto__', 'constructor', {}, { idle: {} }, { busy: { left: 'a' } }, [], null, 7])
      expect(await server.send([transition(value)])).toMatchObject(
        refused('operations[0]: the machine of the document has no state value'),
      );
    for (const value of [
      { left: 'h', right: {} },
      { left: 'a', right: 'a' },
      { left: 'a', right: {}, more: {} },
    ])
      expect((await server.send([transition({ busy: value })])).status).toBe(409);
    const exposed = { type: 'begin', operation: 1, kind: 'expose', name: 'expose', exposed: { value: 'away' } };
    expect(await server.send([exposed])).toMatchObject(
      refused('the function runs a state machine, which has no operations of kind expose'),
    );
    expect(await server.timeline(server.id)).toHaveLength(3);
    const idle = await server.send([transition('idle', { snapshot: snapshot('idle') })]);
    expect(idle.status).toBe(200);
    const busy = { busy: { left: 'b', right: {} } };
    const next = transition(busy, { operation: 2, snapshot: { set: { '/value': busy }, removed: [] } });
    expect((await server.send([next])).status).toBe(200);
    expect(await server.state()).toMatchObject({ value: busy });
    // Said again, because the answers were lost.
    expect((await server.send([transition('idle', { snapshot: snapshot('idle') }), next])).status).toBe(200);
    expect(await server.state()).toMatchObject({ value: busy });
  });

  it('leave no other state value in the snapshot', async () => {
    const server = await claimed(await api(), document);
    const value = { busy: { left: 'a', right: {} } };
    for (const wrong of ['away', null, { busy: {} }])
      expect(await server.send([transition(value, { snapshot: snapshot(wrong) })])).toMatchObject(
        refused('which the snapshot would have'),
      );
    await server.send([transition(value, { snapshot: snapshot(value) })]);
    const changes = [
      { set: { '/value/busy/left': 'c' }, removed: [] },
      { set: {}, removed: ['/value/busy/right'] },
      { set: { '/value/over': {} }, removed: [] },
      { set: {}, removed: ['/value'] },
    ];
    for (const change of changes)
      expect((await server.send([transition(value, { operation: 2, snapshot: change })])).status).toBe(409);
    expect(await server.state()).toMatchObject({ value });
    const moved = { set: { '/value/busy/left': 'b' }, removed: [] };
    expect((await server.send([transition({ busy: { left: 'b', right: {} } }, { operation: 2, snapshot: moved })])).status).toBe(
      200,
    );
  });

  it('are none of a function that runs no machine', async () => {
    const server = await claimed(await api(), durable({ id: 'f', run: () => ({}) }).document);
    expect(await server.send([transition('idle', { actor: 'child' })])).toMatchObject(
      refused('a transition is one of a state machine, and the document has no `machine` for the function'),
    );
  });

  it('are known where a graph has the machine as a node, by its definition', async () => {
    const nodes = {
      run: { type: 'durable_function', function: durableMachine(machine, { id: 'f' }), outputKey: 'lamp' },
    } as const;
    const server = await claimed(await api(), workflow({ id: 'graph', version: '1', nodes }).document);
    expect((await server.send([transition('away')])).status).toBe(409);
    expect((await server.send([transition('idle', { snapshot: snapshot('idle') })])).status).toBe(200);
    expect(await server.state()).toMatchObject({ lamp: { value: 'idle' } });
  });
});
