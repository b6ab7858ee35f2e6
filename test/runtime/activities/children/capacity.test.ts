import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { Descendants, MAX_DESCENDANTS } from '../../../../src/runtime/activities/children/descendants.ts';
import type { Caller } from '../../../../src/runtime/types/caller.ts';
import type { TenantChange } from '../../../../store/port/resources/tenants.ts';
import { CALLER, databasePath, eventually, openTestRuntime, type TestRuntime } from '../../../support/runtimes.ts';

const ACME: Caller = { ...CALLER, tenantId: 'acme' };
const tool = (ref: string): JsonObject => ({ kind: { type: 'tool', tool_ref: ref } });
const sub = (ref: string): JsonObject => ({ kind: { type: 'subgraph', workflow_ref: ref } });

/** Parallel nodes; a single node has no fan-out around it. */
function wide(id: string, nodes: Readonly<Record<string, JsonObject>>): JsonObject {
  const names = Object.keys(nodes);
  const split: JsonObject = { kind: { type: 'parallel', branches: names } };
  return {
    workflow_id: id,
    version: '1',
    ...(names.length > 1 ? { start_node: 'split' } : {}),
    nodes: names.length > 1 ? { split, ...nodes } : nodes,
    edges: [],
  };
}
const times = (count: number, node: JsonObject) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, node]));

function contextOf({ clock }: TestRuntime) {
  return { tenantId: 'default', atMs: clock.nowMs(), actorId: 'root', actorType: 'human', request: null } as const;
}

async function openAcme(limits: JsonObject, options: Parameters<typeof openTestRuntime>[0] = {}) {
  const bench = await openTestRuntime(options);
  const row = { id: 'acme', name: 'Acme', status: 'active', policy: null, limits: JSON.stringify(limits) } as const;
  await bench.store.tenants.create({ ...row, createdAtMs: bench.clock.nowMs() }, contextOf(bench));
  return bench;
}

async function change(bench: TestRuntime, changes: TenantChange): Promise<void> {
  bench.runtime.tenants.changed('acme', await bench.store.tenants.update('acme', changes, contextOf(bench)));
}

async function start({ runtime }: TestRuntime, workflowId: string, input: Json = {}): Promise<string> {
  return (await runtime.start(ACME, { workflowId, input })).executionId;
}

async function typesOf({ runtime }: TestRuntime, id: string): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const { type, nodeId } of runtime.events('acme', id)) types.push(`${type} ${nodeId}`);
  return types;
}

const statusOf = async ({ runtime }: TestRuntime, id: string) => (await runtime.execution('acme', id)).status;
const alive = async (bench: TestRuntime) => bench.store.tenants.liveExecutions('acme');
const childrenOf = async ({ runtime }: TestRuntime, parentId: string) =>
  (await runtime.executions('acme', { parentId, limit: 100, offset: 0 })).executions;

describe('children over the limit of their tenant', () => {
  it('wait for capacity, log that they wait, and start when there is some', async () => {
    const ends: (() => void)[] = [];
    const work = () => new Promise<void>((resolve) => ends.push(resolve));
    const bench = await openAcme({ max_concurrent_executions: 3 }, { tools: { work } });
    await bench.runtime.register(ACME, wide('leaf', { work: tool('work') }));
    await bench.runtime.register(ACME, wide('root', times(5, sub('leaf'))));
    const id = await start(bench, 'root');
    await eventually(async () => (await typesOf(bench, id)).filter((type) => /^child_workflow_waiting/.test(type)).length === 3);
    expect(ends).toHaveLength(2);
    expect(await alive(bench)).toBe(3);
    const { active } = await bench.runtime.stateAt('acme', id, (await bench.runtime.execution('acme', id)).sequence);
    expect(active.map(({ phase }) => phase)).toEqual(['child', 'child', 'queued', 'queued', 'queued']);

    for (let ended = 0; ended < 5; ended += 1) {
      await eventually(() => ends.length > ended);
      expect(await alive(bench)).toBeLessThanOrEqual(3);
      ends[ended]?.();
    }
    await eventually(async () => (await statusOf(bench, id)) === 'completed');
    expect(await childrenOf(bench, id)).toHaveLength(5);
    expect(bench.errors).toEqual([]);
  });

  it('do not deadlock parents that use up the capacity: the first child of each needs none', async () => {
    const bench = await openAcme({ max_concurrent_executions: 4 }, { tools: { work: () => ({}) } });
    await bench.runtime.register(ACME, wide('leaf', { work: tool('work') }));
    await bench.runtime.register(ACME, wide('mid', times(2, sub('leaf'))));
    await bench.runtime.register(ACME, wide('root', times(3, sub('mid'))));
    const ids = await Promise.all(Array.from({ length: 4 }, () => start(bench, 'root')));
    for (const id of ids) await eventually(async () => (await statusOf(bench, id)) === 'completed');
    expect(await alive(bench)).toBe(0);
  });

  it('fail their node when there is no capacity in time, and are dropped when it is cancelled', async () => {
    const bench = await openAcme(
      { max_concurrent_executions: 2 },
      { maxSlotWaitMs: 60_000, tools: { hang: () => new Promise(() => {}) } },
    );
    await bench.runtime.register(ACME, wide('leaf', { work: tool('hang') }));
    const nodes = times(2, { ...sub('leaf'), retry_policy: 'no_retry' });
    await bench.runtime.register(ACME, wide('root', nodes));
    const id = await start(bench, 'root');
    await eventually(async () => (await typesOf(bench, id)).some((type) => type === 'child_workflow_waiting n1'));
    bench.clock.advance(60_000);
    await eventually(async () => (await typesOf(bench, id)).includes('node_failed n1'));
    const failed: string[] = [];
    for await (const event of bench.runtime.events('acme', id))
      if (event.type === 'node_failed') failed.push(String(event.data.error));
    expect(failed).toEqual([
      'its child waited 60 s for capacity: tenant acme has 2 of at most 2 live executions (max_concurrent_executions)',
    ]);
    await bench.runtime.cancel(ACME, id);
    await eventually(async () => (await alive(bench)) === 0);
    expect(await childrenOf(bench, id)).toHaveLength(1);
  });

  it('wait again after a restart, without a lost attempt', async () => {
    const path = databasePath();
    const limits = { max_concurrent_executions: 2 };
    const before = await openAcme(limits, { path, id: 'lost', tools: { work: () => new Promise(() => {}) } });
    await before.runtime.register(ACME, wide('leaf', { work: tool('work') }));
    await before.runtime.register(ACME, wide('root', times(3, sub('leaf'))));
    const id = await start(before, 'root');
    await eventually(async () => (await typesOf(before, id)).filter((type) => /^child_workflow_waiting/.test(type)).length === 2);
    await before.store.close();
    await before.close().catch(() => {});

    const after = await openTestRuntime({ path, tools: { work: () => ({}) } });
    await eventually(async () => {
      after.clock.advance(1_000);
      return (await statusOf(after, id)) === 'completed';
    });
    expect((await typesOf(after, id)).filter((type) => /^node_failed/.test(type))).toEqual([]);
    expect((await after.runtime.replay('acme', id)).mismatch).toBeNull();
  });

  it('start when the limit is raised', async () => {
    const bench = await openAcme({ max_concurrent_executions: 2 }, { tools: { work: () => new Promise(() => {}) } });
    await bench.runtime.register(ACME, wide('leaf', { work: tool('work') }));
    await bench.runtime.register(ACME, wide('root', times(6, sub('leaf'))));
    const id = await start(bench, 'root');
    await eventually(async () => (await typesOf(bench, id)).filter((type) => /^child_workflow_waiting/.test(type)).length === 5);
    await change(bench, { limits: null });
    await eventually(async () => (await childrenOf(bench, id)).length === 6);
  });
});

describe('a workflow that starts itself', () => {
  it('is bounded by the limit of its tenant, and cancelled as a whole', async () => {
    const bench = await openAcme({ max_concurrent_executions: 5 });
    await bench.runtime.register(ACME, wide('bomb', times(4, sub('bomb'))));
    const id = await start(bench, 'bomb');
    let most = 0;
    for (let i = 0; i < 2_000; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, await alive(bench));
    }
    // Each live execution has one child that needs no capacity, at most 16 deep.
    expect(most).toBeLessThanOrEqual(5 * 17);
    await bench.runtime.cancel(ACME, id);
    await eventually(async () => (await alive(bench)) === 0);
  });

  it('has at most 10,000 descendants', async () => {
    const bench = await openAcme({});
    const store = {
      shared: false,
      tenant: () => ({ countExecutions: async () => MAX_DESCENDANTS - 1 }),
    } as unknown as ConstructorParameters<typeof Descendants>[0];
    const descendants = new Descendants(store);
    await descendants.admit('acme', 'exec_root');
    await expect(descendants.admit('acme', 'exec_root')).rejects.toMatchObject({
      code: 'bad_request',
      message: 'execution exec_root has 10000 descendants, the maximum',
    });
    await bench.runtime.register(ACME, wide('leaf', { ask: { kind: { type: 'human_approval' } } }));
    await bench.runtime.register(ACME, wide('mid', { child: sub('leaf') }));
    await bench.runtime.register(ACME, wide('root', { child: sub('mid') }));
    const id = await start(bench, 'root');
    const filter = { labels: [{ key: 'jamjet.root', value: id }] };
    await eventually(async () => (await bench.store.tenant('acme').countExecutions(filter)) === 2);
  });
});

describe('a tenant that is suspended', () => {
  it('starts no work until it is active again: not in process, not in a child, not by a timer', async () => {
    const begun: string[] = [];
    let end = (): void => {};
    const bench = await openAcme(
      {},
      {
        tools: {
          first: () => new Promise<void>((resolve) => (end = resolve)),
          second: (_input, { executionId }) => void begun.push(executionId),
        },
      },
    );
    const line = (id: string, first: JsonObject, second: JsonObject): JsonObject => ({
      workflow_id: id,
      version: '1',
      nodes: { a: first, b: second },
      edges: [{ from: 'a', to: 'b' }],
    });
    const timer = { kind: { type: 'wait', condition: 'timer', timeout_secs: 60 } };
    await bench.runtime.register(ACME, wide('leaf', { work: tool('second') }));
    await bench.runtime.register(ACME, line('functions', tool('first'), tool('second')));
    await bench.runtime.register(ACME, line('timer', timer, tool('second')));
    await bench.runtime.register(ACME, line('child', timer, sub('leaf')));
    const functions = await start(bench, 'functions');
    const timed = await start(bench, 'timer');
    const child = await start(bench, 'child');

    await change(bench, { status: 'suspended' });
    end();
    bench.clock.advance(60_000);
    await eventually(async () => (await typesOf(bench, functions)).at(-1) === 'node_scheduled b');
    await eventually(async () => (await typesOf(bench, timed)).at(-1) === 'node_scheduled b');
    await eventually(async () => (await typesOf(bench, child)).at(-1) === 'node_started b');
    // The time of the suspension does not count as waiting.
    bench.clock.advance(3 * 3_600_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([]);
    expect(await alive(bench)).toBe(3);

    await change(bench, { status: 'active' });
    for (const id of [functions, timed, child]) await eventually(async () => (await statusOf(bench, id)) === 'completed');
    expect(begun).toHaveLength(3);
  });
});
