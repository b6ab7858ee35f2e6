import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const hang = (): Promise<never> => new Promise(() => {});

function locked(unlock: JsonObject = {}, more: JsonObject = {}): JsonObject {
  return {
    workflow_id: 'locked',
    version: '1',
    nodes: {
      work: { kind: { type: 'tool', tool_ref: 'work' }, retry_policy: 'no_retry' },
      unlock: { kind: { type: 'finalizer', tool_ref: 'unlock', input_mapping: { how: '{{ output.status }}' } }, ...unlock },
    },
    edges: [],
    ...more,
  };
}

describe('a finalizer', () => {
  it('runs before the execution completes, and when its work has failed', async () => {
    const seen: unknown[] = [];
    const tools = {
      work: ({ fails }: { fails?: boolean }) => {
        if (fails === true) throw new Error('out of paper');
        return { done: true };
      },
      unlock: (input: unknown) => void seen.push(input),
    };
    const { run, settled, timeline, errors } = await openTestRuntime({ tools });
    const id = await run(locked());
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { done: true }, stepsExecuted: 2 });
    expect(await timeline(id)).toEqual([
      'workflow_started',
      'node_scheduled work',
      'node_started work',
      'tool_call_completed work',
      'node_completed work',
      'workflow_finalizing',
      'node_scheduled unlock',
      'node_started unlock',
      'tool_call_completed unlock',
      'node_completed unlock',
      'workflow_completed',
    ]);
    expect(await settled(await run(locked(), { fails: true }))).toMatchObject({
      status: 'failed',
      error: 'work: out of paper',
    });
    expect(seen).toEqual([{ how: 'completed' }, { how: 'failed' }]);
    expect(errors).toEqual([]);
  });

  it('runs on a cancel, after the work in progress was aborted', async () => {
    const order: string[] = [];
    const tools = {
      work: (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            order.push('aborted');
            reject(new Error('aborted'));
          }),
        ),
      unlock: () => void order.push('unlocked'),
    };
    const { run, runtime, settled, timeline } = await openTestRuntime({ tools });
    const id = await run(locked());
    await eventually(async () => (await timeline(id)).includes('node_started work'));
    await runtime.cancel(CALLER, id, 'enough');
    expect(await settled(id)).toMatchObject({ status: 'cancelled', error: 'enough' });
    expect(order).toEqual(['aborted', 'unlocked']);
    await expect(runtime.cancel(CALLER, id)).rejects.toMatchObject({ code: 'already_terminal' });
  });

  it('that hangs is cut off after 30 seconds, or its own time, and changes nothing about the end', async () => {
    const { run, settled, timeline, clock, log } = await openTestRuntime({ tools: { work: () => 1, unlock: hang } });
    for (const [node, ms] of [
      [{}, 30_000],
      [{ node_timeout_secs: 2 }, 2_000],
    ] as const) {
      const id = await run(locked(node, { version: String(ms) }));
      await eventually(async () => (await timeline(id)).includes('node_started unlock'));
      clock.advance(ms - 1);
      expect((await timeline(id)).at(-1)).toBe('node_started unlock');
      clock.advance(1);
      expect((await settled(id)).status).toBe('completed');
      expect((await log(id)).find(({ type }) => type === 'node_failed')?.data).toMatchObject({
        error_class: 'timeout',
        retryable: false,
      });
    }
  });

  it('runs again after the runtime stopped in the middle', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path, tools: { work: () => ({ n: 1 }), unlock: hang } });
    const id = await first.run(locked());
    await eventually(async () => (await first.timeline(id)).includes('node_started unlock'));
    await first.close();
    first.clock.advance(3_600_000);

    const unlocked: unknown[] = [];
    const tools = { work: () => ({ n: 2 }), unlock: (input: unknown) => void unlocked.push(input) };
    const second = await openTestRuntime({ path, clock: first.clock, tools });
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { n: 1 } });
    expect(unlocked).toHaveLength(1);
    expect(second.errors).toEqual([]);
  });

  it('runs when the time of the workflow is over, which does not end it a second time', async () => {
    const { run, settled, timeline, clock, runtime, store } = await openTestRuntime({ tools: { work: hang, unlock: hang } });
    const id = await run(locked({ node_timeout_secs: 60 }, { timeouts: { workflow_timeout: 10, node_timeout: 100 } }));
    clock.advance(10_000);
    await eventually(async () => (await timeline(id)).includes('node_started unlock'));
    expect(await store.due(clock.nowMs(), 10)).toEqual([]);
    clock.advance(20_000);
    expect((await runtime.execution('default', id)).status).toBe('running');
    await expect(runtime.sendEvent(CALLER, id, { key: 'x', payload: 1 })).rejects.toMatchObject({
      code: 'conflict',
      message: 'execution is about to end; it takes no more events',
    });
    clock.advance(40_000);
    expect(await settled(id)).toMatchObject({ status: 'cancelled', error: 'workflow timeout' });
  });

  it('waits for an external worker for its time only', async () => {
    const { run, settled, timeline, clock, runtime } = await openTestRuntime({ tools: { work: () => 1 } });
    const id = await run(locked({ node_timeout_secs: 5 }));
    await eventually(async () => (await timeline(id)).includes('node_scheduled unlock'));
    clock.advance(5_000);
    expect((await settled(id)).status).toBe('completed');
    expect(await timeline(id)).toContain('timer_fired unlock');
    expect(await runtime.claim({ ...CALLER }, { workerId: 'w', queueTypes: ['tool'] })).toEqual([]);
  });

  it('is gone over again when a failed execution is retried', async () => {
    let fails = true;
    const unlocked: unknown[] = [];
    const tools = {
      work: () => {
        if (fails) throw new Error('out of paper');
        return {};
      },
      unlock: (input: unknown) => void unlocked.push(input),
    };
    const { run, runtime, settled, path, close } = await openTestRuntime({ tools });
    const id = await run(locked());
    expect((await settled(id)).status).toBe('failed');
    fails = false;
    await runtime.retry(CALLER, id);
    expect((await settled(id)).status).toBe('completed');
    expect(unlocked).toHaveLength(2);
    await close();
    const again = await openTestRuntime({ path });
    expect((await again.runtime.execution('default', id)).status).toBe('completed');
    expect(await again.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });
});
