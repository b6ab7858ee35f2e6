import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { Caller } from '../../../src/runtime/types/caller.ts';
import type { TenantChange } from '../../../store/port/resources/tenants.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const ACME: Caller = { ...CALLER, tenantId: 'acme' };
const ASK = {
  workflow_id: 'ask',
  version: '1',
  nodes: { ask: { kind: { type: 'human_approval', description: 'Go?' } } },
  edges: [],
};
const PARENT = {
  workflow_id: 'parent',
  version: '1',
  nodes: { child: { kind: { type: 'subgraph', workflow_ref: 'ask' } } },
  edges: [],
};
const EXTERNAL = {
  workflow_id: 'external',
  version: '1',
  nodes: { work: { kind: { type: 'python_fn', module: 'm', function: 'f' } } },
  edges: [],
};
/** A node for one kind of worker, then one for another. */
const RELAY = {
  workflow_id: 'relay',
  version: '1',
  nodes: {
    first: { kind: { type: 'python_fn', module: 'm', function: 'f' } },
    second: { kind: { type: 'java_fn', class_name: 'C', method: 'm' } },
  },
  edges: [{ from: 'first', to: 'second' }],
};
const INSTANT = {
  workflow_id: 'instant',
  version: '1',
  nodes: { choose: { kind: { type: 'condition', branches: [{ target: 'end' }] } } },
  edges: [],
};
const PYTHON = { workerId: 'w', queueTypes: ['python_tool'] };

async function openAcme(limits: JsonObject = {}, options: Parameters<typeof openTestRuntime>[0] = {}) {
  const bench = await openTestRuntime(options);
  const row = { id: 'acme', name: 'Acme', status: 'active', policy: null, limits: JSON.stringify(limits) } as const;
  await bench.store.tenants.create({ ...row, createdAtMs: bench.clock.nowMs() }, contextOf(bench));
  return bench;
}

function contextOf({ clock }: TestRuntime) {
  return { tenantId: 'default', atMs: clock.nowMs(), actorId: 'root', actorType: 'human', request: null } as const;
}

/** Suspends or reactivates a tenant as the API does. */
async function change(bench: TestRuntime, changes: TenantChange): Promise<void> {
  await bench.store.tenants.update('acme', changes, contextOf(bench));
  bench.runtime.tenants.changed('acme');
}

const liveExecutions = async (bench: TestRuntime) => bench.store.tenants.liveExecutions('acme');

describe('a suspended tenant', () => {
  it('cannot start anything new', async () => {
    const bench = await openAcme();
    await bench.runtime.register(ACME, ASK);
    await change(bench, { status: 'suspended' });
    const refused = { code: 'tenant_not_active', message: 'tenant acme is suspended' };
    await expect(bench.runtime.start(ACME, { workflowId: 'ask' })).rejects.toMatchObject(refused);
    await expect(bench.runtime.register(ACME, { ...ASK, version: '2' })).rejects.toMatchObject(refused);
    expect(await bench.store.tenant('acme').versions('ask')).toHaveLength(1);
    expect(await liveExecutions(bench)).toBe(0);
    await bench.run(ASK);
  });

  it('is noticed within five seconds if another process suspended it', async () => {
    const bench = await openAcme();
    await bench.runtime.register(ACME, ASK);
    await bench.store.tenants.update('acme', { status: 'archived' }, contextOf(bench));
    bench.clock.advance(5_000);
    await expect(bench.runtime.start(ACME, { workflowId: 'ask' })).rejects.toMatchObject({ code: 'tenant_not_active' });
  });

  it('finishes in-process work in progress', async () => {
    let finish = (): void => undefined;
    const work = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const bench = await openAcme({}, { tools: { work: () => work } });
    const document = {
      workflow_id: 'tool',
      version: '1',
      nodes: { work: { kind: { type: 'tool', tool_ref: 'work' } } },
      edges: [],
    };
    await bench.runtime.register(ACME, document);
    const { executionId } = await bench.runtime.start(ACME, { workflowId: 'tool' });
    await change(bench, { status: 'suspended' });
    finish();
    await eventually(async () => (await bench.runtime.execution('acme', executionId)).status === 'completed');
  });

  it('hands out no work items, not even to a waiting worker', async () => {
    const bench = await openAcme();
    const { runtime } = bench;
    await runtime.register(ACME, RELAY);
    await runtime.start(ACME, { workflowId: 'relay' });
    const [first] = await runtime.claim(ACME, PYTHON);
    const java = { workerId: 'j', queueTypes: ['java_tool'] };
    const waiting = runtime.claim(ACME, { ...java, waitMs: 10_000 });
    await change(bench, { status: 'suspended' });
    await runtime.complete(ACME, first?.id ?? '', { output: {} });
    bench.clock.advance(10_000);
    expect(await waiting).toEqual([]);
    await change(bench, { status: 'active' });
    expect(await runtime.claim(ACME, java)).toHaveLength(1);
  });
});

describe('live executions', () => {
  it('are admitted exactly up to the limit, also under concurrent starts', async () => {
    const bench = await openAcme({ max_concurrent_executions: 50 });
    await bench.runtime.register(ACME, ASK);
    const start = () => bench.runtime.start(ACME, { workflowId: 'ask' });
    const first = await Promise.allSettled(Array.from({ length: 200 }, start));
    expect(first.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
    expect(await liveExecutions(bench)).toBe(50);
    const ids = (await bench.runtime.executions('acme', { limit: 20 })).executions.map(({ executionId }) => executionId);
    // Some end while others start.
    await Promise.all(
      ids.flatMap((id) => [bench.runtime.cancel(ACME, id), start().catch(() => null), start().catch(() => null)]),
    );
    await Promise.allSettled(Array.from({ length: 100 }, start));
    expect(await liveExecutions(bench)).toBe(50);
  });

  it('are counted correctly when counting starts between commits', async () => {
    const bench = await openAcme();
    await bench.runtime.register(ACME, ASK);
    const start = () => bench.runtime.start(ACME, { workflowId: 'ask' });
    const before = Array.from({ length: 30 }, start);
    await change(bench, { limits: '{"max_concurrent_executions":40}' });
    const after = Array.from({ length: 30 }, start);
    await Promise.allSettled([...before, ...after, ...Array.from({ length: 30 }, start)]);
    await Promise.allSettled(Array.from({ length: 30 }, start));
    expect(await liveExecutions(bench)).toBe(40);
  });

  it('that end in their first step take no capacity', async () => {
    const bench = await openAcme({ max_concurrent_executions: 1 });
    await bench.runtime.register(ACME, INSTANT);
    for (let n = 0; n < 5; n += 1) await bench.runtime.start(ACME, { workflowId: 'instant' });
    expect(await liveExecutions(bench)).toBe(0);
  });

  it('include children, which are never refused', async () => {
    const bench = await openAcme({ max_concurrent_executions: 2 });
    for (const document of [ASK, PARENT]) await bench.runtime.register(ACME, document);
    await bench.runtime.start(ACME, { workflowId: 'ask' });
    const { executionId } = await bench.runtime.start(ACME, { workflowId: 'parent' });
    await eventually(async () => (await liveExecutions(bench)) === 3);
    await expect(bench.runtime.start(ACME, { workflowId: 'ask' })).rejects.toMatchObject({
      code: 'limit_exceeded_concurrency',
      message: expect.stringContaining('has 3 of at most 2 live executions'),
      retryAfterMs: 1_000,
    });
    await bench.runtime.cancel(ACME, executionId);
    await eventually(async () => (await liveExecutions(bench)) === 1);
    await bench.runtime.start(ACME, { workflowId: 'ask' });
  });

  it('are counted again after a restart', async () => {
    const bench = await openAcme({ max_concurrent_executions: 2 });
    await bench.runtime.register(ACME, ASK);
    await bench.runtime.start(ACME, { workflowId: 'ask' });
    await bench.close();
    const { runtime } = await openTestRuntime({ path: bench.path });
    await runtime.start(ACME, { workflowId: 'ask' });
    await expect(runtime.start(ACME, { workflowId: 'ask' })).rejects.toMatchObject({ code: 'limit_exceeded_concurrency' });
  });

  it('count again when they are retried, and the retry may be refused', async () => {
    const bench = await openAcme({ max_concurrent_executions: 1 });
    await bench.runtime.register(ACME, EXTERNAL);
    await bench.runtime.register(ACME, ASK);
    const { executionId } = await bench.runtime.start(ACME, { workflowId: 'external' });
    const [item] = await bench.runtime.claim(ACME, PYTHON);
    await bench.runtime.fail(ACME, item?.id ?? '', { error: 'no', retryable: false });
    expect(await liveExecutions(bench)).toBe(0);
    await bench.runtime.start(ACME, { workflowId: 'ask' });
    await expect(bench.runtime.retry(ACME, executionId)).rejects.toMatchObject({ code: 'limit_exceeded_concurrency' });
    await change(bench, { limits: '{"max_concurrent_executions":2}' });
    await bench.runtime.retry(ACME, executionId);
    expect(await liveExecutions(bench)).toBe(2);
    await expect(bench.runtime.start(ACME, { workflowId: 'external' })).rejects.toMatchObject({
      code: 'limit_exceeded_concurrency',
    });
  });
});

describe('usage reported by nodes', () => {
  it('of a child counts for its tenant, once', async () => {
    const bench = await openAcme();
    for (const document of [EXTERNAL, { ...PARENT, nodes: { child: { kind: { type: 'subgraph', workflow_ref: 'external' } } } }])
      await bench.runtime.register(ACME, document);
    const { executionId } = await bench.runtime.start(ACME, { workflowId: 'parent' });
    const [item] = await bench.runtime.claim(ACME, { ...PYTHON, waitMs: 1_000 });
    await bench.runtime.complete(ACME, item?.id ?? '', {
      output: {},
      usage: { inputTokens: 5, outputTokens: 2, costUsd: 0.125 },
    });
    await eventually(async () => (await bench.runtime.execution('acme', executionId)).status === 'completed');
    expect(await bench.store.tenants.usage('acme', '2026-03')).toEqual({ tokens: 7, costUsd: 0.125 });
    expect(await bench.store.tenants.usage('default', '2026-03')).toEqual({ tokens: 0, costUsd: 0 });
  });

  it('is ignored if it is not a valid amount', async () => {
    const bench = await openAcme();
    await bench.runtime.register(ACME, EXTERNAL);
    for (const usage of [{ inputTokens: -5, costUsd: Number.NaN }, { outputTokens: 1.5 }, { genAiModel: 'm' }]) {
      await bench.runtime.start(ACME, { workflowId: 'external' });
      const [item] = await bench.runtime.claim(ACME, PYTHON);
      await bench.runtime.complete(ACME, item?.id ?? '', { output: {}, usage });
    }
    expect(await bench.store.tenants.usage('acme', '2026-03')).toEqual({ tokens: 2, costUsd: 0 });
  });
});
