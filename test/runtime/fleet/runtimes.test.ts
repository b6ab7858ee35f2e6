import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ToolContext } from '../../../src/runtime/types.ts';
import { openFleet, soon } from '../../support/fleet.ts';
import { openLine } from '../../support/line.ts';
import { type PostgresServer, postgresDatabase, startPostgres } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const fleet = () => openFleet(postgresDatabase(() => server));

const approval = {
  workflow_id: 'approval',
  version: '1',
  nodes: { before: tool('work'), review: { kind: { type: 'human_approval' } }, after: tool('work') },
  edges: [
    { from: 'before', to: 'review' },
    { from: 'review', to: 'after' },
    { from: 'after', to: 'end' },
  ],
} as never;

/** Two branches done in process, joined. */
const pair = {
  workflow_id: 'pair',
  version: '1',
  nodes: {
    fork: { kind: { type: 'condition', branches: [] } },
    slow: tool('slow'),
    ask: { kind: { type: 'human_approval' } },
    quick: tool('quick'),
  },
  edges: [
    { from: 'fork', to: 'slow' },
    { from: 'fork', to: 'ask' },
    { from: 'ask', to: 'quick' },
  ],
} as never;

function tool(ref: string, more: object = {}) {
  return { kind: { type: 'tool', tool_ref: ref, output_key: ref }, ...more };
}

const RETRY = {
  quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: ['io_error'] },
};
const one = {
  workflow_id: 'one',
  version: '1',
  nodes: { a: tool('work', { retry_policy: 'quick' }) },
  edges: [],
  retry_policies: RETRY,
} as never;

describe('several runtimes on one database', () => {
  it('serve one execution together', async () => {
    const { join } = fleet();
    const tools = { work: (_: unknown, { nodeId }: ToolContext) => nodeId };
    const [a, b, c] = [await join({ tools }), await join({ tools }), await join({ tools })];
    const id = await a.run(approval);
    expect((await b.settled(id)).status).toBe('paused');
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    expect(await c.settled(id)).toMatchObject({ status: 'completed', state: { work: 'after' } });
    expect((await a.runtime.execution('default', id)).status).toBe('completed');
    for (const { errors } of [a, b, c]) expect(errors).toEqual([]);
  });

  it('show each client what it did through another, at once', async () => {
    const { join } = fleet();
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

  it('refuse nothing because of what they remember', async () => {
    const { join } = fleet();
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

  it('tell those who follow an execution what others commit', async () => {
    const { join } = fleet();
    const [a, b] = [await join({ tools: { work: () => 1 } }), await join()];
    const id = await a.run(approval);
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of b.runtime.subscribe('default', id)) seen.push(event.type);
    })();
    await soon(() => seen.includes('interrupt_raised'));
    await a.runtime.approve(CALLER, id, { decision: 'approved' });
    await following;
    expect(seen.at(-1)).toBe('workflow_completed');
    expect(seen).toHaveLength((await a.log(id)).length);
  });

  it('hand work to workers that wait at another', async () => {
    const { join } = fleet();
    const [a, b] = [await join(), await join()];
    const claiming = b.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'], waitMs: 60_000 });
    const id = await a.run(one);
    const [item] = await claiming;
    expect(item?.execution_id).toBe(id);
    await a.runtime.complete(CALLER, item?.id ?? '', { output: { done: true }, leaseFence: 1 });
    expect((await b.settled(id)).status).toBe('completed');
  });

  it('are listed together', async () => {
    const { join } = fleet();
    const [a, b] = [await join(), await join()];
    const ids = (await a.runtime.workers('default')).map((worker) => worker.id);
    expect([...ids].sort()).toEqual([a.runtime.id, b.runtime.id].sort());
    await b.close();
    expect((await a.runtime.workers('default')).map((worker) => worker.id)).toEqual([a.runtime.id]);
  });

  it('start each child once, and tell its parent once', async () => {
    const { join } = fleet();
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
    await soon(async () => (await a.store.inbox({ after: 0, limit: 1 })).length === 0);
  });
});

describe('in-process work', () => {
  it('is begun by the owner, whoever makes it due', async () => {
    const { join } = fleet();
    const done: string[] = [];
    let finish: (value: unknown) => void = () => {};
    const toolsOf = (name: string) => ({
      slow: () => new Promise((resolve) => (finish = resolve)),
      quick: () => done.push(name),
    });
    const [a, b] = [await join({ tools: toolsOf('a') }), await join({ tools: toolsOf('b') })];
    const id = await a.run(pair);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await soon(() => done.length > 0);
    await soon(async () => (await b.log(id)).some((event) => event.type === 'node_completed' && event.nodeId === 'quick'));
    expect(done).toEqual(['a']);
    const started = (await b.log(id)).find((event) => event.type === 'node_started' && event.nodeId === 'quick');
    expect(started?.data.worker_id).toBe(a.runtime.id);
    finish({});
    expect((await b.settled(id)).status).toBe('completed');
  });

  it('is put on the queue by an owner that cannot do it, and done by one that can', async () => {
    const { join } = fleet();
    let finish: (value: unknown) => void = () => {};
    const a = await join({ tools: { slow: () => new Promise((resolve) => (finish = resolve)) } });
    const b = await join({ tools: { quick: () => ({ by: 'b' }) } });
    const id = await a.run(pair);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await soon(async () => (await a.store.unclaimedWork({ queue: 'tool', after: '', limit: 1 })).length === 1);
    finish({});
    await soon(async () => {
      b.clock.advance(10_000);
      a.clock.advance(10_000);
      return (await b.runtime.execution('default', id)).status === 'completed';
    });
    const failed = (await b.log(id)).filter((event) => event.type === 'node_failed');
    expect(failed).toEqual([]);
    expect(await b.settled(id)).toMatchObject({ state: { quick: { by: 'b' } } });
  });

  it('is aborted at its owner when somebody cancels it elsewhere', async () => {
    const { join } = fleet();
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
    await soon(() => aborted);
    expect((await a.settled(id)).status).toBe('cancelled');
  });
});

describe('a runtime that is lost', () => {
  it('is noticed, and its work begun again elsewhere; what it still does comes too late', async () => {
    const { join, pass } = fleet();
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
    await soon(() => attempts.length === 1);
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
    await soon(async () => (await b.runtime.workers('default')).filter((worker) => worker.status === 'active').length === 2);
    expect(await b.log(id)).toEqual(before);
    expect(await a.runtime.execution('default', id)).toMatchObject({ status: 'completed', state: { work: { by: 'b' } } });
  });

  it('is taken over by one of those that are left, once for each attempt', async () => {
    const { join, pass } = fleet();
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
    await soon(() => begun.length === 20);
    a.freeze();
    await pass(60_000);
    for (const id of ids) expect((await b.settled(id)).status).toBe('completed');
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun).toHaveLength(40);
    const by = await Promise.all(ids.map(async (id) => JSON.stringify((await b.runtime.execution('default', id)).state)));
    expect(new Set(by).size).toBe(2);
  });

  it('loses nothing to a message that comes before anybody has noticed', async () => {
    const { join, pass } = fleet();
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
    await soon(() => begun.length === 1);
    a.freeze();
    await pass(20_000);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await soon(() => begun.length === 2);
    await pass(30_000);
    await soon(async () => (await b.runtime.execution('default', id)).status === 'completed');
    expect(begun.slice(0, 2)).toEqual(['slow0 a', 'quick0 a']);
    expect(begun.slice(2).sort()).toEqual(['quick1 b', 'slow1 b']);
  });
});

describe('a runtime that stops in order', () => {
  it('hands over at once: the same attempt is begun again elsewhere', async () => {
    const { join } = fleet();
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
    await soon(() => begun.length === 1);
    await a.close();
    expect(await b.settled(id)).toMatchObject({ status: 'completed', state: { work: { by: 'b' } } });
    expect(begun).toEqual(['a0', 'b0']);
  });

  it('one after the other, while clients go on, loses nothing', async () => {
    const { join } = fleet();
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

describe('what only one may do, and only once', () => {
  const steps = Array.from({ length: 6 }, (_, i) => `s${i}`);
  const once = {
    workflow_id: 'once',
    version: '1',
    nodes: Object.fromEntries(steps.map((id) => [id, tool('work', { retry_policy: 'no_retry' })])),
    edges: steps.map((from, i) => ({ from, to: steps[i + 1] ?? 'end' })),
  } as never;

  it('goes on at another when its runtime stops between two steps', async () => {
    const { join } = fleet();
    const begun: string[] = [];
    const finish: (() => void)[] = [];
    const toolsOf = (name: string) => ({
      work: (_: unknown, { nodeId }: ToolContext) => {
        begun.push(`${nodeId} ${name}`);
        return name === 'a' ? new Promise<void>((resolve) => finish.push(resolve)) : {};
      },
    });
    const [a, b] = [await join({ tools: toolsOf('a') }), await join({ tools: toolsOf('b') })];
    await soon(async () => (await a.runtime.workers('default')).length === 2);
    const id = await a.run(once);
    await soon(() => finish.length === 1);
    const closing = a.close(10_000);
    finish[0]?.();
    await closing;
    await soon(async () => (await b.runtime.execution('default', id)).status !== 'running');
    expect((await b.settled(id)).status).toBe('completed');
    expect(begun).toEqual(['s0 a', ...steps.slice(1).map((step) => `${step} b`)]);
  });

  it('is failed when its runtime stops in the middle of it, and the branch beside it goes on', async () => {
    const { join } = fleet();
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
    await soon(() => begun.length === 1);
    const closing = a.close(500);
    await b.runtime.approve(CALLER, id, { decision: 'approved' });
    await soon(async () => {
      a.clock.advance(1_000);
      return (await b.runtime.execution('default', id)).status === 'failed';
    });
    await closing;
    await soon(() => begun.length === 2);
    expect(begun).toEqual(['slow a', 'quick b']);
  });
});

describe('what falls due', () => {
  const wait = {
    workflow_id: 'wait',
    version: '1',
    nodes: { w: { kind: { type: 'wait', condition: 'timer', duration_secs: 5 } } },
    edges: [],
  } as never;

  it('fires once', async () => {
    const { join, pass } = fleet();
    const members = [await join(), await join(), await join()];
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) ids.push(await (members[i % 3] as (typeof members)[0]).run(wait));
    await pass(5_000);
    for (const id of ids) {
      await soon(async () => (await (members[0] as (typeof members)[0]).runtime.execution('default', id)).status === 'completed');
      expect((await (members[0] as (typeof members)[0]).settled(id)).status).toBe('completed');
      expect((await (members[1] as (typeof members)[0]).log(id)).filter((event) => event.type === 'timer_fired')).toHaveLength(1);
    }
    for (const { errors } of members) expect(errors).toEqual([]);
  });

  it('fires a little late when the one who should see to it is away', async () => {
    const { join, pass } = fleet();
    const [a, b, c] = [await join(), await join(), await join()];
    const startedMs = a.clock.nowMs();
    const ids: string[] = [];
    for (let i = 0; i < 10; i += 1) ids.push(await a.run(wait));
    b.freeze();
    c.freeze();
    await pass(5_000);
    const left = async () => (await a.store.due(a.clock.nowMs(), 100)).length;
    expect(await left()).toBeGreaterThan(0);
    await soon(async () => {
      a.clock.advance(100);
      return (await left()) === 0;
    });
    expect(a.clock.nowMs()).toBeGreaterThanOrEqual(startedMs + 7_000);
    for (const id of ids) await soon(async () => (await a.runtime.execution('default', id)).status === 'completed');
  });
});

describe('a database that goes away', () => {
  it('costs nothing that was acknowledged, and is worked on again as soon as it is back', async () => {
    const database = postgresDatabase(() => server);
    const line = await openLine(server.port);
    const { join } = openFleet(database);
    let finish: (value: unknown) => void = () => {};
    let calls = 0;
    const work = () => {
      calls += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const a = await join({ tools: { work }, url: line.through(await database.url()) });
    const id = await a.run(one);
    await soon(() => calls === 1);
    line.cut();
    await expect(a.runtime.start(CALLER, { workflowId: 'one', input: {} })).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(a.runtime.execution('default', id)).rejects.toMatchObject({ code: 'store_unavailable' });
    finish({ done: true });
    const refused = line.refused();
    await soon(() => line.refused() > refused + 3);
    line.mend();
    await soon(async () => {
      a.clock.advance(100);
      return (await a.runtime.execution('default', id).catch(() => null))?.status === 'completed';
    });
    expect((await a.log(id)).filter((event) => event.type === 'node_failed')).toEqual([]);
    expect(calls).toBe(1);
    const again = await a.run(one);
    await soon(() => calls === 2);
    finish({});
    expect((await a.settled(again)).status).toBe('completed');
  });

  it('does not make those lost who could not be seen meanwhile', async () => {
    const database = postgresDatabase(() => server);
    const line = await openLine(server.port);
    const { join } = openFleet(database);
    const url = line.through(await database.url());
    let calls = 0;
    let finish: (value: unknown) => void = () => {};
    const work = () => {
      calls += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const [a, b] = [await join({ tools: { work }, url }), await join({ tools: { work }, url })];
    const id = await a.run(one);
    await soon(() => calls === 1);
    line.cut();
    for (let beat = 0; beat < 6; beat += 1) {
      const seen = a.errors.length + b.errors.length;
      for (const { clock } of [a, b]) clock.advance(10_000);
      await soon(() => a.errors.length + b.errors.length > seen);
    }
    line.mend();
    // The one that comes first does not see the other.
    await soon(async () => {
      b.clock.advance(10_000);
      return (await b.store.runtimes(b.clock.nowMs() - 10_000).catch(() => [])).length > 0;
    });
    await soon(async () => {
      a.clock.advance(10_000);
      return (await b.store.runtimes(b.clock.nowMs() - 60_000).catch(() => [])).length === 2;
    });
    finish({});
    await soon(async () => {
      a.clock.advance(100);
      return (await b.runtime.execution('default', id).catch(() => null))?.status === 'completed';
    });
    expect((await b.log(id)).filter((event) => event.type === 'node_failed')).toEqual([]);
    expect(calls).toBe(1);
  });

  it('is told from one that may not be written', async () => {
    const database = postgresDatabase(() => server);
    const { join } = openFleet(database);
    const a = await join();
    const id = await a.run(approval);
    const admin = new Client({ connectionString: await database.url() });
    await admin.connect();
    const name = new URL(await database.url()).pathname.slice(1);
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await soon(async () => {
      const failure = await a.runtime.sendEvent(CALLER, id, { key: 'k', payload: 1 }).catch((error: unknown) => error);
      return (failure as { code?: string }).code === 'store_read_only';
    });
    expect((await a.runtime.execution('default', id)).status).toBe('running');
    await admin.query('SET default_transaction_read_only = off');
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await soon(async () => (await a.runtime.sendEvent(CALLER, id, { key: 'k', payload: 1 }).catch(() => null)) !== null);
    await admin.end();
  });
});
