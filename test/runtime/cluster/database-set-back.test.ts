import { describe, expect, it } from 'vitest';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { type ClusterMember, openCluster, waitUntil } from '../../support/cluster.ts';
import { pair, tool } from '../../support/cluster-workflows.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();

const twoSteps = {
  workflow_id: 'two-steps',
  version: '1',
  nodes: { first: tool('first'), second: tool('second') },
  edges: [
    { from: 'first', to: 'second' },
    { from: 'second', to: 'end' },
  ],
} as never;

/** A tool that ends when the test releases it. */
class Slow {
  readonly ends: ((value: unknown) => void)[] = [];
  aborted = 0;

  readonly work = (_: unknown, { signal }: ToolContext): Promise<unknown> =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.aborted += 1;
      });
      this.ends.push(resolve);
    });
}

/** Advances the clock, so that failed writes are retried. */
async function until({ clock }: ClusterMember, condition: () => boolean | Promise<boolean>): Promise<void> {
  await waitUntil(() => {
    clock.advance(100);
    return condition();
  });
}

describe('a database that is set back to an earlier state', () => {
  it('has in-process work whose outcome was lost started again as the same attempt', async () => {
    const database = postgresDatabase(server);
    const { join } = openCluster(database);
    const [first, second] = [new Slow(), new Slow()];
    const a = await join({ tools: { first: first.work, second: second.work } });
    const id = await a.run(twoSteps);
    await waitUntil(() => first.ends.length === 1);
    const putBack = await database.backUp();
    first.ends[0]?.({});
    await until(a, () => second.ends.length === 1);
    await putBack();
    await until(a, () => first.ends.length === 2);
    expect(second.aborted).toBe(1);
    first.ends[1]?.({});
    await until(a, () => second.ends.length === 2);
    second.ends[1]?.({});
    await until(a, async () => (await a.runtime.execution('default', id)).status === 'completed');
    const log = await a.log(id);
    expect(log.map((event) => event.sequence)).toEqual(log.map((_, i) => i + 1));
    expect(log.filter((event) => event.type === 'node_failed')).toEqual([]);
    expect((await a.store.verifyAudit()).fault).toBeNull();
  });

  it('has ended executions continued by a runtime that had nothing left to do', async () => {
    const database = postgresDatabase(server);
    const { join } = openCluster(database);
    const [first, second] = [new Slow(), new Slow()];
    const a = await join({ tools: { first: first.work, second: second.work } });
    const id = await a.run(twoSteps);
    await waitUntil(() => first.ends.length === 1);
    const putBack = await database.backUp();
    first.ends[0]?.({});
    await until(a, () => second.ends.length === 1);
    second.ends[0]?.({});
    await until(a, async () => (await a.runtime.execution('default', id).catch(() => null))?.status === 'completed');
    await putBack();
    await until(a, () => first.ends.length === 2);
    expect((await a.runtime.execution('default', id)).status).toBe('running');
  });

  it('has work started again that depended on lost commits of another runtime', async () => {
    const database = postgresDatabase(server);
    const { join } = openCluster(database);
    const [slow, quick] = [new Slow(), new Slow()];
    const tools = { slow: slow.work, quick: quick.work };
    const a = await join({ tools });
    const b = await join({ tools });
    const id = await a.run(pair);
    await waitUntil(() => slow.ends.length === 1);
    const putBack = await database.backUp();
    const approved = () => b.runtime.approve(CALLER, id, { decision: 'approved' }).catch(() => null);
    await waitUntil(async () => (await approved()) !== null);
    await waitUntil(() => quick.ends.length === 1);
    await putBack();
    await waitUntil(async () => (await a.runtime.approvals('default', id).catch(() => null))?.pending.length === 1);
    quick.ends[0]?.({});
    // The message enters the mailbox before these, unless the database is still unreachable: then it is sent again later.
    for (let round = 0; round < 5; round += 1) {
      await until(
        a,
        async () => (await a.runtime.sendEvent(CALLER, id, { key: 'k', payload: round }).catch(() => null)) !== null,
      );
      a.clock.advance(1_000);
    }
    await until(a, async () => (await approved()) !== null);
    await until(a, () => quick.ends.length === 2);
    expect((await a.log(id)).filter((event) => event.type === 'node_failed')).toEqual([]);
  });

  it('has the work of a lost runtime recovered again', async () => {
    const database = postgresDatabase(server);
    const { join, advance: pass } = openCluster(database);
    const [first, second] = [new Slow(), new Slow()];
    const tools = { first: first.work, second: second.work };
    const lost = await join({ tools });
    const a = await join({ tools });
    const id = await lost.run(twoSteps);
    await waitUntil(() => first.ends.length === 1);
    lost.freeze();
    await pass(20_000);
    const putBack = await database.backUp();
    await waitUntil(async () => {
      await pass(10_000);
      return first.ends.length === 2;
    });
    await putBack();
    await until(a, () => first.ends.length === 3);
    first.ends[2]?.({});
    await until(a, () => second.ends.length > 0);
    expect((await a.runtime.execution('default', id)).status).toBe('running');
  });
});
