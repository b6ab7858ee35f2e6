import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Caller } from '../../../../src/runtime/types/caller.ts';

import { CALLER, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const tool = (ref: string) => ({ kind: { type: 'tool', tool_ref: ref } });
const line = (nodes: Record<string, object>): JsonObject => {
  const ids = Object.keys(nodes);
  const edges = ids.map((from, i) => ({ from, to: ids[i + 1] ?? 'end' }));
  return { workflow_id: `line-${JSON.stringify(nodes)}`, version: '1', nodes, edges } as JsonObject;
};

const OTHER: Caller = { tenantId: 'other', actorId: 'tester', actorType: 'human' };
const FOREVER = () => new Promise<never>(() => {});

/** Parallel nodes and their join. */
function fan(width: number, ref: string, node: JsonObject = {}): JsonObject {
  const names = Array.from({ length: width }, (_, i) => `n${i}`);
  return {
    workflow_id: `fan-${ref}`,
    version: '1',
    start_node: 'split',
    nodes: {
      split: { kind: { type: 'parallel', branches: names } },
      ...Object.fromEntries(names.map((id) => [id, { kind: { type: 'tool', tool_ref: ref }, ...node }])),
    },
    edges: [],
  };
}

describe('in-process work', () => {
  it('of a tenant whose tools hang leaves slots to other tenants', async () => {
    const { runtime, run } = await openTestRuntime({ concurrency: 8, tools: { hang: FOREVER, quick: () => ({ done: true }) } });
    for (let i = 0; i < 12; i += 1) await run(line({ a: tool('hang') }));
    expect(runtime.inProcess('default')).toMatchObject({ running: 8, waiting: 4 });

    const { workflowId } = await runtime.register(OTHER, line({ a: tool('quick') }));
    const { executionId } = await runtime.start(OTHER, { workflowId });
    await eventually(async () => (await runtime.execution('other', executionId)).status === 'completed');
    expect(runtime.inProcess()).toMatchObject({ running: 8, waiting: 4 });
  });

  it('of an execution that fans out leaves slots to other executions of its tenant', async () => {
    const { run, settled } = await openTestRuntime({ concurrency: 16, tools: { hang: FOREVER, quick: () => ({}) } });
    await run(fan(40, 'hang'));
    expect((await settled(await run(line({ a: tool('quick') })))).status).toBe('completed');
  });

  it('needs a separate commit to start only when it had to wait', async () => {
    const ends: (() => void)[] = [];
    const { run, runtime, log, settled } = await openTestRuntime({
      concurrency: 1,
      tools: { work: () => new Promise<void>((resolve) => ends.push(resolve)) },
    });
    const first = await run(line({ a: tool('work') }));
    const second = await run(line({ a: tool('work') }));
    expect((await log(first)).map(({ type }) => type)).toEqual(['workflow_started', 'node_scheduled', 'node_started']);
    expect((await log(second)).map(({ type }) => type)).toEqual(['workflow_started', 'node_scheduled']);
    const { active } = await runtime.stateAt('default', second, 2);
    expect(active).toMatchObject([{ node: 'a', phase: 'queued', local: true }]);

    ends[0]?.();
    await eventually(() => ends.length === 2);
    expect((await log(second)).at(-1)).toMatchObject({ type: 'node_started', data: { worker_id: runtime.id, attempt: 0 } });
    ends[1]?.();
    expect((await settled(second)).status).toBe('completed');
  });

  it('counts its timeout from its start, and fails retryably when it waits too long', async () => {
    const begun: string[] = [];
    const { run, clock, runtime, log } = await openTestRuntime({
      concurrency: 1,
      maxSlotWaitMs: 600_000,
      tools: {
        work: (_input, { executionId }) => {
          begun.push(executionId);
          return FOREVER();
        },
      },
    });
    const node = { ...tool('work'), timeout: 400, retry_policy: 'no_retry' };
    const first = await run(line({ a: node }));
    const second = await run(line({ a: node }));
    const third = await run(line({ a: { ...node, retry_policy: 'io_default' } }));
    clock.advance(390_000);
    expect(runtime.inProcess('default')).toMatchObject({ waiting: 2, oldestWaitingSinceMs: clock.nowMs() - 390_000 });
    clock.advance(10_000);
    await eventually(async () => (await runtime.execution('default', first)).status === 'failed');
    await eventually(() => begun.includes(second));
    // 200 s after the start of the second, the third has waited for 600 s.
    clock.advance(200_000);
    await eventually(async () => (await log(third)).some(({ type }) => type === 'node_failed'));
    expect((await runtime.execution('default', second)).status).toBe('running');
    expect((await log(third)).filter(({ type }) => type === 'node_failed' || type === 'retry_scheduled')).toMatchObject([
      {
        data: {
          error: 'waited 600 s for a slot; tenant default has 1 in-process attempts running, of at most 1',
          retryable: true,
          attempt: 0,
        },
      },
      { data: { attempt: 1 } },
    ]);
    expect(begun).toEqual([first, second]);
  });

  it('that waits is deferred by a pause, and cancelled with its execution', async () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const { run, runtime, timeline } = await openTestRuntime({
      concurrency: 1,
      tools: {
        work: (_input, { executionId }) => {
          begun.push(executionId);
          return new Promise<void>((resolve) => ends.push(resolve));
        },
      },
    });
    const ids: string[] = [];
    while (ids.length < 4) ids.push(await run(line({ a: tool('work') })));
    const [first = '', paused = '', cancelled = '', last = ''] = ids;
    await runtime.pause(CALLER, paused);
    await runtime.cancel(CALLER, cancelled);
    ends[0]?.();
    await eventually(() => begun.length === 2);
    expect(begun).toEqual([first, last]);
    await runtime.resume(CALLER, paused);
    ends[1]?.();
    await eventually(() => begun.length === 3);
    expect(begun).toEqual([first, last, paused]);
    expect(await timeline(paused)).toEqual([
      'workflow_started',
      'node_scheduled a',
      'workflow_paused',
      'workflow_resumed',
      'node_scheduled a',
      'node_started a',
    ]);
  });

  it('that waited when its runtime was lost starts again without a lost attempt', async () => {
    const path = databasePath();
    const begun: string[] = [];
    const work = (_input: unknown, { executionId, attempt }: { executionId: string; attempt: number }) => {
      begun.push(`${executionId} ${attempt}`);
      return {};
    };
    const before = await openTestRuntime({ path, id: 'lost', concurrency: 1, tools: { work: FOREVER } });
    const node = { ...tool('work'), retry_policy: 'no_retry' };
    const first = await before.run(line({ a: node }));
    const second = await before.run(line({ a: node }));
    // As after a crash: the stop is not recorded.
    await before.store.close();
    await before.close().catch(() => {});

    const after = await openTestRuntime({ path, tools: { work } });
    expect((await after.settled(second)).status).toBe('completed');
    expect((await after.settled(first)).status).toBe('failed');
    expect(begun).toEqual([`${second} 0`]);
  });
});
