import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../../src/runtime/heartbeats.ts';
import { type ClusterMember, openCluster, waitUntil, waitUntilWithClock } from '../../support/cluster.ts';
import { approval, one } from '../../support/cluster-workflows.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';

const server = postgresServer();

/** Advances the clock by heartbeats until one has reached the database. */
async function seenAgain({ runtime, store, clock, errors }: ClusterMember): Promise<void> {
  await waitUntil(async () => {
    const missed = errors.length;
    clock.advance(HEARTBEAT_MS);
    const isSeen = async () =>
      (await store.activeRuntimes(clock.nowMs() - HEARTBEAT_MS + 1).catch((): string[] => [])).includes(runtime.id);
    await waitUntil(async () => errors.length > missed || (await isSeen()));
    return isSeen();
  });
}

describe('a database that becomes unreachable', () => {
  it('loses nothing that was acknowledged, and is used again as soon as it is back', async () => {
    const database = postgresDatabase(server);
    const line = await openTcpProxy(server().port);
    const { join } = openCluster(database);
    let finish: (value: unknown) => void = () => {};
    let calls = 0;
    const work = () => {
      calls += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const a = await join({ tools: { work }, url: line.via(await database.url()) });
    const id = await a.run(one);
    await waitUntil(() => calls === 1);
    line.cut();
    await expect(a.runtime.start(CALLER, { workflowId: 'one', input: {} })).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(a.runtime.execution('default', id)).rejects.toMatchObject({ code: 'store_unavailable' });
    finish({ done: true });
    const refused = line.refused();
    await waitUntil(() => line.refused() > refused + 3);
    line.restore();
    const isDone = async () => (await a.runtime.execution('default', id).catch(() => null))?.status === 'completed';
    await waitUntilWithClock(a, isDone);
    expect((await a.log(id)).filter((event) => event.type === 'node_failed')).toEqual([]);
    expect(calls).toBe(1);
    const again = await a.run(one);
    await waitUntil(() => calls === 2);
    finish({});
    expect((await a.settled(again)).status).toBe('completed');
  });

  it('does not make runtimes count as lost that could send no heartbeats', async () => {
    const database = postgresDatabase(server);
    const lines = [await openTcpProxy(server().port), await openTcpProxy(server().port)] as const;
    const { join } = openCluster(database);
    const direct = await database.url();
    let calls = 0;
    let finish: (value: unknown) => void = () => {};
    const work = () => {
      calls += 1;
      return new Promise((resolve) => (finish = resolve));
    };
    const a = await join({ tools: { work }, url: lines[0].via(direct) });
    const b = await join({ tools: { work }, url: lines[1].via(direct) });
    const id = await a.run(one);
    await waitUntil(() => calls === 1);
    for (const line of lines) line.cut();
    for (let beat = 0; beat < 6; beat += 1) {
      const seen = a.errors.length + b.errors.length;
      for (const { clock } of [a, b]) clock.advance(10_000);
      await waitUntil(() => a.errors.length + b.errors.length > seen);
    }
    // The first runtime that is back does not see the other, and would have enough time to recover its work.
    lines[1].restore();
    await seenAgain(b);
    await setTimeout(200);
    lines[0].restore();
    await seenAgain(a);
    finish({});
    const isDone = async () => (await b.runtime.execution('default', id).catch(() => null))?.status === 'completed';
    await waitUntilWithClock(a, isDone);
    expect((await b.log(id)).filter((event) => event.type === 'node_failed')).toEqual([]);
    expect(calls).toBe(1);
  });

  it('is distinguished from a read-only one', async () => {
    const database = postgresDatabase(server);
    const { join } = openCluster(database);
    const a = await join();
    const id = await a.run(approval);
    const admin = new Client({ connectionString: await database.url() });
    await admin.connect();
    const name = new URL(await database.url()).pathname.slice(1);
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await waitUntil(async () => {
      const failure = await a.runtime.sendEvent(CALLER, id, { key: 'k', payload: 1 }).catch((error: unknown) => error);
      return (failure as { code?: string }).code === 'store_read_only';
    });
    expect((await a.runtime.execution('default', id)).status).toBe('running');
    await admin.query('SET default_transaction_read_only = off');
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await waitUntil(async () => (await a.runtime.sendEvent(CALLER, id, { key: 'k', payload: 1 }).catch(() => null)) !== null);
    await admin.end();
  });
});
