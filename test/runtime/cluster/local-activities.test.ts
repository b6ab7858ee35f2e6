import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../../src/runtime/heartbeats.ts';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { openCluster, waitUntil, waitUntilWithClock } from '../../support/cluster.ts';
import { one, pair, tool } from '../../support/cluster-workflows.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();
const cluster = () => openCluster(postgresDatabase(server));

describe('in-process work', () => {
  it('is started by the owner, whichever runtime makes it due', async () => {
    const { join } = cluster();
    const done: string[] = [];
    let finish: (value: unknown) => void = () => {};
    const toolsOf = (name: string) => ({
      slow: () => new Promise((resolve) => (finish = resolve)),
      quick: () => done.push(name),
    });
    const [a, b] = [await join({ tools: toolsOf('a') }), await join({ tools: toolsOf('b') })];
    const id = await a.run(pair);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await waitUntil(() => done.length > 0);
    await waitUntil(async () => (await b.log(id)).some((event) => event.type === 'node_completed' && event.nodeId === 'quick'));
    expect(done).toEqual(['a']);
    const started = (await b.log(id)).find((event) => event.type === 'node_started' && event.nodeId === 'quick');
    expect(started?.data.worker_id).toBe(a.runtime.id);
    finish({});
    expect((await b.settled(id)).status).toBe('completed');
  });

  it.each([
    ['the owner', 0],
    ['another runtime', 1],
  ])('that waited for a slot when %s paused its execution is done once another has resumed it', async (_who, pausing) => {
    const { join } = cluster();
    const finish: (() => void)[] = [];
    const tools = {
      slow: () => new Promise<object>((resolve) => finish.push(() => resolve({}))),
    };
    const members = [await join({ tools, concurrency: 1 }), await join({ tools, concurrency: 1 })] as const;
    const [owner, other] = members;
    const id = await owner.run({
      workflow_id: 'both',
      version: '1',
      nodes: { all: { kind: { type: 'parallel', branches: ['a', 'b'] } }, a: tool('slow'), b: tool('slow') },
      edges: [],
    });
    const waiting = () => owner.runtime.inProcess('default').waiting;
    await waitUntil(() => finish.length === 1 && waiting() === 1);
    await members[pausing]?.runtime.pause(CALLER, id, 'wait');
    await waitUntil(() => waiting() === 0);
    await other.runtime.resume(CALLER, id);
    await waitUntil(async () => {
      finish.shift()?.();
      return (await other.runtime.execution('default', id)).status === 'completed';
    });
  });

  it('is put on the queue by an owner that lacks the tool, and done by a runtime that has it', async () => {
    const { join, advance: pass } = cluster();
    let finish: (value: unknown) => void = () => {};
    const a = await join({ tools: { slow: () => new Promise((resolve) => (finish = resolve)) } });
    const b = await join({ tools: { quick: () => ({ by: 'b' }) } });
    const id = await a.run(pair);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await waitUntil(async () => (await a.store.unclaimedWork({ queue: 'tool', after: '', limit: 1 })).length === 1);
    finish({});
    await waitUntil(async () => {
      await pass(HEARTBEAT_MS);
      return (await b.runtime.execution('default', id)).status === 'completed';
    });
    const failed = (await b.log(id)).filter((event) => event.type === 'node_failed');
    expect(failed).toEqual([]);
    expect(await b.settled(id)).toMatchObject({ state: { quick: { by: 'b' } } });
  });

  it('is aborted at its owner when it is cancelled through another runtime', async () => {
    const { join } = cluster();
    let aborted = false;
    const work = (_: unknown, { signal }: ToolContext) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve(null);
        });
      });
    const [a, b] = [await join({ tools: { work } }), await join()];
    const id = await a.run(one);
    await b.runtime.cancel(CALLER, id);
    await waitUntil(() => aborted);
    expect((await a.settled(id)).status).toBe('cancelled');
  });
});

describe('a node with a single attempt', () => {
  const steps = Array.from({ length: 6 }, (_, i) => `s${i}`);
  const once = {
    workflow_id: 'once',
    version: '1',
    nodes: Object.fromEntries(steps.map((id) => [id, tool('work', { retry_policy: 'no_retry' })])),
    edges: steps.map((from, i) => ({ from, to: steps[i + 1] ?? 'end' })),
  } as never;

  it('continues at another runtime when its runtime stops between two steps', async () => {
    const { join } = cluster();
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const toolsOf = (name: string) => ({
      work: (_: unknown, { nodeId }: ToolContext) => {
        begun.push(`${nodeId} ${name}`);
        return name === 'a' ? new Promise<void>((resolve) => finish.push(resolve)) : {};
      },
    });
    const [a, b] = [await join({ tools: toolsOf('a') }), await join({ tools: toolsOf('b') })];
    await waitUntil(async () => (await a.runtime.workers('default')).length === 2);
    const id = await a.run(once);
    await waitUntil(() => finish.length === 1);
    const closing = a.close(10_000);
    finish[0]?.();
    await closing;
    await waitUntil(async () => (await b.runtime.execution('default', id)).status !== 'running');
    expect((await b.settled(id)).status).toBe('completed');
    expect(begun).toEqual(['s0 a', ...steps.slice(1).map((step) => `${step} b`)]);
  });

  it('fails when its runtime stops during the attempt, and the parallel branch continues', async () => {
    const { join } = cluster();
    const begun: string[] = [];
    const toolsOf = (name: string) => ({
      slow: () => {
        begun.push(`slow ${name}`);
        return new Promise(() => {});
      },
      quick: () => {
        begun.push(`quick ${name}`);
        return {};
      },
    });
    const parts = (pair as { nodes: object }).nodes;
    const retry = { retry_policy: 'no_retry' };
    const nodes = { ...parts, slow: tool('slow', retry), quick: tool('quick', retry) };
    const a = await join({ tools: toolsOf('a') });
    const b = await join({ tools: toolsOf('b') });
    const id = await a.run({ ...(pair as object), nodes } as never);
    await waitUntil(() => begun.length === 1);
    const closing = a.close(500);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await waitUntilWithClock(a, async () => (await b.runtime.execution('default', id)).status === 'failed');
    await closing;
    await waitUntil(() => begun.length === 2);
    expect(begun).toEqual(['slow a', 'quick b']);
  });
});
