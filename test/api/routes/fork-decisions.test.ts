import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { replayAll } from '../../support/replay-all.ts';
import { type Api, api, EXTERNAL } from '../support/api.ts';
import { json, sequenceOf, work } from '../support/history.ts';
import { OPERATOR } from '../support/tenants.ts';

/** Waits for an approval, then pays. */
const PAY = {
  workflow_id: 'pay',
  version: '1',
  nodes: {
    ask: { kind: { type: 'human_approval', description: 'Pay {{ state.amount }}?' } },
    pay: { kind: { type: 'python_fn', module: 'm', function: 'pay' } },
  },
  edges: [
    { from: 'ask', to: 'pay' },
    { from: 'pay', to: 'end' },
  ],
};

async function fork(it: Api, id: string, body: JsonObject, options = {}): Promise<[number, JsonObject]> {
  return json(it.post(`/executions/${id}/fork`, body, options)) as Promise<[number, JsonObject]>;
}

/** An execution approved for 10 whose payment waits for a worker. */
async function approved(it: Api): Promise<{ id: string; at: number }> {
  const id = await it.started(PAY, { amount: 10 });
  await it.post(`/executions/${id}/approve`, { decision: 'approved', user_id: 'ann' });
  return { id, at: await sequenceOf(it, id) };
}

const DECISION = {
  node_id: 'ask',
  sequence: 4,
  decision: 'approved',
  user_id: 'ann',
  actor_id: 'developer',
  last_free_sequence: 3,
};

describe('a fork before a decision', () => {
  it('asks again, with the patched state', async () => {
    const it = await api();
    const id = await it.started(PAY, { amount: 10 });
    const [status, forked] = await fork(it, id, { at_sequence: 3, state_patch: { amount: 1_000_000 } });
    expect(status).toBe(201);
    const name = String(forked.execution_id);
    const { pending } = (await it.get(`/executions/${name}/approvals`)).body;
    const { events } = (await it.get(`/executions/${name}/events`)).body;
    expect(pending).toMatchObject([{ node_id: 'ask', context: { description: 'Pay 1000000?' }, sequence: 5 }]);
    expect(events.at(-1)).toMatchObject({
      sequence: 5,
      type: 'interrupt_raised',
      data: { description: 'Pay 1000000?', state_for_review: { amount: 1_000_000 } },
    });
    expect((await it.get(`/executions/${id}/approvals`)).body.pending).toMatchObject([{ context: { description: 'Pay 10?' } }]);
    await it.post(`/executions/${name}/approve`, { decision: 'approved' });
    await it.close();
    expect(await replayAll(it.path)).toEqual({ compared: 2, differing: [] });
  });
});

describe('a fork behind a decision', () => {
  it('is refused if the person would have seen something else, and names a sequence at which it is not', async () => {
    const it = await api();
    const { id, at } = await approved(it);
    const patched = { at_sequence: at, state_patch: { amount: 1_000_000 } };
    const [status, body] = await fork(it, id, patched);
    expect([status, body]).toEqual([
      409,
      {
        error: expect.stringContaining("developer approved node 'ask' (sequence 4) on something else than the patched state"),
        code: 'decision_would_change',
        decisions: [{ ...DECISION, would_change: true }],
      },
    ]);
    expect((await it.get('/executions')).body.executions).toHaveLength(1);
    const [there, free] = await fork(it, id, { ...patched, at_sequence: 3 });
    expect(there).toBe(201);
    expect((await it.get(`/executions/${free.execution_id}/approvals`)).body).toMatchObject({
      pending: [{ context: { description: 'Pay 1000000?' } }],
      decided: [],
    });
  });

  it('is checked by a dry run', async () => {
    const it = await api();
    const { id, at } = await approved(it);
    const patched = { at_sequence: at, state_patch: { amount: 1_000_000 } };
    for (const [url, body] of [
      [`/executions/${id}/fork?dry_run=true`, patched],
      [`/executions/${id}/fork`, { ...patched, dry_run: true }],
    ] as const) {
      const [status, reply] = await json(it.post(url, body));
      expect([status, reply]).toEqual([
        200,
        { forked_from: { execution_id: id, sequence: at }, fits: true, decisions: [{ ...DECISION, would_change: true }] },
      ]);
    }
    const [, same] = await fork(it, id, { at_sequence: at, dry_run: true });
    expect(same.decisions).toEqual([{ ...DECISION, would_change: false }]);
  });

  it.each([
    ['nothing', {}],
    ['what is there already', { amount: 10 }],
    ['what is not there anyway', { other: null }],
  ])('is accepted if the patch changes %s, and lists the copied decisions', async (_, state_patch) => {
    const it = await api();
    const { id, at } = await approved(it);
    const [status, forked] = await fork(it, id, { at_sequence: at, state_patch });
    expect(status).toBe(201);
    const { events } = (await it.get(`/executions/${forked.execution_id}/events?type=workflow_forked`)).body;
    expect(events[0]?.data).toMatchObject({ decisions: [{ node_id: 'ask', sequence: 4, user_id: 'ann' }] });
    expect(events[0]?.data).not.toHaveProperty('keep_decisions');
  });

  it.each([
    ['the decision itself', { ask: { approved: false } }],
    ['something new', { note: 'x' }],
    ['a part of it', { amount: null }],
  ])('is refused if the patch changes %s', async (_, state_patch) => {
    const it = await api();
    const { id, at } = await approved(it);
    expect(await fork(it, id, { at_sequence: at, state_patch })).toMatchObject([409, { code: 'decision_would_change' }]);
  });

  it('can be forced by operators, which is recorded', async () => {
    const it = await api();
    const { id, at } = await approved(it);
    const patched = { at_sequence: at, state_patch: { amount: 1_000_000 }, keep_decisions: true };
    expect(await fork(it, id, patched)).toMatchObject([403, { code: 'forbidden', required: 'operator' }]);
    expect(await fork(it, id, { ...patched, dry_run: true })).toMatchObject([403, {}]);
    const [status, forked] = await fork(it, id, patched, OPERATOR);
    expect(status).toBe(201);
    const query = `/audit?execution_id=${forked.execution_id}&event_type=workflow_forked`;
    const { items } = (await it.get(query)).body as unknown as { items: unknown[] };
    expect(items).toMatchObject([
      {
        actor_id: 'operator',
        actor_role: 'operator',
        raw_event: {
          keep_decisions: true,
          decisions: [{ node_id: 'ask', sequence: 4, user_id: 'ann', would_change: true }],
          state_patch: { amount: 1_000_000 },
        },
      },
    ]);
    await work(it, { paid: true });
    await it.close();
    expect(await replayAll(it.path)).toEqual({ compared: 2, differing: [] });
  });

  it('compares with what the person saw, not with the state since', async () => {
    const it = await api();
    const first = { kind: { type: 'python_fn', module: 'm', function: 'first', output_key: 'total' } };
    const id = await it.started({
      ...PAY,
      workflow_id: 'totals',
      nodes: { first, ask: { kind: { type: 'human_approval', description: 'Pay {{ state.total }}?' } }, pay: PAY.nodes.pay },
      edges: [{ from: 'first', to: 'ask' }, ...PAY.edges],
    });
    await work(it, 10);
    await it.post(`/executions/${id}/approve`, { decision: 'approved' });
    await work(it, { total: 20 });
    const end = await sequenceOf(it, id);
    // Before the payment was reported, the state was what the person saw: 10.
    const at = end - 2;
    expect(await fork(it, id, { at_sequence: at, state_patch: { total: 20 } })).toMatchObject([
      409,
      { decisions: [{ node_id: 'ask', would_change: true }] },
    ]);
    expect((await fork(it, id, { at_sequence: at, state_patch: { total: 10 } }))[0]).toBe(201);
  });

  it('compares the input of a tool for the approval of a tool', async () => {
    const it = await api();
    const kind = { type: 'tool', tool_ref: 'bank.pay', input_mapping: { sum: '{{ state.amount }}' } };
    const id = await it.started(
      {
        workflow_id: 'held',
        version: '1',
        nodes: { pay: { kind, policy: { require_approval_for: ['bank.*'] } } },
        edges: [{ from: 'pay', to: 'end' }],
      },
      { amount: 10, note: 'a' },
    );
    await it.post(`/executions/${id}/approve`, { decision: 'approved' });
    const at = await sequenceOf(it, id);
    expect(await fork(it, id, { at_sequence: at, state_patch: { amount: 11 } })).toMatchObject([
      409,
      { decisions: [{ node_id: 'pay', last_free_sequence: 2 }] },
    ]);
    expect((await fork(it, id, { at_sequence: at, state_patch: { note: 'b' } }))[0]).toBe(201);
  });

  it('compares the input of a child execution for decisions in the child', async () => {
    const it = await api();
    await it.post('/workflows', { ir: PAY });
    const inner = { type: 'subgraph', workflow_ref: 'pay', input_mapping: { amount: '{{ state.amount }}' } };
    const id = await it.started(
      {
        workflow_id: 'outer',
        version: '1',
        nodes: { inner: { kind: inner }, last: EXTERNAL.nodes.work },
        edges: [
          { from: 'inner', to: 'last' },
          { from: 'last', to: 'end' },
        ],
      },
      { amount: 10, note: 'a' },
    );
    await it.settled(id);
    const [child] = (await it.get(`/executions?parent_execution_id=${id}`)).body.executions;
    const childId = String(child?.execution_id);
    await it.post(`/executions/${childId}/approve`, { decision: 'approved' });
    await work(it, { paid: true });
    await it.settled(childId);
    const { events } = (await it.get(`/executions/${id}/events?type=child_workflow_completed&wait_ms=5000`)).body;
    const ended = events[0]?.sequence ?? 0;
    const at = await sequenceOf(it, id);
    expect(await fork(it, id, { at_sequence: at, state_patch: { amount: 11 } })).toMatchObject([
      409,
      { decisions: [{ execution_id: childId, node_id: 'ask', would_change: true, last_free_sequence: ended - 1 }] },
    ]);
    expect((await fork(it, id, { at_sequence: at, state_patch: { note: 'b' } }))[0]).toBe(201);
    const [status, forked] = await fork(it, id, { at_sequence: ended - 1, state_patch: { amount: 11 } });
    expect(status).toBe(201);
    await it.settled(String(forked.execution_id));
    const [again] = (await it.get(`/executions?parent_execution_id=${forked.execution_id}`)).body.executions;
    expect((await it.get(`/executions/${again?.execution_id}/approvals`)).body.pending).toMatchObject([
      { context: { description: 'Pay 11?' } },
    ]);
  });
});
