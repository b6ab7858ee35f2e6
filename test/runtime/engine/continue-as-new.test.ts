import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { CALLER, databasePath, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

/** A worker of each segment uses 6 tokens per node; the budget is 10, so that the second node of a segment ends it. */
const counting: JsonObject = {
  workflow_id: 'count',
  version: '1',
  start_node: 'count',
  token_budget: { total_tokens: 10 },
  continue_as_new: true,
  labels: { team: 'a' },
  timeouts: { workflow_timeout: 3_600 },
  nodes: {
    count: { kind: { type: 'python_fn', module: 'm', function: 'count' } },
    more: { kind: { type: 'condition', branches: [{ condition: 'state.n < 5', target: 'count' }, { target: 'end' }] } },
  },
  edges: [{ from: 'count', to: 'more' }],
};

/** Does the next item of work; resolves to its execution. */
async function work({ runtime }: TestRuntime, usage = 6): Promise<string> {
  const [item] = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 1, waitMs: 5_000 });
  if (item === undefined) throw new Error('there is no work');
  const { n = 0 } = item.payload.state as { n?: number };
  await runtime.complete(CALLER, item.id, {
    output: { n: n + 1 },
    usage: { inputTokens: usage },
    leaseFence: item.leaseFence,
  });
  return item.executionId;
}

const nextOf = async ({ runtime }: TestRuntime, id: string) => (await runtime.execution('default', id)).nextExecutionId ?? '';

describe('an execution with continue_as_new', () => {
  it('ends at its budget, and another one goes on from the start with its state', async () => {
    const bench = await openTestRuntime();
    const { run, runtime, timeline, log } = bench;
    const id = await run(counting, { by: 'ann' });
    const first = [await work(bench), await work(bench)];
    expect(first).toEqual([id, id]);
    const view = await runtime.execution('default', id);
    expect(view).toMatchObject({ status: 'limit_exceeded', error: null, state: { by: 'ann', n: 2 }, segment: 0 });
    const next = view.nextExecutionId ?? '';
    expect((await timeline(id)).slice(-3)).toEqual(['node_completed count', 'token_budget_exceeded count', 'segment_boundary']);
    expect(await runtime.execution('default', next)).toMatchObject({
      status: 'running',
      input: { by: 'ann', n: 2 },
      segment: 1,
      previousExecutionId: id,
      nextExecutionId: null,
      parentExecutionId: null,
      workflowId: 'count',
      labels: { team: 'a', 'jamjet.segment': '1', 'jamjet.segment.after': id, 'jamjet.segment.first': id },
    });
    expect((await log(next))[0]?.data).toMatchObject({ segment_number: 1, continued_from: id });
    expect(next > id).toBe(true);
    expect([await work(bench), await work(bench)]).toEqual([next, next]);
    const last = await nextOf(bench, next);
    expect(await work(bench)).toBe(last);
    expect(await runtime.execution('default', last)).toMatchObject({
      status: 'completed',
      state: { by: 'ann', n: 5 },
      labels: { 'jamjet.segment': '2', 'jamjet.segment.after': next, 'jamjet.segment.first': id },
    });
    for (const one of [id, next, last]) expect(await runtime.replay('default', one)).toMatchObject({ mismatch: null });
    const { executions } = await runtime.executions('default', {
      limit: 10,
      offset: 0,
      labels: [{ key: 'jamjet.segment.first', value: id }],
    });
    expect(executions.map(({ executionId }) => executionId)).toEqual([last, next]);
    expect(executions.map(({ previousExecutionId }) => previousExecutionId)).toEqual([next, id]);
  });

  it('goes on after a restart, from its log too', async () => {
    const path = databasePath();
    const before = await openTestRuntime({ path });
    const id = await before.run(counting);
    await work(before);
    await before.close();
    const after = await openTestRuntime({ path, clock: before.clock });
    expect(await work(after)).toBe(id);
    const next = await nextOf(after, id);
    await after.close();
    const again = await openTestRuntime({ path, clock: before.clock });
    expect(await nextOf(again, id)).toBe(next);
    expect(await work(again)).toBe(next);
    expect((await again.runtime.execution('default', next)).status).toBe('running');
  });

  it('keeps who started it and when it times out', async () => {
    const seen: unknown[] = [];
    const bench = await openTestRuntime({
      tools: {
        look: (_input, context) => {
          seen.push(context.startedBy);
          return {};
        },
      },
    });
    const { runtime, clock } = bench;
    const look = { kind: { type: 'tool', tool_ref: 'look' } };
    const nodes = { count: { kind: { type: 'python_fn', module: 'm', function: 'count' } }, look };
    const document = { ...counting, start_node: 'look', nodes, edges: [{ from: 'look', to: 'count' }] };
    const caller = { ...CALLER, actorId: 'ann' };
    await runtime.register(CALLER, document);
    const { executionId: id } = await runtime.start(caller, { workflowId: 'count', input: {} });
    await work(bench, 11);
    const next = await nextOf(bench, id);
    await eventually(() => seen.length === 2);
    expect(seen).toMatchObject([{ actorId: 'ann' }, { actorId: 'ann' }]);
    expect((await runtime.execution('default', next)).status).toBe('running');
    await eventually(async () => {
      clock.advance(1_800_000);
      return (await runtime.execution('default', next)).status === 'cancelled';
    });
    expect((await runtime.execution('default', next)).error).toBe('workflow timeout');
  });

  it('is refused what is for the one that continues it', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(counting);
    await work(bench, 11);
    await expect(bench.runtime.cancel(CALLER, id)).rejects.toMatchObject({
      code: 'already_terminal',
      message: expect.stringContaining(await nextOf(bench, id)),
    });
  });

  it('counts as one live execution of its tenant', async () => {
    const bench = await openTestRuntime();
    const { store, clock, runtime } = bench;
    const context = { tenantId: 'default', atMs: clock.nowMs(), actorId: 'root', actorType: 'human', request: null } as const;
    const limits = JSON.stringify({ max_concurrent_executions: 1 });
    runtime.tenants.changed('default', await store.tenants.update('default', { limits }, context));
    await bench.run(counting);
    await work(bench, 11);
    expect(await store.tenants.liveExecutions('default')).toBe(1);
    await expect(runtime.start(CALLER, { workflowId: 'count', input: {} })).rejects.toMatchObject({
      code: 'limit_exceeded_concurrency',
    });
  });
});

describe('a child that continues as another execution', () => {
  const parent: JsonObject = {
    workflow_id: 'parent',
    version: '1',
    nodes: { sub: { kind: { type: 'subgraph', workflow_ref: 'count', output_mapping: { counted: 'state.n' } } } },
    edges: [],
  };

  it('gives its parent the result of the last one', async () => {
    const bench = await openTestRuntime();
    await bench.runtime.register(CALLER, counting);
    const id = await bench.run(parent, {});
    const children: string[] = [];
    for (let i = 0; i < 5; i += 1) children.push(await work(bench));
    expect(new Set(children).size).toBe(3);
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state: { counted: 5 } });
    expect(await bench.timeline(id)).toEqual([
      'workflow_started',
      'node_started sub',
      'child_workflow_started sub',
      'child_workflow_started sub',
      'child_workflow_started sub',
      'child_workflow_completed sub',
      'node_completed sub',
      'workflow_completed',
    ]);
    expect((await bench.log(id)).filter(({ type }) => type.startsWith('child_')).map(({ data }) => data.input_tokens)).toEqual([
      undefined,
      12,
      12,
      6,
    ]);
    expect(await bench.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('is cancelled with its parent, whichever the parent knows of', async () => {
    const bench = await openTestRuntime();
    const { runtime } = bench;
    await runtime.register(CALLER, counting);
    const id = await bench.run(parent, {});
    const child = await work(bench, 11);
    const cancelling = runtime.cancel(CALLER, id);
    await cancelling;
    const next = await nextOf(bench, child);
    await eventually(async () => (await runtime.execution('default', next)).status === 'cancelled');
  });
});
