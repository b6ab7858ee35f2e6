import { describe, expect, it } from 'vitest';
import type { ToolContext } from '../../../../src/runtime/types/work.ts';
import type { Store } from '../../../../store/port/store.ts';
import { CALLER, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const tool = (ref: string, more: object = {}) => ({ kind: { type: 'tool', tool_ref: ref, ...more } });
const line = (nodes: Record<string, object>, more: object = {}) => {
  const ids = Object.keys(nodes);
  return {
    workflow_id: 'line',
    version: '1',
    nodes,
    edges: ids.map((from, i) => ({ from, to: ids[i + 1] ?? 'end' })),
    ...more,
  } as never;
};
const quick = {
  retry_policies: {
    quick: { max_attempts: 3, backoff: 'fixed', initial_delay: 1, max_delay: 1, jitter: false, retryable_on: [] },
  },
};

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Holds all commits back until `release` is called. */
function holdCommits(store: Store) {
  const { commit } = store;
  let release: () => void = () => {};
  let isHeld = false;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  Object.assign(store, {
    commit: async (batch: Parameters<typeof commit>[0]) => {
      isHeld = true;
      await held;
      return commit.call(store, batch);
    },
  });
  return { isHeld: () => isHeld, release };
}

describe('in-process work', () => {
  it('calls a tool without mapping with the whole state, and merges its result', async () => {
    const { run, settled, timeline } = await openTestRuntime({
      tools: {
        double: (input: { n: number }) => ({ n: input.n * 2 }),
        add: async (input: { n: number }) => ({ n: input.n + 1 }),
      },
    });
    const id = await run(line({ a: tool('double'), b: tool('add') }), { n: 4 });
    const view = await settled(id);
    expect(view).toMatchObject({ status: 'completed', state: { n: 9 }, stepsExecuted: 2, error: null });
    expect(await timeline(id)).toEqual([
      'workflow_started',
      'node_scheduled a',
      'node_started a',
      'tool_call_completed a',
      'node_completed a',
      'node_scheduled b',
      'node_started b',
      'tool_call_completed b',
      'node_completed b',
      'workflow_completed',
    ]);
  });

  it('gives a tool its context, and the same idempotency key on every attempt', async () => {
    const seen: ToolContext[] = [];
    const { run, settled, clock, runtime } = await openTestRuntime({
      tools: {
        flaky: (_input: unknown, ctx: ToolContext) => {
          seen.push(ctx);
          if (ctx.attempt < 2) throw new Error('not yet');
          return { ok: true };
        },
      },
    });
    const id = await run(line({ a: { ...tool('flaky'), retry_policy: 'quick' } }, quick));
    for (const attempt of [1, 2]) {
      await eventually(() => seen.length === attempt);
      await eventually(async () => (await runtime.execution('default', id)).sequence >= 1 + 4 * attempt);
      clock.advance(1000);
    }
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { ok: true } });
    expect(seen.map((ctx) => [ctx.executionId, ctx.nodeId, ctx.attempt])).toEqual([0, 1, 2].map((attempt) => [id, 'a', attempt]));
    expect(new Set(seen.map((ctx) => ctx.idempotencyKey)).size).toBe(1);
  });

  it('shares commits among all that is ready, also when more attempts begin than render their inputs in one turn', async () => {
    const { runtime, run, settled, store } = await openTestRuntime({ tools: { add: ({ n }: { n: number }) => ({ n: n + 1 }) } });
    const add = tool('add', { input_mapping: { n: '{{ state.n }}' } });
    await settled(await run(line({ a: add, b: add, c: add }), { n: 0 }));
    const sizes: number[] = [];
    const commit = store.commit.bind(store);
    store.commit = (batch) => {
      sizes.push(batch.units.length);
      return commit(batch);
    };
    const starts = Array.from({ length: 240 }, () => runtime.start(CALLER, { workflowId: 'line', input: { n: 0 } }));
    for (const { executionId } of await Promise.all(starts)) {
      expect(await settled(executionId)).toMatchObject({ status: 'completed', state: { n: 3 } });
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(4 * 240);
    expect(sizes.length).toBeLessThan(40);
  });

  it('stores the attempt before the function is called', async () => {
    const stored: unknown[] = [];
    const { run, settled, store } = await openTestRuntime({
      tools: {
        look: async (_input: unknown, ctx: ToolContext) => {
          const events = await store.events(ctx.executionId, { after: 0, limit: 100 });
          stored.push(events.rows.at(-1)?.type, (await store.execution(ctx.executionId))?.localWork);
          return {};
        },
      },
    });
    await settled(await run(line({ a: tool('look') })));
    expect(stored).toEqual(['node_started', 1]);
  });

  it('names the node in the error of a failed execution', async () => {
    const { run, settled } = await openTestRuntime({
      tools: {
        boom: () => {
          throw Object.assign(new Error('card declined'), { retryable: false });
        },
      },
    });
    const view = await settled(await run(line({ pay: tool('boom') })));
    expect(view.status).toBe('failed');
    expect(view.error).toContain('pay');
  });

  it('aborts the signal and fails the attempt at its deadline', async () => {
    let signal: AbortSignal | null = null;
    const { run, settled, clock } = await openTestRuntime({
      tools: {
        slow: (_input: unknown, ctx: ToolContext) => {
          signal = ctx.signal;
          return new Promise(() => {});
        },
      },
    });
    const id = await run(line({ a: { ...tool('slow'), node_timeout_secs: 5, retry_policy: 'no_retry' } }));
    await eventually(() => signal !== null);
    clock.advance(5000);
    expect(await settled(id)).toMatchObject({ status: 'failed' });
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
  });

  it('aborts the signal when the execution is cancelled, and drops a later result', async () => {
    let release: (value: unknown) => void = () => {};
    let signal: AbortSignal | null = null;
    const { run, runtime, log } = await openTestRuntime({
      tools: {
        slow: (_input: unknown, ctx: ToolContext) => {
          signal = ctx.signal;
          return new Promise((resolve) => {
            release = resolve;
          });
        },
      },
    });
    const id = await run(line({ a: tool('slow') }));
    await eventually(() => signal !== null);
    await runtime.cancel(CALLER, id);
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
    const before = await log(id);
    release({ late: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(await log(id)).toEqual(before);
    expect(before.at(-1)?.type).toBe('workflow_cancelled');
    await expect(runtime.cancel(CALLER, id)).rejects.toMatchObject({ code: 'already_terminal' });
  });

  it('does not start an attempt that was cancelled while it waited', async () => {
    const begun: ((value: object) => void)[] = [];
    const { run, runtime, settled } = await openTestRuntime({
      concurrency: 1,
      tools: { work: () => new Promise((resolve) => begun.push(resolve)) },
    });
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) ids.push(await run(line({ a: tool('work') })));
    const [first = '', second = '', third = ''] = ids;
    await eventually(() => begun.length === 1);
    await runtime.cancel(CALLER, second);
    begun[0]?.({});
    expect((await settled(first)).status).toBe('completed');
    await eventually(() => begun.length === 2);
    begun[1]?.({});
    expect((await settled(third)).status).toBe('completed');
    expect(begun).toHaveLength(2);
  });

  it('starts an attempt that was paused and resumed while its start was being committed', async () => {
    const begun: ((value: object) => void)[] = [];
    const { run, runtime, settled, store } = await openTestRuntime({
      concurrency: 1,
      tools: { work: () => new Promise((resolve) => begun.push(resolve)) },
    });
    const first = await run(line({ a: tool('work') }));
    const second = await run(line({ a: tool('work') }));
    await eventually(() => begun.length === 1);
    const { isHeld, release } = holdCommits(store);
    const third = runtime.start(CALLER, { workflowId: 'line' });
    await eventually(isHeld);
    // One commit has these messages, and then the start of the second execution's tool.
    const changes = [runtime.pause(CALLER, second), runtime.resume(CALLER, second)];
    await turns(20);
    begun[0]?.({});
    await turns(20);
    release();
    await Promise.all(changes);
    for (const [i, id] of [second, (await third).executionId].entries()) {
      await eventually(() => begun.length === i + 2);
      begun[i + 1]?.({});
      expect((await settled(id)).status).toBe('completed');
    }
    expect((await settled(first)).status).toBe('completed');
    expect(begun).toHaveLength(3);
  });

  it('frees its slot when another branch is taken while its start is being committed', async () => {
    const begun: ((value: object) => void)[] = [];
    const { run, runtime, settled, store, errors } = await openTestRuntime({
      concurrency: 1,
      tools: { work: () => new Promise((resolve) => begun.push(resolve)) },
    });
    const first = await run(line({ a: tool('work') }));
    const either = {
      workflow_id: 'either',
      version: '1',
      nodes: {
        split: { kind: { type: 'parallel', branches: ['a', 'ask'] } },
        a: tool('work'),
        ask: { kind: { type: 'human_approval' } },
        taken: { kind: { type: 'join', wait_for: ['a', 'ask'], merge_strategy: 'first' } },
      },
      edges: ['a', 'ask'].map((from) => ({ from, to: 'taken' })),
    } as never;
    const second = await run(either);
    await eventually(() => begun.length === 1);
    const { isHeld, release } = holdCommits(store);
    const third = runtime.start(CALLER, { workflowId: 'line' });
    await eventually(isHeld);
    begun[0]?.({});
    await turns(20);
    // One commit has the start of the second execution's tool, and then this.
    const approving = runtime.approve(CALLER, second, { decision: 'approved' });
    await turns(20);
    release();
    await approving;
    expect((await settled(second)).status).toBe('completed');
    await eventually(() => begun.length === 2);
    begun[1]?.({});
    expect((await settled((await third).executionId)).status).toBe('completed');
    expect((await settled(first)).status).toBe('completed');
    expect([begun.length, runtime.inProcess().running, errors]).toEqual([2, 0, []]);
  });

  it('runs at most `concurrency` attempts at the same time, and all of them eventually', async () => {
    let running = 0;
    let most = 0;
    const { run, settled } = await openTestRuntime({
      concurrency: 2,
      tools: {
        work: async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
        },
      },
    });
    const ids = await Promise.all(Array.from({ length: 9 }, () => run(line({ a: tool('work') }))));
    for (const id of ids) expect((await settled(id)).status).toBe('completed');
    expect(most).toBe(2);
  });
});
