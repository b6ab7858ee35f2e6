import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/client/index.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { ir, python, tool } from '../support/ir.ts';
import { temporaryFolder } from '../support/server.ts';
import { claim, eventually, refusal, run, settled, timeline } from './recorded-calls.ts';

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const server = sharedServer({ tools, replays: true });
const logs = temporaryFolder();

/** Makes calls concurrently; returns their statuses in ascending order. */
async function statuses(calls: readonly Promise<unknown>[]): Promise<number[]> {
  const settledCalls = await Promise.allSettled(calls);
  const codes = settledCalls.map((outcome) => {
    if (outcome.status === 'fulfilled') return 200;
    if (outcome.reason instanceof ApiError) return outcome.reason.status;
    throw outcome.reason;
  });
  return codes.sort();
}

const count = async (id: string, what: string): Promise<number> =>
  (await timeline(server().client, id)).filter((line) => line === what).length;

const review = ir('review', { ask: { type: 'human_approval', description: 'ok?' } }, [
  ['ask', 'end', "output.decision == 'approved'"],
  ['ask', 'end', "output.decision == 'rejected'"],
]);
const waiting = ir('waiting', { paid: { type: 'wait', condition: 'external_event', correlation_key: 'paid' } }, [
  ['paid', 'end'],
]);

describe('concurrent requests', () => {
  it('accept one of two decisions, and refuse the other with a conflict', async () => {
    const { client } = server();
    for (let round = 0; round < 20; round += 1) {
      const id = await run(client, review);
      await settled(client, id);
      expect(
        await statuses([client.approve(id, { decision: 'approved' }), client.approve(id, { decision: 'rejected' })]),
      ).toEqual([200, 409]);
      expect(await count(id, 'approval_received ask')).toBe(1);
      expect(await settled(client, id)).toMatchObject({ status: 'completed' });
    }
  });

  it('accept one of many decisions', async () => {
    const { client } = server();
    const id = await run(client, review);
    await settled(client, id);
    const codes = await statuses(
      Array.from({ length: 20 }, (_, n) => client.approve(id, { decision: n % 2 === 0 ? 'approved' : 'rejected' })),
    );
    expect(codes).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
  });

  it('give an item to one worker, and settle it once', async () => {
    const { client } = server();
    const id = await run(client, ir('one-item', { work: python('work', { output_key: 'result' }) }, [['work', 'end']]));
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => client.claimWork({ worker_id: `w${n}`, queue_types: ['python_tool'] })),
    );
    const items = claims.flatMap(({ work_item }) => (work_item === undefined ? [] : [work_item]));
    expect(items).toHaveLength(1);
    const [item] = items;
    if (item === undefined) return;
    const settle = Array.from({ length: 10 }, (_, n) =>
      client.completeWork(item.id, { output: n, lease_fence: item.lease_fence }),
    );
    expect(await statuses(settle)).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect(await settled(client, id)).toMatchObject({ status: 'completed' });
    expect(await count(id, 'node_completed work')).toBe(1);
  });

  it('create one execution for starts with the same key', async () => {
    const { client } = server();
    await client.registerWorkflow(waiting);
    const started = await Promise.all(
      Array.from({ length: 10 }, () =>
        client.start({ workflow_id: 'waiting', labels: { race: 'start' } }, { idempotencyKey: 'once' }),
      ),
    );
    expect(new Set(started.map(({ execution_id }) => execution_id)).size).toBe(1);
    const { executions } = await client.executions({ workflow_id: 'waiting', limit: 100 });
    expect(executions.filter(({ labels }) => labels.race === 'start')).toHaveLength(1);
  });

  it('count events with the same key once, and all events without a key', async () => {
    const { client } = server();
    const id = await run(
      client,
      ir('two-waits', { one: { type: 'wait', correlation_key: 'k' }, two: { type: 'wait', correlation_key: 'k' } }, [
        ['one', 'two'],
        ['two', 'end'],
      ]),
    );
    await settled(client, id);
    await Promise.all(
      Array.from({ length: 5 }, () => client.sendEvent(id, { key: 'k', payload: { n: 1 } }, { idempotencyKey: 'same' })),
    );
    expect(await settled(client, id)).toMatchObject({ status: 'paused' });
    expect(await count(id, 'external_event_received')).toBe(1);
    await client.sendEvent(id, { key: 'k', payload: { n: 2 } });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { n: 2 } });
  });

  it('agree on one outcome of cancel and complete', async () => {
    const { client } = server();
    const document = ir('cancel-or-complete', { work: python('work') }, [['work', 'end']]);
    for (let round = 0; round < 20; round += 1) {
      const id = await run(client, document);
      const item = await claim(client, 'python_tool');
      const [completion, cancellation] = await Promise.allSettled([
        client.completeWork(item.id, { output: { done: true }, lease_fence: item.lease_fence }),
        client.cancel(id),
      ]);
      const { status } = await settled(client, id);
      const outcome = [completion.status, cancellation.status, status];
      expect([
        ['fulfilled', 'rejected', 'completed'],
        ['rejected', 'fulfilled', 'cancelled'],
      ]).toContainEqual(outcome);
      expect((await timeline(client, id)).filter((line) => /^workflow_(?!started)/.test(line))).toEqual([`workflow_${status}`]);
    }
  });
});

describe('an external event', () => {
  it('that is sent before its wait completes the wait when it is reached', async () => {
    const { client } = server();
    const id = await run(
      client,
      ir('early', { work: python('work'), paid: { type: 'wait', event: 'paid' } }, [
        ['work', 'paid'],
        ['paid', 'end'],
      ]),
    );
    expect(await client.sendEvent(id, { key: 'paid', payload: { amount: 5 } })).toMatchObject({
      accepted: true,
      matched: false,
      buffered: true,
    });
    expect(await client.execution(id)).toMatchObject({ status: 'running' });
    const item = await claim(client, 'python_tool');
    await client.completeWork(item.id, { output: {}, lease_fence: item.lease_fence });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { amount: 5 } });
  });

  it('that is sent while its wait is being reached completes the wait', async () => {
    const { client } = server();
    const document = ir('meeting', { work: tool('echo', { input_mapping: { a: 1 } }), paid: { type: 'wait', event: 'paid' } }, [
      ['work', 'paid'],
      ['paid', 'end'],
    ]);
    for (let round = 0; round < 20; round += 1) {
      const id = await run(client, document);
      await client.sendEvent(id, { key: 'paid', payload: { round } });
      expect(await settled(client, id)).toMatchObject({ status: 'completed', state: { round } });
    }
  });
});

describe('a cancelled execution', () => {
  it('ignores late completions, failures and heartbeats', async () => {
    const { client } = server();
    const id = await run(client, ir('late', { work: python('work') }, [['work', 'end']]));
    const item = await claim(client, 'python_tool');
    await client.cancel(id);
    const before = await client.events(id);
    const lease_fence = item.lease_fence;
    expect(await refusal(client.completeWork(item.id, { output: { late: true }, lease_fence }))).toMatchObject({ status: 409 });
    expect(await refusal(client.completeWork(item.id, { output: { late: true } }))).toMatchObject({ status: 409 });
    expect(await refusal(client.failWork(item.id, { error: 'late', lease_fence }))).toMatchObject({ status: 409 });
    expect(await refusal(client.heartbeat(item.id, { worker_id: 'w1', lease_fence }))).toMatchObject({ status: 409 });
    expect(await client.events(id)).toEqual(before);
    expect(await client.execution(id)).toMatchObject({ status: 'cancelled', state: {} });
  });

  it('aborts its in-process work through the AbortSignal', async () => {
    const { client } = server();
    const log = join(logs, 'cancelled');
    const id = await run(client, ir('aborted', { work: tool('patient') }, [['work', 'end']]), { log });
    await eventually(() => existsSync(log), 'the work begins');
    await client.cancel(id);
    await eventually(() => readFileSync(log, 'utf8') === 'work begun\nwork aborted\n', 'the work is aborted');
    expect(await timeline(client, id)).toEqual([
      'workflow_started',
      'node_scheduled work',
      'node_started work',
      'node_cancelled work',
      'workflow_cancelled',
    ]);
  });

  it('refuses approvals, events and another cancel', async () => {
    const { client } = server();
    const id = await run(client, review);
    await settled(client, id);
    await client.cancel(id);
    expect(await refusal(client.approve(id, { decision: 'approved' }))).toMatchObject({ status: 409 });
    expect(await refusal(client.sendEvent(id, { key: 'k', payload: 1 }))).toMatchObject({ status: 409 });
    expect(await refusal(client.cancel(id))).toMatchObject({
      status: 400,
      message: expect.stringContaining('already in terminal state'),
    });
    expect((await client.approvals(id)).pending).toEqual([]);
  });

  it('cancels its children', async () => {
    const { client } = server();
    await client.registerWorkflow(waiting);
    const id = await run(client, ir('family', { sub: { type: 'subgraph', workflow_ref: 'waiting' } }, [['sub', 'end']]));
    expect(await settled(client, id)).toMatchObject({ status: 'paused' });
    await client.cancel(id);
    const { executions } = await client.executions({ parent_execution_id: id });
    expect(executions).toHaveLength(1);
    const [child] = executions;
    await eventually(async () => (await client.execution(child?.id ?? '')).status === 'cancelled', 'the child is cancelled');
  });
});
