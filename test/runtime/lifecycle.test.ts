import { describe, expect, it } from 'vitest';
import type { ToolContext } from '../../src/runtime/types/work.ts';
import { FakeClock } from '../support/clock.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../support/runtimes.ts';

const oneTool = (more: object = {}, node: object = {}) =>
  ({
    workflow_id: 'one',
    version: '1',
    nodes: { a: { kind: { type: 'tool', tool_ref: 'work' }, ...node } },
    edges: [],
    ...more,
  }) as never;
const waiting = {
  workflow_id: 'waiting',
  version: '1',
  nodes: { pause: { kind: { type: 'wait', condition: 'timer', timeout_secs: 60 } } },
  edges: [],
} as never;

/** A clock that counts the timeouts that keep the process alive. */
class Holding extends FakeClock {
  holds = 0;

  override after(delayMs: number, callback: () => void, keepAlive = false): () => void {
    const cancelTimeout = super.after(delayMs, callback);
    if (!keepAlive) return cancelTimeout;
    this.holds += 1;
    return () => {
      this.holds -= 1;
      cancelTimeout();
    };
  }
}

describe('closing a runtime', () => {
  it('lets the process exit, which was kept alive for timers', async () => {
    const clock = new Holding();
    const { close } = await openTestRuntime({ clock });
    expect(clock.holds).toBe(1);
    await close();
    expect(clock.holds).toBe(0);
  });

  it('lets in-process work finish within the grace period', async () => {
    let release: (value: unknown) => void = () => {};
    const path = databasePath();
    const first = await openTestRuntime({ path, tools: { work: () => new Promise((resolve) => (release = resolve)) } });
    const id = await first.run(oneTool());
    await eventually(() => release.length === 1);
    const closing = first.close(10_000);
    release({ done: true });
    await closing;
    const second = await openTestRuntime({ path, tools: { work: () => ({}) } });
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { done: true } });
  });

  it('hands unfinished work back: the next runtime starts it again as the same attempt', async () => {
    const attempts: number[] = [];
    const path = databasePath();
    const stubborn = { work: (_input: unknown, ctx: ToolContext) => new Promise(() => attempts.push(ctx.attempt)) };
    const first = await openTestRuntime({ path, tools: stubborn });
    const id = await first.run(oneTool());
    await eventually(() => attempts.length === 1);
    await first.close(0);
    const second = await openTestRuntime({
      path,
      tools: {
        work: (_input: unknown, ctx: ToolContext) => {
          attempts.push(ctx.attempt);
          return { ok: true };
        },
      },
    });
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { ok: true } });
    expect(attempts).toEqual([0, 0]);
  });

  it('does not run handed-back work again that has a single attempt', async () => {
    const path = databasePath();
    let calls = 0;
    const first = await openTestRuntime({ path, tools: { work: () => new Promise(() => (calls += 1)) } });
    const id = await first.run(oneTool({}, { retry_policy: 'no_retry' }));
    await eventually(() => calls === 1);
    await first.close(0);
    const second = await openTestRuntime({ path, tools: { work: () => (calls += 1) } });
    expect((await second.settled(id)).status).toBe('failed');
    expect(calls).toBe(1);
  });

  it('refuses new work while it closes', async () => {
    const one = await openTestRuntime({ tools: { work: () => ({}) } });
    await one.runtime.register(CALLER, oneTool());
    const closing = one.close();
    await expect(one.runtime.start(CALLER, { workflowId: 'one' })).rejects.toMatchObject({ code: 'shutting_down' });
    await closing;
  });

  it('locks out a second runtime on the same file', async () => {
    const one = await openTestRuntime();
    await expect(openTestRuntime({ path: one.path })).rejects.toMatchObject({ code: 'store_locked' });
  });
});

describe('durable timers', () => {
  it('fire after a restart, at their time', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const id = await first.run(waiting);
    expect((await first.settled(id)).status).toBe('paused');
    await first.close();
    const second = await openTestRuntime({ path, clock: first.clock });
    await new Promise((resolve) => setImmediate(resolve));
    expect((await second.runtime.execution('default', id)).status).toBe('paused');
    second.clock.advance(60_000);
    await eventually(async () => (await second.runtime.execution('default', id)).status === 'completed');
  });

  it('fire at once when they fell due while nothing ran', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const id = await first.run(waiting);
    await first.settled(id);
    await first.close();
    first.clock.advance(3_600_000);
    const second = await openTestRuntime({ path, clock: first.clock });
    await eventually(async () => (await second.runtime.execution('default', id)).status === 'completed');
  });

  it('cancel a workflow that times out while it is paused across a restart', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const approval = { kind: { type: 'human_approval', description: 'Go?' } };
    const id = await first.run({
      workflow_id: 'late',
      version: '1',
      nodes: { ask: approval },
      edges: [],
      timeouts: { workflow_timeout: 120 },
    } as never);
    expect((await first.settled(id)).status).toBe('paused');
    await first.close();
    const second = await openTestRuntime({ path, clock: first.clock });
    second.clock.advance(120_000);
    await eventually(async () => {
      // The first poll may be in progress: the next one follows a little later.
      second.clock.advance(100);
      return (await second.runtime.execution('default', id)).status === 'cancelled';
    });
    expect((await second.log(id)).at(-1)).toMatchObject({ type: 'workflow_cancelled', data: { reason: 'workflow timeout' } });
  });
});

describe('overload', () => {
  it('refuses new starts while too much work is waiting, and accepts them again later', async () => {
    const releases: ((value: unknown) => void)[] = [];
    const one = await openTestRuntime({ maxPending: 3, tools: { work: () => new Promise((resolve) => releases.push(resolve)) } });
    const id = await one.run(oneTool());
    for (let i = 0; i < 3; i += 1) await one.runtime.start(CALLER, { workflowId: 'one' });
    await eventually(() => releases.length === 4);
    await expect(one.runtime.start(CALLER, { workflowId: 'one' })).rejects.toMatchObject({ code: 'overloaded' });
    for (const release of releases) release({});
    await one.settled(id);
    await eventually(() =>
      one.runtime.start(CALLER, { workflowId: 'one' }).then(
        () => true,
        () => false,
      ),
    );
  });
});
