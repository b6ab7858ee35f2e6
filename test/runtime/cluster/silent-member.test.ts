import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../../src/runtime/heartbeats.ts';
import { openCluster, type TestCluster, waitUntil } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();
/** Each of two members is responsible for some of them. */
const MANY = 16;
const SECONDS = 60;

const resting = {
  workflow_id: 'resting',
  version: '1',
  nodes: { rest: { kind: { type: 'wait', condition: 'timer', timeout_secs: SECONDS } } },
  edges: [],
} as never;
const asking = { workflow_id: 'asking', version: '1', nodes: { ask: { kind: { type: 'human_approval' } } }, edges: [] } as never;
const parent = {
  workflow_id: 'parent',
  version: '1',
  nodes: { child: { kind: { type: 'subgraph', workflow_ref: 'asking' } } },
  edges: [],
} as never;

/** Two members; the first falls silent, and is not lost yet. */
async function pair(first: Parameters<TestCluster['join']>[0] = {}) {
  const cluster = openCluster(postgresDatabase(server));
  const [a, b] = [await cluster.join(first), await cluster.join()];
  await cluster.advance(HEARTBEAT_MS);
  const silence = async (): Promise<void> => {
    a.freeze();
    expect(await b.store.activeRuntimes(b.clock.nowMs() - HEARTBEAT_MS)).toContain(a.runtime.id);
  };
  return { ...cluster, a, b, silence };
}

describe('a member that is silent, but not lost yet', () => {
  it('delays the timers that it should fire by two seconds', async () => {
    const { a, b, advance, silence } = await pair();
    const ids = await Promise.all(Array.from({ length: MANY }, () => a.run(resting)));
    await advance(SECONDS * 1_000 - 1_000);
    await silence();
    const completed = async () =>
      (await Promise.all(ids.map((id) => b.runtime.execution('default', id)))).filter(({ status }) => status === 'completed')
        .length;
    b.clock.advance(1_500);
    await waitUntil(async () => (await completed()) > 0);
    expect(await completed()).toBeLessThan(MANY);
    b.clock.advance(2_000);
    await waitUntil(async () => (await completed()) === MANY);
    expect(b.clock.nowMs() - a.clock.nowMs()).toBeLessThan(HEARTBEAT_MS);
  });
  it('leaves messages between parents and children to the others for two seconds', async () => {
    const unnotified = { listenUrl: await postgresDatabase(server).url() };
    const { a, b, silence } = await pair(unnotified);
    await b.runtime.register(CALLER, asking);
    const ids = await Promise.all(Array.from({ length: MANY }, () => b.run(parent)));
    const count = async (status: string) =>
      (await Promise.all(ids.map((id) => b.runtime.execution('default', id)))).filter((each) => each.status === status).length;
    await waitUntil(async () => {
      b.clock.advance(100);
      return (await count('paused')) === MANY;
    });
    await silence();
    const { executions } = await b.runtime.executions('default', { workflowId: 'asking', limit: MANY });
    for (const { executionId } of executions) await b.runtime.approve(CALLER, executionId, { decision: 'approved' });
    b.clock.advance(1_500);
    await waitUntil(async () => (await count('completed')) > 0);
    expect(await count('completed')).toBeLessThan(MANY);
    await waitUntil(async () => {
      b.clock.advance(100);
      return (await count('completed')) === MANY;
    });
    expect(b.clock.nowMs() - a.clock.nowMs()).toBeLessThan(HEARTBEAT_MS);
  });
});

describe('the timers of a cluster', () => {
  it('are looked for when a member is lost, which alone may have known of some, and not with each heartbeat', async () => {
    const { a, b, advance } = await pair();
    let looks = 0;
    const due = b.store.due.bind(b.store);
    b.store.due = (...asked) => {
      looks += 1;
      return due(...asked);
    };
    await advance(3 * HEARTBEAT_MS);
    const before = looks;
    await advance(6 * HEARTBEAT_MS);
    // One that began with the start of the cluster may end now.
    expect(looks - before).toBeLessThan(2);
    const alone = looks;
    a.freeze();
    await advance(5 * HEARTBEAT_MS);
    await waitUntil(() => looks > alone);
  });
});
