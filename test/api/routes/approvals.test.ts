import { describe, expect, it } from 'vitest';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';
import { api, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';

const TWO = {
  workflow_id: 'two',
  version: '1',
  start_node: 'split',
  nodes: {
    split: { kind: { type: 'parallel', branches: ['a', 'b'] } },
    a: { kind: { type: 'human_approval' } },
    b: { kind: { type: 'human_approval' } },
  },
  edges: [
    { from: 'a', to: 'end' },
    { from: 'b', to: 'end' },
  ],
};

describe('POST /executions/:id/approve', () => {
  it('requires only a decision', async () => {
    const { started, post, get } = await api();
    const id = await started(REVIEW);
    const { status, body } = await post(`/executions/${id}/approve`, { decision: 'approved' });
    expect([status, body]).toEqual([200, { execution_id: id, node_id: 'review', accepted: true }]);
    expect((await get(`/executions/${id}`)).body).toMatchObject({
      status: 'completed',
      state: { review: { decision: 'approved', approved: true, user_id: 'developer' } },
    });
  });

  it('accepts every field of the reference', async () => {
    const { started, post, get } = await api();
    const id = await started(REVIEW);
    await post(`/executions/${id}/approve`, {
      decision: 'approved',
      node_id: 'review',
      user_id: 'user-42',
      comment: 'Looks good, proceed.',
      state_patch: { priority: 'high' },
    });
    expect((await get(`/executions/${id}`)).body.state).toMatchObject({
      priority: 'high',
      review: { user_id: 'user-42', comment: 'Looks good, proceed.' },
    });
  });

  it('records the token that decides, and the user_id of the body beside it', async () => {
    const it = await api();
    const { started, post, get } = it;
    const id = await started(REVIEW);
    const mallory = { headers: { authorization: `Bearer ${await it.token('developer', { name: 'mallory' })}` }, as: null };
    await post(`/executions/${id}/approve`, { decision: 'approved', user_id: 'cfo', comment: 'paid' }, mallory);
    expect((await get(`/executions/${id}/approvals`)).body.decided).toMatchObject([
      { node_id: 'review', user_id: 'cfo', actor_id: 'mallory', on_behalf_of: 'cfo' },
    ]);
    for (const format of ['seed', 'tagged']) {
      const { events } = (await get(`/executions/${id}/events?kind=approval_received&format=${format}`)).body;
      expect(events, format).toMatchObject([{ actor_id: 'mallory', on_behalf_of: 'cfo' }]);
    }
    expect((await get(`/executions/${id}`)).body.state).toMatchObject({ review: { user_id: 'cfo' } });
    for (const actor of ['mallory', 'cfo']) {
      const { items } = (await get(`/audit?actor_id=${actor}&event_type=approval_received`)).body as unknown as {
        items: unknown[];
      };
      expect(items, actor).toMatchObject([
        {
          actor_id: 'mallory',
          actor_type: 'human',
          actor_role: 'developer',
          actor_token_id: expect.any(String),
          on_behalf_of: 'cfo',
        },
      ]);
    }
  });

  it('names in the error of the execution who rejected it, and why', async () => {
    const it = await api();
    for (const [comment, why] of [
      ['too much', ': too much'],
      [undefined, ''],
    ] as const) {
      const id = await it.started(REVIEW);
      await it.post(`/executions/${id}/approve`, { decision: 'rejected', ...(comment === undefined ? {} : { comment }) });
      const { body } = await it.get(`/executions/${id}`);
      expect([body.error, body.detail]).toEqual([`review: rejected by developer${why}`, body.error]);
      const { events } = (await it.get(`/executions/${id}/events?kind=workflow_failed`)).body;
      expect(events[0]?.data.error).toBe('node(s) failed terminally: review');
      const { executions } = (await it.get('/executions')).body;
      expect(executions.find((item) => item.execution_id === id)).toMatchObject({ error: body.error });
    }
  });

  it('names in the error who rejected it and on whose behalf', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    await it.post(`/executions/${id}/approve`, { decision: 'rejected', user_id: 'cfo', comment: 'no' });
    const error = 'review: rejected by developer on behalf of cfo: no';
    expect((await it.get(`/executions/${id}`)).body.error).toBe(error);
    await it.close();
    expect(await replayAll(it.path)).toEqual({ compared: 1, differing: [] });
    expect(await (await openTestRuntime({ path: it.path })).settled(id)).toMatchObject({ error });
  });

  it('names every node that failed it, also one that failed before a restart', async () => {
    const it = await api();
    const id = await it.started(TWO);
    await it.post(`/executions/${id}/approve`, { decision: 'rejected', node_id: 'a', comment: 'no' });
    await it.close();
    const again = await openTestRuntime({ path: it.path });
    await again.runtime.approve(CALLER, id, { decision: 'rejected', nodeId: 'b' });
    const error = 'a: rejected by developer: no; b: rejected by tester';
    expect(await again.settled(id)).toMatchObject({ status: 'failed', error });
    await again.close();
    expect(await replayAll(it.path)).toEqual({ compared: 1, differing: [] });
    expect(await (await openTestRuntime({ path: it.path })).settled(id)).toMatchObject({ error });
  });

  it('has no on_behalf_of without a user_id, or with the name of the token', async () => {
    const { started, post, get } = await api();
    for (const user of [{}, { user_id: 'developer' }]) {
      const id = await started(REVIEW);
      await post(`/executions/${id}/approve`, { decision: 'approved', ...user });
      const [decided] = (await get(`/executions/${id}/approvals`)).body.decided;
      expect(decided).toMatchObject({ user_id: 'developer', actor_id: 'developer' });
      expect(decided).not.toHaveProperty('on_behalf_of');
      const [event] = (await get(`/executions/${id}/events?kind=approval_received`)).body.events;
      expect(event).toMatchObject({ actor_id: 'developer', data: { user_id: 'developer' } });
      expect(event).not.toHaveProperty('on_behalf_of');
    }
  });

  it('counts empty and null fields as absent', async () => {
    const { started, post } = await api();
    const id = await started(REVIEW);
    const body = { decision: 'approved', node_id: '', user_id: null, comment: null, state_patch: null };
    expect((await post(`/executions/${id}/approve`, body)).body.node_id).toBe('review');
  });

  it('accepts a rejection too', async () => {
    const { started, post } = await api();
    const id = await started(REVIEW);
    expect((await post(`/executions/${id}/approve`, { decision: 'rejected' })).body.accepted).toBe(true);
  });

  it('accepts exactly one of two concurrent decisions', async () => {
    const { started, post } = await api();
    const id = await started(REVIEW);
    const replies = await Promise.all([
      post(`/executions/${id}/approve`, { decision: 'approved' }),
      post(`/executions/${id}/approve`, { decision: 'rejected' }),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('refuses an unknown decision', async () => {
    const { started, post } = await api();
    const { status, body } = await post(`/executions/${await started(REVIEW)}/approve`, { decision: 'maybe' });
    expect([status, body.error]).toEqual([400, 'bad request: unknown decision: maybe']);
  });

  it('refuses a node without a pending approval', async () => {
    const { started, post } = await api();
    const { status, body } = await post(`/executions/${await started(REVIEW)}/approve`, { decision: 'approved', node_id: 'x' });
    expect([status, body.error]).toEqual([409, "conflict: node 'x' has no pending approval (unknown or already decided)"]);
  });

  it('must name the node if several approvals are pending', async () => {
    const { started, post } = await api();
    const id = await started(TWO);
    const { status, body } = await post(`/executions/${id}/approve`, { decision: 'approved' });
    expect([status, body.error]).toEqual([400, 'bad request: multiple approvals pending (a, b); specify node_id']);
    expect((await post(`/executions/${id}/approve`, { decision: 'approved', node_id: 'b' })).status).toBe(200);
  });

  it('refuses an execution that has ended', async () => {
    const { started, post } = await api();
    const id = await started(REVIEW);
    await post(`/executions/${id}/cancel`);
    const { status, body } = await post(`/executions/${id}/approve`, { decision: 'approved' });
    expect([status, body.error]).toEqual([409, 'conflict: execution is cancelled; approvals can no longer be decided']);
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [{}, { decision: true }, { decision: 'approved', node_id: 5 }, { decision: 'approved', comment: {} }]) {
      expect((await post(`/executions/${UNKNOWN_EXECUTION}/approve`, body)).status, JSON.stringify(body)).toBe(400);
    }
  });

  it('returns 404 for unknown executions', async () => {
    const { post } = await api();
    expect((await post(`/executions/${UNKNOWN_EXECUTION}/approve`, { decision: 'approved' })).status).toBe(404);
  });
});

describe('GET /executions/:id/approvals', () => {
  it('lists pending and decided approvals by node', async () => {
    const { started, post, get } = await api();
    const id = await started(TWO);
    expect((await get(`/executions/${id}/approvals`)).body).toMatchObject({
      pending: [
        { node_id: 'a', kind: 'human_approval', tool_name: 'human_approval', approver: 'human', context: {} },
        { node_id: 'b', requested_at: expect.stringMatching(/Z$/), sequence: expect.any(Number) },
      ],
      decided: [],
    });
    await post(`/executions/${id}/approve`, { decision: 'rejected', node_id: 'b', comment: 'no' });
    const { body } = await get(`/executions/${id}/approvals`);
    expect(body.pending).toMatchObject([{ node_id: 'a' }]);
    expect(body.decided).toMatchObject([
      { node_id: 'b', status: 'rejected', user_id: 'developer', comment: 'no', decided_at: expect.stringMatching(/Z$/) },
    ]);
  });

  it('returns 404 for unknown executions', async () => {
    const { get } = await api();
    expect((await get(`/executions/${UNKNOWN_EXECUTION}/approvals`)).status).toBe(404);
  });
});
