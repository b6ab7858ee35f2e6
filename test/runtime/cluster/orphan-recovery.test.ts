import { describe, expect, it, onTestFinished } from 'vitest';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { StoreError } from '../../../store/port/errors.ts';
import { type ClusterMember, openCluster, waitUntil } from '../../support/cluster.ts';
import { one, pair, RETRY, tool } from '../../support/cluster-workflows.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();
const cluster = () => openCluster(postgresDatabase(server));

/** Holds the next look for executions with in-process work until the end of the test; resolves once it is asked for. */
function holdNextLook({ store }: ClusterMember): Promise<void> {
  const look = store.executionsWithLocalWork.bind(store);
  const ended = new Promise((resolve) => onTestFinished(resolve));
  return new Promise((resolve) => {
    store.executionsWithLocalWork = async (asked) => {
      store.executionsWithLocalWork = look;
      resolve();
      await ended;
      return look(asked);
    };
  });
}

/** The next commit is applied, and its reply is lost. */
function loseNextReply({ store }: ClusterMember): void {
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    store.commit = commit;
    await commit(batch);
    throw new StoreError('store_unavailable', 'the database became unreachable during a commit');
  };
}

describe('a runtime that is lost', () => {
  it('is detected, and its work starts again elsewhere; its own late results are refused', async () => {
    const { join, advance: pass } = cluster();
    const attempts: string[] = [];
    let late: (value: unknown) => void = () => {};
    const toolsOf = (name: string) => ({
      work: (_: unknown, { attempt }: ToolContext) => {
        attempts.push(`${name}${attempt}`);
        return name === 'a' ? new Promise((resolve) => (late = resolve)) : { by: name };
      },
    });
    const a = await join({ tools: toolsOf('a') });
    const b = await join({ tools: toolsOf('b') });
    const id = await a.run(one);
    await waitUntil(() => attempts.length === 1);
    a.freeze();
    await pass(30_000);
    expect((await b.runtime.execution('default', id)).status).toBe('running');
    await pass(10_000);
    expect(await b.settled(id)).toMatchObject({ status: 'completed', state: { work: { by: 'b' } } });
    expect(attempts).toEqual(['a0', 'b1']);
    const before = await b.log(id);
    expect(before.find((event) => event.type === 'node_failed')).toMatchObject({ data: { error: 'runtime lost' } });
    await a.thaw();
    late({ by: 'a' });
    await pass(10_000);
    await waitUntil(async () => (await b.runtime.workers('default')).filter((worker) => worker.status === 'active').length === 2);
    expect(await b.log(id)).toEqual(before);
    expect(await a.runtime.execution('default', id)).toMatchObject({ status: 'completed', state: { work: { by: 'b' } } });
  });

  it('has each attempt recovered once, by one of the remaining runtimes', async () => {
    const { join, advance: pass } = cluster();
    const begun: string[] = [];
    const toolsOf = (name: string) => ({
      work: (_: unknown, { executionId, attempt }: ToolContext) => {
        begun.push(`${executionId} ${attempt}`);
        return name === 'a' ? new Promise(() => {}) : { by: name };
      },
    });
    const a = await join({ tools: toolsOf('a') });
    const b = await join({ tools: toolsOf('b') });
    await join({ tools: toolsOf('c') });
    const ids: string[] = [];
    for (let i = 0; i < 20; i += 1) ids.push(await a.run(one));
    await waitUntil(() => begun.length === 20);
    a.freeze();
    await pass(60_000);
    for (const id of ids) expect((await b.settled(id)).status).toBe('completed');
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun).toHaveLength(40);
    const by = await Promise.all(ids.map(async (id) => JSON.stringify((await b.runtime.execution('default', id)).state)));
    expect(new Set(by).size).toBe(2);
  });

  it('loses nothing when a message arrives before it is detected', async () => {
    const { join, advance: pass } = cluster();
    const begun: string[] = [];
    const toolsOf = (name: string) => {
      const work = (_: unknown, { nodeId, attempt }: ToolContext) => {
        begun.push(`${nodeId}${attempt} ${name}`);
        return name === 'a' ? new Promise(() => {}) : {};
      };
      return { slow: work, quick: work };
    };
    const retried = { retry_policy: 'quick' };
    const nodes = { ...(pair as { nodes: object }).nodes, slow: tool('slow', retried), quick: tool('quick', retried) };
    const [a, b] = [await join({ tools: toolsOf('a') }), await join({ tools: toolsOf('b') })];
    const id = await a.run({ ...(pair as object), retry_policies: RETRY, nodes } as never);
    await waitUntil(() => begun.length === 1);
    a.freeze();
    await pass(20_000);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await waitUntil(() => begun.length === 2);
    await pass(30_000);
    await waitUntil(async () => (await b.runtime.execution('default', id)).status === 'completed');
    expect(begun.slice(0, 2)).toEqual(['slow0 a', 'quick0 a']);
    expect(begun.slice(2).sort()).toEqual(['quick1 b', 'slow1 b']);
  });

  it.each(['has', 'lacks'])(
    'has its attempt counted as failed by one that took over unknowingly and %s the tool',
    async (which) => {
      const { join, advance: pass } = cluster();
      const begun: string[] = [];
      const toolsOf = (name: string) => ({ slow: () => new Promise(() => begun.push(name)) });
      const [a, b] = [await join({ tools: toolsOf('a') }), await join(which === 'has' ? { tools: toolsOf('b') } : {})];
      const nodes = { ...(pair as { nodes: object }).nodes, slow: tool('slow', { retry_policy: 'no_retry' }) };
      const id = await a.run({ ...(pair as object), nodes } as never);
      await waitUntil(() => begun.length === 1);
      await pass(10_000);
      a.freeze();
      const held = holdNextLook(b);
      await pass(60_000);
      await held;
      loseNextReply(b);
      await expect(b.runtime.approve(CALLER, id, { decision: 'approved' })).rejects.toMatchObject({ code: 'store_unavailable' });
      const ofSlow = async () => (await b.log(id)).filter(({ nodeId }) => nodeId === 'slow');
      await waitUntil(async () => (await ofSlow()).length > 2);
      const log = await ofSlow();
      expect(log.map(({ type }) => type)).toEqual(['node_scheduled', 'node_started', 'node_failed']);
      expect(log.at(-1)).toMatchObject({ data: { error: 'runtime lost', attempt: 0 } });
      expect(begun).toEqual(['a']);
    },
  );

  it('has its attempt counted as failed by one that took over unknowingly and stops', async () => {
    const { join, advance: pass } = cluster();
    const begun: string[] = [];
    const toolsOf = (name: string) => ({ slow: () => new Promise(() => begun.push(name)) });
    const [a, b] = [await join({ tools: toolsOf('a') }), await join({ tools: toolsOf('b') })];
    const nodes = { ...(pair as { nodes: object }).nodes, slow: tool('slow', { retry_policy: 'no_retry' }) };
    const id = await a.run({ ...(pair as object), nodes } as never);
    await waitUntil(() => begun.length === 1);
    await pass(10_000);
    a.freeze();
    const sweep = holdNextLook(b);
    await pass(60_000);
    await sweep;
    const c = await join({ tools: toolsOf('c') });
    const reconcile = holdNextLook(b);
    loseNextReply(b);
    await expect(b.runtime.approve(CALLER, id, { decision: 'approved' })).rejects.toMatchObject({ code: 'store_unavailable' });
    await reconcile;
    void b.close();
    const ofSlow = async () => (await c.log(id)).filter(({ nodeId }) => nodeId === 'slow');
    await waitUntil(async () => (await ofSlow()).length > 2);
    const log = await ofSlow();
    expect(log.map(({ type }) => type)).toEqual(['node_scheduled', 'node_started', 'node_failed']);
    expect(begun).toEqual(['a']);
  });
});

describe('a runtime that stops cleanly', () => {
  it('hands over at once: the same attempt starts again elsewhere', async () => {
    const { join } = cluster();
    const begun: string[] = [];
    const toolsOf = (name: string) => ({
      work: (_: unknown, { attempt }: ToolContext) => {
        begun.push(`${name}${attempt}`);
        return name === 'a' ? new Promise(() => {}) : { by: name };
      },
    });
    const a = await join({ tools: toolsOf('a') });
    const b = await join({ tools: toolsOf('b') });
    const id = await a.run(one);
    await waitUntil(() => begun.length === 1);
    await a.close();
    expect(await b.settled(id)).toMatchObject({ status: 'completed', state: { work: { by: 'b' } } });
    expect(begun).toEqual(['a0', 'b0']);
  });

  it('loses nothing when each runtime is restarted in turn under load', async () => {
    const { join } = cluster();
    const tools = { work: async () => ({ ok: true }) };
    let members = [await join({ tools }), await join({ tools })];
    const ids: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 5; i += 1) ids.push(await (members[i % 2] as (typeof members)[0]).run(one));
      const next = await join({ tools });
      await members[0]?.close(1_000);
      members = [...members.slice(1), next];
    }
    for (const id of ids) expect((await (members[0] as (typeof members)[0]).settled(id)).status).toBe('completed');
  });
});
