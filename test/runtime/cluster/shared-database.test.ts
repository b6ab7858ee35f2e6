import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { approval, one, tool } from '../../support/cluster-workflows.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();
const cluster = () => openCluster(postgresDatabase(server));
/** A store that delivers no notifications. */
const elsewhere = (): Promise<string> => postgresDatabase(server).url();

describe('several runtimes on one database', () => {
  it('serve one execution together', async () => {
    const { join } = cluster();
    const tools = { work: (_: unknown, { nodeId }: ToolContext) => nodeId };
    const [a, b, c] = [await join({ tools }), await join({ tools }), await join({ tools })];
    const id = await a.run(approval);
    expect((await b.settled(id)).status).toBe('paused');
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    expect(await c.settled(id)).toMatchObject({ status: 'completed', state: { work: 'after' } });
    expect((await a.runtime.execution('default', id)).status).toBe('completed');
    for (const { errors } of [a, b, c]) expect(errors).toEqual([]);
  });

  it('show each client at once what it did through another runtime', async () => {
    const { join } = cluster();
    const [a, b] = [await join(), await join()];
    const id = await a.run(approval);
    for (let i = 0; i < 20; i += 1) {
      const [at, elsewhere] = i % 2 === 0 ? [a, b] : [b, a];
      await at.runtime.sendEvent(CALLER, id, { key: `k${i}`, payload: i });
      const { sequence } = await elsewhere.runtime.execution('default', id);
      expect(sequence).toBe((await at.runtime.execution('default', id)).sequence);
      expect((await elsewhere.log(id)).at(-1)).toMatchObject({ type: 'external_event_received', sequence });
    }
  });

  it('refuse nothing because of a stale cache', async () => {
    const { join } = cluster();
    const [a, b] = [await join(), await join()];
    const id = await b.run({
      workflow_id: 'twice',
      version: '1',
      nodes: { x: { kind: { type: 'human_approval' } }, y: { kind: { type: 'human_approval' } } },
      edges: [{ from: 'x', to: 'y' }],
    } as never);
    await a.runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'x' });
    await b.runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'y' });
    expect((await a.settled(id)).status).toBe('completed');
    await expect(b.runtime.approve(CALLER, id, { decision: 'approved' })).rejects.toMatchObject({ name: 'RuntimeError' });
  });

  it('accept messages for an execution of whose progress elsewhere they were not notified', async () => {
    const { join } = cluster();
    const [a, unnotified] = [await join(), await join({ listenUrl: await elsewhere() })];
    const id = await unnotified.run(approval);
    const send = (member: typeof a, key: string) => member.runtime.sendEvent(CALLER, id, { key, payload: key });
    for (let i = 0; i < 3; i += 1) {
      await send(a, `a${i}`);
      await send(unnotified, `b${i}`);
    }
    const received = (await a.log(id)).filter(({ type }) => type === 'external_event_received');
    expect(received.map(({ data }) => data.correlation_key)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  });

  it("apply a tenant's policy that was changed through another runtime", async () => {
    const { join } = cluster();
    const tools = { work: () => ({ done: true }) };
    const [a, b] = [await join({ tools }), await join({ tools })];
    expect((await b.settled(await b.run(one))).status).toBe('completed');
    const context = { tenantId: 'default', atMs: 0, actorId: 'root', actorType: 'human', request: null } as const;
    const change = async (policy: string | null): Promise<void> =>
      a.runtime.tenants.changed('default', await a.store.tenants.update('default', { policy }, context));
    const statusAt = async (member: typeof a): Promise<string> => (await member.settled(await member.run(one))).status;
    await change('{"blocked_tools":["work"]}');
    expect(await statusAt(a)).toBe('failed');
    await waitUntil(async () => (await statusAt(b)) === 'failed');
    await change(null);
    expect(await statusAt(a)).toBe('completed');
    await waitUntil(async () => (await statusAt(b)) === 'completed');
  });

  it('notify subscribers of an execution of commits by other runtimes', async () => {
    const { join } = cluster();
    const [a, b] = [await join({ tools: { work: () => 1 } }), await join()];
    const id = await a.run(approval);
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of b.runtime.subscribe('default', id)) seen.push(event.type);
    })();
    await waitUntil(() => seen.includes('interrupt_raised'));
    await a.runtime.approve(CALLER, id, { decision: 'approved' });
    await following;
    expect(seen.at(-1)).toBe('workflow_completed');
    expect(seen).toHaveLength((await a.log(id)).length);
  });

  it('trust their cache for at most a second without notifications', async () => {
    const { join } = cluster();
    const [a, unnotified] = [await join(), await join({ listenUrl: await elsewhere() })];
    // A runtime that has just started reads again by itself.
    unnotified.clock.advance(1_000);
    const id = await unnotified.run(one);
    const [item] = await a.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'] });
    await a.runtime.complete(CALLER, item?.id ?? '', { output: { done: true }, leaseFence: 1 });
    const waiting = unnotified.settled(id);
    await setImmediate();
    unnotified.clock.advance(1_000);
    expect((await waiting).status).toBe('completed');
  });

  it('notify a runtime that they took for lost of what it missed, once it is live again', async () => {
    const { join, advance: pass } = cluster();
    const [a, b] = [await join({ tools: { work: () => 1 } }), await join()];
    const id = await a.run(approval);
    expect((await a.settled(id)).status).toBe('paused');
    b.freeze();
    await pass(50_000);
    await b.thaw();
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of b.runtime.subscribe('default', id)) seen.push(event.type);
    })();
    await waitUntil(() => seen.includes('interrupt_raised'));
    await a.runtime.approve(CALLER, id, { decision: 'approved' });
    expect((await a.settled(id)).status).toBe('completed');
    await pass(10_000);
    await waitUntil(() => seen.includes('workflow_completed'));
    await following;
  });

  it('hand work to workers that poll another runtime', async () => {
    const { join } = cluster();
    const [a, b] = [await join(), await join()];
    const claiming = b.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'], waitMs: 60_000 });
    const id = await a.run(one);
    const [item] = await claiming;
    expect(item?.executionId).toBe(id);
    await a.runtime.complete(CALLER, item?.id ?? '', { output: { done: true }, leaseFence: 1 });
    expect((await b.settled(id)).status).toBe('completed');
  });

  it('are listed together', async () => {
    const { join } = cluster();
    const [a, b] = [await join(), await join()];
    const ids = (await a.runtime.workers('default')).map((worker) => worker.id);
    expect([...ids].sort()).toEqual([a.runtime.id, b.runtime.id].sort());
    await b.close();
    expect((await a.runtime.workers('default')).map((worker) => worker.id)).toEqual([a.runtime.id]);
  });

  it('start each child once, and notify its parent once', async () => {
    const { join } = cluster();
    const tools = { work: () => ({ ok: true }) };
    const members = [await join({ tools }), await join({ tools }), await join({ tools })];
    const [a, b] = members as [(typeof members)[0], (typeof members)[0]];
    await a.runtime.register(CALLER, one);
    const children = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`n${i}`, { kind: { type: 'subgraph', workflow_ref: 'one', output_key: `n${i}` } }]),
    );
    const nodes = { fork: tool('work'), ...children };
    const edges = Object.keys(children).map((to) => ({ from: 'fork', to }));
    const ids = await Promise.all(
      Array.from({ length: 5 }, (_, i) => b.run({ workflow_id: `fan${i}`, version: '1', nodes, edges } as never)),
    );
    for (const id of ids) {
      expect(await a.settled(id)).toMatchObject({ status: 'completed' });
      const types = (await a.log(id)).map((event) => event.type);
      expect(types.filter((type) => type === 'node_completed')).toHaveLength(9);
    }
    const { executions } = await a.runtime.executions('default', { limit: 100 });
    expect(executions).toHaveLength(5 + 40);
    await waitUntil(async () => (await a.store.inbox({ after: 0, limit: 1 })).length === 0);
  });
});

describe('a timer', () => {
  const wait = {
    workflow_id: 'wait',
    version: '1',
    nodes: { w: { kind: { type: 'wait', condition: 'timer', duration_secs: 5 } } },
    edges: [],
  } as never;

  it('fires once', async () => {
    const { join, advance: pass } = cluster();
    const members = [await join(), await join(), await join()];
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) ids.push(await (members[i % 3] as (typeof members)[0]).run(wait));
    await pass(5_000);
    for (const id of ids) {
      await waitUntil(
        async () => (await (members[0] as (typeof members)[0]).runtime.execution('default', id)).status === 'completed',
      );
      expect((await (members[0] as (typeof members)[0]).settled(id)).status).toBe('completed');
      expect((await (members[1] as (typeof members)[0]).log(id)).filter((event) => event.type === 'timer_fired')).toHaveLength(1);
    }
    for (const { errors } of members) expect(errors).toEqual([]);
  });

  it('fires a little late when the responsible runtime is unreachable', async () => {
    const { join, advance: pass } = cluster();
    const [a, b, c] = [await join(), await join(), await join()];
    const startedMs = a.clock.nowMs();
    const ids: string[] = [];
    for (let i = 0; i < 10; i += 1) ids.push(await a.run(wait));
    b.freeze();
    c.freeze();
    await pass(5_000);
    const left = async () => (await a.store.due(a.clock.nowMs(), 100)).length;
    expect(await left()).toBeGreaterThan(0);
    await waitUntil(async () => {
      a.clock.advance(100);
      return (await left()) === 0;
    });
    expect(a.clock.nowMs()).toBeGreaterThanOrEqual(startedMs + 7_000);
    for (const id of ids) await waitUntil(async () => (await a.runtime.execution('default', id)).status === 'completed');
  });
});
