import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { FakeClock } from '../../support/clock.ts';
import { CALLER, eventually, openTestRuntime } from '../../support/runtimes.ts';

/** A clock that advances by 100 ms at each reading, as if every step took long. */
class RacingClock extends FakeClock {
  #readings = 0;

  override nowMs(): number {
    this.#readings += 1;
    return super.nowMs() + this.#readings * 100;
  }
}

const BRANCHES = Array.from({ length: 20 }, (_, i) => `b${i}`);
const WIDE = {
  workflow_id: 'wide',
  version: '1',
  start_node: 'split',
  nodes: {
    split: { kind: { type: 'parallel', branches: BRANCHES } },
    ...Object.fromEntries(BRANCHES.map((id) => [id, { kind: { type: 'tool', tool_ref: 'work' } }])),
    merge: { kind: { type: 'join', wait_for: BRANCHES } },
  },
  edges: BRANCHES.map((from) => ({ from, to: 'merge' })),
};

const WAIT = {
  workflow_id: 'wait',
  version: '1',
  nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } },
  edges: [],
};

/** The number of commits with completions: all events of a commit have the same time. */
async function commitsOf(clock: FakeClock): Promise<number> {
  let release = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  const bench = await openTestRuntime({ clock, concurrency: BRANCHES.length, tools: { work: () => all } });
  const id = await bench.run(WIDE);
  release();
  await eventually(async () => (await bench.runtime.execution('default', id)).status === 'completed');
  const completed = (await bench.log(id)).filter(({ type, nodeId }) => type === 'node_completed' && nodeId !== 'split');
  return new Set(completed.map(({ createdAtMs }) => createdAtMs)).size;
}

describe('the engine', () => {
  it('commits in one batch what is ready at the same time', async () => {
    expect(await commitsOf(new FakeClock())).toBe(1);
  });

  it('commits the little of one tenant before, and apart from, the much of another that has filled a batch', async () => {
    const { runtime, store } = await openTestRuntime();
    const batches: number[] = [];
    runtime.on('batchCommitted', ({ executions }) => batches.push(executions));
    const other = { ...CALLER, tenantId: 'other' };
    const row = { id: 'other', name: 'Other', status: 'active', policy: null, limits: '{}', createdAtMs: 0 } as const;
    await store.tenants.create(row, { ...other, atMs: 0, request: null });
    for (const caller of [CALLER, other]) await runtime.register(caller, WAIT);
    const done: string[] = [];
    const large = { text: 'x'.repeat(40_000) };
    const begin = async (caller: typeof CALLER, name: string, input: JsonObject) => {
      await runtime.start(caller, { workflowId: 'wait', input });
      done.push(name);
    };
    const flood = Array.from({ length: 6 }, (_, n) => begin(CALLER, `large ${n}`, large));
    await eventually(() => done.length > 0);
    batches.length = 0;
    const before = done.length;
    await Promise.all([begin(other, 'little', {}), ...flood]);
    expect(done[before]).toBe('little');
    expect(batches[0]).toBe(1);
  });

  it('ends a batch early when executions are large: another tenant waits for one of them', async () => {
    const { runtime } = await openTestRuntime();
    const batches: number[] = [];
    runtime.on('batchCommitted', ({ executions }) => batches.push(executions));
    const started = async (input: JsonObject) => {
      batches.length = 0;
      await Promise.all(Array.from({ length: 12 }, () => runtime.start(CALLER, { workflowId: 'wait', input })));
      return batches;
    };
    await runtime.register(CALLER, WAIT);
    await started({});
    expect(await started({})).toEqual([12]);
    expect(await started({ text: 'x'.repeat(100_000) })).toEqual(Array.from({ length: 12 }, () => 1));
  });

  it('ends a batch early when steps take long', async () => {
    expect(await commitsOf(new RacingClock())).toBe(BRANCHES.length);
  });
});

describe('the executions in memory', () => {
  it('are counted as found, or as loaded, by the messages for them', async () => {
    const { run, runtime } = await openTestRuntime();
    const nodes = { w: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } };
    const id = await run({ workflow_id: 'waiting', version: '1', nodes, edges: [] } as never);
    const counts = async (key: string) => {
      const before = runtime.load().executionCache;
      await runtime.sendEvent(CALLER, id, { key, payload: 1 });
      const { hits, misses } = runtime.load().executionCache;
      return { hits: hits - before.hits, misses: misses - before.misses };
    };
    expect(await counts('other')).toEqual({ hits: 1, misses: 0 });
    runtime.forget([id]);
    expect(await counts('another')).toEqual({ hits: 0, misses: 1 });
  });
});
