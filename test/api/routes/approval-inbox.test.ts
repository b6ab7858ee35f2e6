import { describe, expect, it } from 'vitest';
import type { ApprovalList } from '../../../src/api/operations/approvals.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api, REVIEW } from '../support/api.ts';
import { asTenant, createTenant } from '../support/tenants.ts';

const HELD = {
  workflow_id: 'held',
  version: '1',
  nodes: { pay: { kind: { type: 'tool', tool_ref: 'pay' }, policy: { require_approval_for: ['pay'] } } },
  edges: [{ from: 'pay', to: 'end' }],
};
const TIMED = {
  workflow_id: 'timed',
  version: '1',
  nodes: { ask: { kind: { type: 'human_approval', description: 'Refund {{ state.amount }}?', timeout_secs: 60 } } },
  edges: [{ from: 'ask', to: 'end' }],
};
const tools = { pay: () => ({ paid: true }) };

async function list({ get }: Pick<Api, 'get'>, query = ''): Promise<ApprovalList> {
  const { status, body } = await get(`/approvals${query}`);
  if (status !== 200) throw new Error(body.error);
  return body as unknown as ApprovalList;
}

const nodes = ({ approvals }: ApprovalList) => approvals.map(({ execution_id, node_id }) => [execution_id, node_id]);

describe('GET /approvals', () => {
  it('lists what nodes and policies ask for, the longest wait first', async () => {
    const bench = await api({ tools });
    const held = await bench.started(HELD, { amount: 7 });
    bench.clock.advance(1_000);
    const timed = await bench.started(TIMED, { amount: 7 });
    const { approvals, next_cursor, limit } = await list(bench);
    expect({ next_cursor, limit }).toEqual({ next_cursor: null, limit: 50 });
    const [first, second] = approvals;
    expect(first).toMatchObject({
      execution_id: held,
      workflow_id: 'held',
      node_id: 'pay',
      activation: 1,
      kind: 'tool',
      tool_name: 'pay',
      message: 'Run pay?',
      state_for_review: { amount: 7 },
      expires_at: null,
      status: 'pending',
    });
    expect(second).toMatchObject({
      execution_id: timed,
      node_id: 'ask',
      kind: 'human_approval',
      message: 'Refund 7?',
      state_for_review: { amount: 7 },
      status: 'pending',
    });
    expect(Date.parse(second?.expires_at ?? '') - Date.parse(second?.waiting_since ?? '')).toBe(60_000);
    expect(nodes(await list(bench, '?workflow_id=timed'))).toEqual([[timed, 'ask']]);
    expect((await list(bench, '?include_state=false')).approvals[0]).not.toHaveProperty('state_for_review');
  });

  it('lists decisions, the last first, and leaves out what timed out or was cancelled', async () => {
    const bench = await api({ tools });
    const ids: string[] = [];
    for (const document of [REVIEW, HELD, TIMED, TIMED]) ids.push(await bench.started(document, { amount: 7 }));
    const [review = '', held = '', cancelled = '', timed = ''] = ids;
    await bench.post(`/executions/${review}/approve`, { decision: 'rejected', user_id: 'cfo', comment: 'no' });
    bench.clock.advance(1_000);
    await bench.post(`/executions/${held}/approve`, { decision: 'approved' });
    await bench.post(`/executions/${cancelled}/cancel`, {});
    expect(nodes(await list(bench))).toEqual([[timed, 'ask']]);
    expect((await bench.get('/approvals/counts')).body).toEqual({ pending: 1 });
    expect((await bench.get('/approvals/counts?workflow_id=held')).body).toEqual({ pending: 0 });
    bench.clock.advance(60_000);
    await eventually(async () => (await list(bench)).approvals.length === 0);
    const { approvals } = await list(bench, '?status=decided');
    expect(approvals).toMatchObject([
      { execution_id: held, node_id: 'pay', status: 'approved', user_id: 'developer', comment: null },
      { execution_id: review, node_id: 'review', status: 'rejected', user_id: 'cfo', on_behalf_of: 'cfo', comment: 'no' },
    ]);
    expect(nodes(await list(bench, '?status=decided&workflow_id=held'))).toEqual([[held, 'pay']]);
  });

  it('continues with a cursor', async () => {
    const bench = await api();
    const ids = [await bench.started(REVIEW), await bench.started(REVIEW), await bench.started(REVIEW)];
    const first = await list(bench, '?limit=2');
    const second = await list(bench, `?limit=2&cursor=${first.next_cursor}`);
    expect([...nodes(first), ...nodes(second)].map(([id]) => id)).toEqual(ids);
    expect(second.next_cursor).toBeNull();
  });

  it.each(['status=open', 'cursor=abc', 'cursor=bm8', 'limit=0'])('refuses %s', async (query) => {
    expect((await (await api()).get(`/approvals?${query}`)).status).toBe(400);
  });

  it('shows a tenant its own', async () => {
    const bench = await api();
    await bench.started(REVIEW);
    await createTenant(bench, 'acme');
    expect((await bench.get('/approvals', await asTenant(bench, 'acme'))).body).toMatchObject({ approvals: [] });
    expect((await bench.get('/approvals/counts', await asTenant(bench, 'acme'))).body).toEqual({ pending: 0 });
    expect((await bench.get('/approvals', { as: null })).status).toBe(401);
  });

  it('asks a fork again, and lists none of the decisions that it copies', async () => {
    const bench = await api({ tools });
    const id = await bench.started(REVIEW);
    await bench.post(`/executions/${id}/approve`, { decision: 'approved' });
    const { sequence } = (await bench.get(`/executions/${id}/approvals`)).body.decided[0] ?? { sequence: 0 };
    const fork = await bench.post(`/executions/${id}/fork`, { at_sequence: sequence - 1 });
    expect(nodes(await list(bench))).toEqual([[fork.body.execution_id, 'review']]);
    expect(nodes(await list(bench, '?status=decided'))).toEqual([[id, 'review']]);
  });
});
