import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import type { Caller } from '../../src/runtime/types/caller.ts';
import type { ToolContext, Tools } from '../../src/runtime/types/work.ts';
import { eventually, openTestRuntime, type TestRuntime } from '../support/runtimes.ts';

const ann: Caller = { tenantId: 'default', actorId: 'ann', actorType: 'human' };
const eve: Caller = { tenantId: 'acme', actorId: 'eve', actorType: 'human' };

/** The same document in every tenant: one revision, but different tools behind it. */
const PAY: JsonObject = {
  workflow_id: 'pay',
  version: '1',
  labels: { team: 'blue' },
  nodes: {
    pay: {
      kind: {
        type: 'tool',
        tool_ref: 'pay',
        input_mapping: { key: '{{ env.KEY }}', region: '{{ env.REGION | default("none") }}' },
      },
    },
  },
  edges: [{ from: 'pay', to: 'end' }],
};

interface Call {
  readonly input: unknown;
  readonly context: Omit<ToolContext, 'signal'>;
}

/** Only tenant `default` has the tool `pay` and the variable KEY. */
async function bench(path?: string): Promise<TestRuntime & { calls: Call[] }> {
  const calls: Call[] = [];
  const pay = (input: unknown, { signal: _, ...context }: ToolContext) => {
    calls.push({ input, context });
    return { paid: true };
  };
  const opened = await openTestRuntime({
    ...(path === undefined ? {} : { path }),
    tools: (tenantId): Tools => (tenantId === 'default' ? { pay } : {}),
    vars: (tenantId): Record<string, string> => (tenantId === 'default' ? { KEY: 'secret', REGION: 'eu' } : { REGION: 'us' }),
  });
  const context = { tenantId: 'default', atMs: 0, actorId: 't', actorType: 'system', request: null } as const;
  if (path === undefined) {
    await opened.store.tenants.create(
      { id: 'acme', name: 'Acme', status: 'active', policy: null, limits: null, createdAtMs: 0 },
      context,
    );
  }
  return { ...opened, calls };
}

async function started(it: TestRuntime, caller: Caller, document: JsonObject, labels = {}): Promise<string> {
  const { workflowId } = await it.runtime.register(caller, document);
  return (await it.runtime.start(caller, { workflowId, input: {}, labels })).executionId;
}

describe('a tool of one tenant', () => {
  it('is called for that tenant, and gets its context', async () => {
    const it = await bench();
    const id = await started(it, ann, PAY, { order: '7' });
    await it.settled(id);
    expect(it.calls).toMatchObject([
      {
        input: { key: 'secret', region: 'eu' },
        context: {
          tenantId: 'default',
          executionId: id,
          nodeId: 'pay',
          attempt: 0,
          idempotencyKey: `${id}:pay:1`,
          startedBy: { actorId: 'ann', actorType: 'human' },
          labels: { team: 'blue', order: '7' },
          memory: expect.anything(),
          log: expect.anything(),
          reportUsage: expect.any(Function),
          progress: expect.any(Function),
          heartbeat: expect.any(Function),
        },
      },
    ]);
  });

  it('is missing for another, whose work waits for a worker without the variables of the first', async () => {
    const it = await bench();
    await it.settled(await started(it, ann, PAY));
    const id = await started(it, eve, PAY);
    const claim = { workerId: 'w', queueTypes: ['tool'] };
    expect(await it.runtime.claim(ann, claim)).toEqual([]);
    const [item] = await it.runtime.claim(eve, claim);
    expect(item).toMatchObject({ executionId: id, nodeId: 'pay', payload: { input: { key: null, region: 'us' } } });
    expect(it.calls).toHaveLength(1);
  });
});

describe('the starter of an execution', () => {
  const OUTER: JsonObject = {
    workflow_id: 'outer',
    version: '1',
    nodes: { inner: { kind: { type: 'subgraph', workflow_ref: 'middle' } } },
    edges: [{ from: 'inner', to: 'end' }],
  };
  const MIDDLE: JsonObject = {
    ...OUTER,
    workflow_id: 'middle',
    nodes: { inner: { kind: { type: 'subgraph', workflow_ref: 'pay' } } },
  };

  it('of a child is the one of its topmost ancestor', async () => {
    const it = await bench();
    await it.runtime.register(ann, PAY);
    await it.runtime.register(ann, MIDDLE);
    await it.settled(await started(it, ann, OUTER));
    expect(it.calls).toMatchObject([{ context: { startedBy: { actorId: 'ann', actorType: 'human' } } }]);
  });

  it('of a fork is the caller that forked', async () => {
    const it = await bench();
    const id = await started(it, ann, PAY);
    await it.settled(id);
    const bob = { ...ann, actorId: 'bob' };
    const { executionId } = await it.runtime.fork(bob, id, { atSequence: 1 });
    await it.settled(executionId ?? '');
    expect(it.calls.map(({ context }) => context.startedBy.actorId)).toEqual(['ann', 'bob']);
  });

  it('is still known when a child or a fork is loaded from the store', async () => {
    const wait = { type: 'wait', condition: 'external_event', correlation_key: 'go' };
    const paused: JsonObject = {
      ...PAY,
      nodes: { first: { kind: wait }, ...(PAY.nodes as JsonObject) },
      edges: [{ from: 'first', to: 'pay' }, ...(PAY.edges as [])],
      start_node: 'first',
    };
    const first = await bench();
    await first.runtime.register(ann, paused);
    await first.runtime.register(ann, MIDDLE);
    const outer = await started(first, ann, OUTER);
    await eventually(async () => (await first.store.tenant('default').executions({ limit: 9 })).rows.length === 3);
    const origin = (await first.runtime.start(ann, { workflowId: 'pay' })).executionId;
    const { executionId: fork } = await first.runtime.fork({ ...ann, actorId: 'bob' }, origin, { atSequence: 1 });
    const { rows } = await first.store.tenant('default').executions({ limit: 9 });
    const inner = rows.find((row) => row.workflowId === 'pay' && row.parentId !== null);
    await first.close();
    const again = await bench(first.path);
    for (const id of [inner?.id ?? '', fork ?? '']) await again.runtime.sendEvent(ann, id, { key: 'go', payload: {} });
    await again.settled(outer);
    await again.settled(fork ?? '');
    const starters = again.calls.map(({ context }) => [context.executionId, context.startedBy.actorId]);
    expect(Object.fromEntries(starters)).toEqual({ [inner?.id ?? '']: 'ann', [fork ?? '']: 'bob' });
  });
});
