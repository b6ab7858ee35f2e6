import { beforeEach, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { JamjetClient } from '../../src/client/index.ts';
import { sharedServer } from '../support/in-process-server.ts';
import * as minimal from '../support/minimal-workflows.ts';
import { claim, run, settled, timeline } from './recorded-calls.ts';

const server = sharedServer({ replays: true });
let client: JamjetClient;
beforeEach(() => {
  client = server().client;
});

/** Completes the next item of a queue as an external worker; returns its node and its input. */
async function work(queue: string, output: Json): Promise<{ node: string; payload: JsonObject }> {
  const { id, node_id, payload, lease_fence, execution_id } = await claim(client, queue);
  await client.completeWork(id, { output, lease_fence, execution_id, node_id });
  return { node: node_id, payload };
}

describe('the minimal workflow', () => {
  it('A, linear tools, runs with external workers', async () => {
    const id = await run(client, minimal.linear, { order_id: 7 });
    const fetch = await work('tool', { total: 30 });
    expect(fetch).toMatchObject({
      node: 'fetch',
      payload: {
        workflow_id: 'lin',
        workflow_version: '0.1.0',
        node_id: 'fetch',
        tool_ref: 'shop.fetch',
        input: { id: 7 },
        state: { order_id: 7 },
      },
    });
    const mail = await work('tool', { sent: true });
    expect(mail).toMatchObject({ node: 'mail', payload: { input: { order_id: 7, order: { total: 30 } } } });
    expect(await settled(client, id)).toMatchObject({
      status: 'completed',
      steps_executed: 2,
      state: { order_id: 7, order: { total: 30 }, sent: true },
      output: { sent: true },
    });
  });

  it.each([
    [{ amount: 2000 }, 'big'],
    [{ amount: 10, vip: true }, 'big'],
    [{ amount: 10 }, 'small'],
    [{}, 'small'],
  ])('B, condition routing, takes %j to %s', async (input, node) => {
    const id = await run(client, minimal.routing, input);
    const done = await work('python_tool', { node });
    expect(done).toMatchObject({ node, payload: { module: 'flows.pay', function: node, input } });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { ...input, node } });
    const other = node === 'big' ? 'small' : 'big';
    expect(await timeline(client, id)).toContain(`node_skipped ${other}`);
  });

  it.each([
    ['approved', 'ship'],
    ['rejected', 'revert'],
  ])('C, an approval that is %s, continues with %s', async (decision, node) => {
    const id = await run(client, minimal.approval);
    expect(await settled(client, id)).toMatchObject({ status: 'paused' });
    expect(await client.approvals(id)).toMatchObject({
      pending: [{ node_id: 'review', tool_name: 'human_approval', approver: 'human', context: { description: 'Release v2?' } }],
      decided: [],
    });
    expect(await client.approve(id, { decision, user_id: 'ann', comment: 'as agreed' })).toEqual({
      execution_id: id,
      node_id: 'review',
      accepted: true,
    });
    expect((await work('python_tool', {})).node).toBe(node);
    expect(await settled(client, id)).toMatchObject({
      status: 'completed',
      state: { review: { decision, approved: decision === 'approved', user_id: 'ann', comment: 'as agreed' } },
    });
    expect(await client.approvals(id)).toMatchObject({
      pending: [],
      decided: [{ node_id: 'review', status: decision, user_id: 'ann' }],
    });
  });

  it.each<[JsonObject, string]>([
    [{ amount: 50 }, 'fulfil'],
    [{ amount: 0 }, 'cancel'],
  ])('D, a wait for an event with %j, continues with %s', async (payload, node) => {
    const id = await run(client, minimal.payment);
    expect(await settled(client, id)).toMatchObject({ status: 'paused' });
    expect(await client.sendEvent(id, { key: 'payment-received', payload })).toMatchObject({ accepted: true, matched: true });
    expect((await work('python_tool', {})).node).toBe(node);
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: payload });
  });

  it('E, parallel and join, collects both branches', async () => {
    const id = await run(client, minimal.fan);
    const first = await work('python_tool', { one: 1 });
    const second = await work('python_tool', { two: 2 });
    expect([first.node, second.node].sort()).toEqual(['a', 'b']);
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { one: 1, two: 2 } });
    const merge = (await client.events(id)).find(({ type, node_id }) => type === 'node_completed' && node_id === 'merge');
    const output = first.node === 'a' ? [{ one: 1 }, { two: 2 }] : [{ two: 2 }, { one: 1 }];
    expect(merge?.data).toMatchObject({ output: { outputs: output } });
  });

  it('F, a subgraph, runs its child and maps its state', async () => {
    await client.registerWorkflow(minimal.linear);
    const id = await run(client, minimal.parent, { id: 9 });
    expect(await work('tool', { total: 1 })).toMatchObject({ node: 'fetch', payload: { input: { id: 9 } } });
    await work('tool', { sent: true });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { id: 9, order: { total: 1 } } });
    const { executions } = await client.executions({ parent_execution_id: id });
    expect(executions).toMatchObject([{ workflow_id: 'lin', status: 'completed' }]);
  });

  it('G, a model, says which key it needs', async () => {
    const id = await run(client, minimal.model, { query: 'Why?' });
    expect(await settled(client, id)).toMatchObject({ status: 'failed', error: expect.stringContaining('set OPENAI_API_KEY') });
  });

  it('H, an approval policy, defers the call until it is approved', async () => {
    const id = await run(client, minimal.guarded, { amount: 3 });
    expect(await client.execution(id)).toMatchObject({ status: 'running' });
    expect(await client.claimWork({ worker_id: 'w', queue_types: ['tool'] })).toEqual({ claimed: false });
    expect((await client.approvals(id)).pending).toMatchObject([{ node_id: 'pay', kind: 'tool', tool_name: 'payments.submit' }]);
    await client.approve(id, { decision: 'approved' });
    const item = await claim(client, 'tool');
    expect(item).toMatchObject({ node_id: 'pay', attempt: 0, max_attempts: 3 });
    await client.completeWork(item.id, { output: { paid: true }, lease_fence: item.lease_fence });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { amount: 3, paid: true } });
  });

  it('H, rejected, fails without a retry', async () => {
    const id = await run(client, minimal.guarded);
    await client.approve(id, { decision: 'rejected', user_id: 'bob', comment: 'too much' });
    expect(await settled(client, id)).toMatchObject({ status: 'failed', error: expect.stringContaining('pay') });
    const failed = (await client.events(id)).find(({ type }) => type === 'node_failed');
    expect(failed?.data).toMatchObject({ error: 'approval rejected by bob: too much', retryable: false });
    expect(await client.claimWork({ worker_id: 'w', queue_types: ['tool'] })).toEqual({ claimed: false });
  });
});
