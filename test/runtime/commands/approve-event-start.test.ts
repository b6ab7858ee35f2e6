import { describe, expect, it } from 'vitest';
import { readsDuring } from '../../support/counted-reads.ts';
import { CALLER, eventually, openTestRuntime } from '../../support/runtimes.ts';

const approval = {
  workflow_id: 'ask',
  version: '1',
  nodes: { ask: { kind: { type: 'human_approval', description: 'Go?' } } },
  edges: [],
} as never;
const wait = (key: string) =>
  ({
    workflow_id: 'pay',
    version: '1',
    nodes: {
      first: { kind: { type: 'python_fn', module: 'm', function: 'f' } },
      payment: { kind: { type: 'wait', correlation_key: key } },
    },
    edges: [
      { from: 'first', to: 'payment' },
      { from: 'payment', to: 'end' },
    ],
  }) as never;

it('gives two requests with one idempotency key the same response, also when the event ended the execution', async () => {
  const { run, runtime, log } = await openTestRuntime();
  const nodes = { payment: { kind: { type: 'wait', correlation_key: 'paid' } } };
  const id = await run({ workflow_id: 'wait', version: '1', nodes, edges: [] } as never);
  const send = () => runtime.sendEvent(CALLER, id, { key: 'paid', payload: 1, idempotencyKey: 'once' });
  expect(await Promise.all([send(), send()])).toEqual([
    { matched: true, nodeId: 'payment' },
    { matched: true, nodeId: 'payment' },
  ]);
  expect((await log(id)).filter(({ type }) => type === 'external_event_received')).toHaveLength(1);
});

describe('approvals', () => {
  it('accept exactly one of two concurrent decisions', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(approval);
    expect((await settled(id)).status).toBe('paused');
    const decide = (decision: string) => runtime.approve(CALLER, id, { decision });
    const answers = await Promise.allSettled([decide('approved'), decide('rejected')]);
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected']);
    expect((answers[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'conflict' });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { ask: { approved: true, user_id: 'tester' } } });
  });

  it('are listed while pending and after the decision', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(approval);
    await settled(id);
    const open = await runtime.approvals('default', id);
    expect(open).toMatchObject({
      pending: [{ nodeId: 'ask', kind: 'human_approval', context: { description: 'Go?' } }],
      decided: [],
    });
    await runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'ask', userId: 'ann', comment: 'fine' });
    const decided = await runtime.approvals('default', id);
    expect(decided).toMatchObject({
      pending: [],
      decided: [{ nodeId: 'ask', status: 'approved', userId: 'ann', comment: 'fine' }],
    });
  });

  it('show what a held tool would be given from the state now, and no variables of the environment', async () => {
    const { run, runtime } = await openTestRuntime();
    const held = (input_mapping: object) => ({ kind: { type: 'tool', tool_ref: 'pay', ...input_mapping } });
    const document = (id: string, node: object) =>
      ({
        workflow_id: id,
        version: '1',
        policy: { require_approval_for: ['pay'] },
        nodes: { pay: node },
        edges: [{ from: 'pay', to: 'end' }],
      }) as never;
    const pendingOf = async (id: string) => {
      await eventually(async () => (await runtime.approvals('default', id)).pending.length > 0);
      return (await runtime.approvals('default', id)).pending;
    };
    const mapping = { amount: '{{ state.amount }}', to: 'acme', path: '{{ env.PATH }}' };
    const id = await run(document('mapped', held({ input_mapping: mapping })), { amount: 40 });
    expect(await pendingOf(id)).toMatchObject([{ kind: 'tool', input: { amount: 40, to: 'acme', path: null } }]);
    const long = await run(document('long', held({ input_mapping: { text: '{{ state.text }}' } })), { text: 'x'.repeat(70_000) });
    expect(await pendingOf(long)).toMatchObject([{ kind: 'tool' }]);
    expect((await pendingOf(long))[0]).not.toHaveProperty('input');
  });

  it('refuse a decision with the reason', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(approval);
    await settled(id);
    await expect(runtime.approve(CALLER, id, { decision: 'maybe' })).rejects.toMatchObject({
      code: 'bad_request',
      message: 'unknown decision: maybe',
    });
    await expect(runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'other' })).rejects.toMatchObject({
      code: 'conflict',
      message: "node 'other' has no pending approval (unknown or already decided)",
    });
    await expect(
      runtime.approve(CALLER, 'exec_00000000000000000000000000000000', { decision: 'approved' }),
    ).rejects.toMatchObject({ code: 'not_found' });
    await expect(runtime.approve({ ...CALLER, tenantId: 'other' }, id, { decision: 'approved' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('external events', () => {
  it('are buffered when they arrive before their node waits', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(wait('paid'));
    expect(await runtime.sendEvent(CALLER, id, { key: 'paid', payload: { amount: 5 } })).toEqual({
      matched: false,
      nodeId: null,
    });
    const [item] = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'] });
    await runtime.complete(CALLER, item?.id ?? '', { output: {}, leaseFence: item?.leaseFence ?? 0 });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { amount: 5 } });
  });

  it('tell the keys that nodes wait for when none waits for theirs', async () => {
    const { run, runtime } = await openTestRuntime();
    const id = await run(wait('paid'));
    const receipt = { matched: false, nodeId: null, keys: ['paid'] };
    expect(await runtime.sendEvent(CALLER, id, { key: 'piad', payload: 1, idempotencyKey: 'k' })).toEqual(receipt);
    expect(await runtime.sendEvent(CALLER, id, { key: 'piad', payload: 1, idempotencyKey: 'k' })).toEqual(receipt);
  });

  it('count once under an idempotency key, and refuse the key for another payload', async () => {
    const { run, runtime, log } = await openTestRuntime();
    const id = await run(wait('paid'));
    const send = (amount: number) => runtime.sendEvent(CALLER, id, { key: 'paid', payload: { amount }, idempotencyKey: 'k1' });
    const answers = await Promise.all([send(5), send(5), send(5)]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    await expect(send(6)).rejects.toMatchObject({ code: 'conflict' });
    expect((await log(id)).filter((event) => event.type === 'external_event_received')).toHaveLength(1);
  });

  it('are refused once the execution has ended', async () => {
    const { run, runtime } = await openTestRuntime();
    const id = await run(wait('paid'));
    await runtime.cancel(CALLER, id);
    await expect(runtime.sendEvent(CALLER, id, { key: 'paid', payload: 1 })).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('starts', () => {
  it('return the same execution for the same idempotency key', async () => {
    const { runtime } = await openTestRuntime();
    await runtime.register(CALLER, approval);
    const start = (input: object) => runtime.start(CALLER, { workflowId: 'ask', input: input as never, idempotencyKey: 'once' });
    const started = await Promise.all([start({ n: 1 }), start({ n: 1 })]);
    expect(started[0]?.executionId).toBe(started[1]?.executionId);
    expect(await start({ n: 1 })).toEqual({ executionId: started[0]?.executionId, replayed: true });
    await expect(start({ n: 2 })).rejects.toMatchObject({ code: 'conflict' });
    expect((await runtime.executions('default', { limit: 10, offset: 0 })).executions).toHaveLength(1);
  });

  it('read an idempotency key only when it was used before', async () => {
    const { runtime } = await openTestRuntime();
    await runtime.register(CALLER, approval);
    const start = () => runtime.start(CALLER, { workflowId: 'ask', idempotencyKey: 'once' });
    const reads = async () => (await readsDuring(start)).filter(({ sql }) => sql.includes('idempotency')).length;
    expect(await reads()).toBe(0);
    expect(await reads()).toBe(1);
  });

  it('use the most recently registered version by default', async () => {
    const { runtime } = await openTestRuntime();
    for (const version of ['2', '1']) await runtime.register(CALLER, { ...(approval as object), version });
    const latest = await runtime.start(CALLER, { workflowId: 'ask' });
    const named = await runtime.start(CALLER, { workflowId: 'ask', version: '2' });
    expect((await runtime.execution('default', latest.executionId)).workflowVersion).toBe('1');
    expect((await runtime.execution('default', named.executionId)).workflowVersion).toBe('2');
    await expect(runtime.start(CALLER, { workflowId: 'ask', version: '9' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'workflow ask v9 not found',
    });
  });

  it('stay pinned to the revision that they started with', async () => {
    const { runtime, settled } = await openTestRuntime();
    await runtime.register(CALLER, approval);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'ask' });
    await settled(executionId);
    const before = await runtime.execution('default', executionId);
    await runtime.register(CALLER, { ...(approval as object), description: 'edited' });
    expect((await runtime.execution('default', executionId)).revision).toBe(before.revision);
    const next = await runtime.start(CALLER, { workflowId: 'ask' });
    expect((await runtime.execution('default', next.executionId)).revision).not.toBe(before.revision);
  });
});

describe('subscriptions', () => {
  it('deliver the log so far, then new events, and end with the execution', async () => {
    const { run, runtime, settled } = await openTestRuntime();
    const id = await run(approval);
    await settled(id);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of runtime.subscribe('default', id)) seen.push(event.type);
    })();
    await eventually(() => seen.length >= 3);
    await runtime.approve(CALLER, id, { decision: 'approved' });
    await reading;
    expect(seen.at(0)).toBe('workflow_started');
    expect(seen.at(-1)).toBe('workflow_completed');
    expect(seen).toHaveLength((await runtime.execution('default', id)).sequence);
  });

  it('end when their signal aborts', async () => {
    const { run, runtime } = await openTestRuntime();
    const id = await run(approval);
    const controller = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const event of runtime.subscribe('default', id, { after: 1, signal: controller.signal }))
        seen.push(event.sequence);
    })();
    await eventually(() => seen.length >= 2);
    controller.abort();
    await reading;
    expect(seen[0]).toBe(2);
  });
});
