import { describe, expect, it } from 'vitest';
import { Membership } from '../../../src/runtime/cluster/membership.ts';
import { Ownership } from '../../../src/runtime/cluster/ownership.ts';
import { rendezvousOwner } from '../../../src/runtime/cluster/rendezvous.ts';
import { FakeClock } from '../../support/clock.ts';
import { sqliteDatabase } from '../../support/stores.ts';

/** A runtime's membership, on a database where the test adds and removes other runtimes. */
async function bench() {
  const store = await sqliteDatabase().open();
  const clock = new FakeClock();
  const gone: string[] = [];
  let isUnreachable = false;
  let reads = 0;
  let returns = 0;
  let joins = 0;
  const shared = {
    activeRuntimes: (sinceMs: number) => {
      reads += 1;
      return isUnreachable ? Promise.reject(new Error('away')) : store.activeRuntimes(sinceMs);
    },
  };
  const membership = new Membership({
    store: shared,
    clock,
    runtimeId: 'me',
    onRefreshed: (ids) => gone.push(...ids),
    onMissedHeartbeats: () => (returns += 1),
    onJoined: () => (joins += 1),
  });
  const actor = { actorId: 'x', actorType: 'system', request: null } as const;
  return {
    membership,
    clock,
    gone,
    reads: () => reads,
    returns: () => returns,
    joins: () => joins,
    seen: (id: string) =>
      store.heartbeat({ id, tenantId: null, kind: 'runtime', queues: [], tools: null, atMs: clock.nowMs(), claimed: 0, actor }),
    stopped: (id: string) => store.recordStop(id, clock.nowMs()),
    away(away: boolean) {
      isUnreachable = away;
    },
    /** Advances the clock by heartbeats and refreshes. */
    async pass(beats: number) {
      for (let beat = 0; beat < beats; beat += 1) {
        clock.advance(10_000);
        await membership.refresh().catch(() => {});
      }
    },
  };
}

describe('another runtime', () => {
  it('is live until it has sent no heartbeat for thirty seconds', async () => {
    const { membership, seen, pass, gone } = await bench();
    await seen('other');
    await membership.refresh();
    expect(membership.isAlive('other')).toBe(true);
    await pass(3);
    expect(membership.isAlive('other')).toBe(true);
    await pass(1);
    expect([membership.isAlive('other'), gone]).toEqual([false, ['other']]);
    await seen('other');
    await pass(1);
    expect(membership.isAlive('other')).toBe(true);
  });

  it('is gone once it has stopped cleanly', async () => {
    const { membership, seen, stopped, gone } = await bench();
    await seen('other');
    await membership.refresh();
    await stopped('other');
    await membership.refresh();
    expect([membership.isAlive('other'), gone]).toEqual([false, ['other']]);
  });

  it('that is unknown is looked for once', async () => {
    const { membership, seen, reads } = await bench();
    await seen('new');
    await membership.confirm('new');
    expect(membership.isAlive('new')).toBe(true);
    const before = reads();
    await membership.confirm('never');
    await membership.confirm('never');
    expect([membership.isAlive('never'), reads()]).toEqual([false, before + 1]);
  });

  it('is looked for again when it has been live since', async () => {
    const { membership, seen, stopped, reads } = await bench();
    await membership.confirm('other');
    await seen('other');
    await membership.refresh();
    await stopped('other');
    await membership.refresh();
    await seen('other');
    const before = reads();
    await membership.confirm('other');
    expect([membership.isAlive('other'), reads()]).toEqual([true, before + 1]);
  });

  it('leaves this one alone when it has gone', async () => {
    const { membership, seen, stopped } = await bench();
    const tasks = { of: () => new Set<never>() };
    const ownership = new Ownership({ runtimeId: 'me', membership, tasks, stopping: { aborted: false } });
    const alone = [ownership.isAlone];
    await seen('other');
    await membership.refresh();
    alone.push(ownership.isAlone);
    await stopped('other');
    await membership.refresh();
    alone.push(ownership.isAlone);
    expect(alone).toEqual([true, false, true]);
  });

  it('stays the owner, and a lost owner is replaced by the runtime that commits next', async () => {
    const { membership, seen } = await bench();
    await seen('other');
    await membership.refresh();
    const tasks = { of: () => new Set<never>() };
    const ownership = new Ownership({ runtimeId: 'me', membership: membership, tasks, stopping: { aborted: false } });
    expect(['other', 'lost', 'me', null].map((owner) => ownership.ownerAfter('exec_1', owner))).toEqual([
      'other',
      'me',
      'me',
      'me',
    ]);
  });

  it('shares responsibility with this one', async () => {
    const { membership, seen, stopped } = await bench();
    const keys = Array.from({ length: 100 }, (_, i) => `exec_${i}`);
    expect(keys.every((key) => membership.isResponsible(key) && membership.successorOf(key) === null)).toBe(true);
    await seen('other');
    await membership.refresh();
    const mine = keys.filter((key) => membership.isResponsible(key));
    expect(mine.length).toBeGreaterThan(20);
    expect(mine.length).toBeLessThan(80);
    // The other one computes the same.
    expect(mine).toEqual(keys.filter((key) => rendezvousOwner(key, ['other', 'me']) === 'me'));
    expect(keys.every((key) => membership.successorOf(key) === 'other')).toBe(true);
    await stopped('other');
    await membership.refresh();
    expect(keys.every((key) => membership.isResponsible(key))).toBe(true);
  });

  it('may have taken this one for lost, and sent it nothing, when this one could not refresh for long', async () => {
    const { membership, seen, pass, clock, returns } = await bench();
    expect(membership.isAlone).toBe(true);
    await seen('other');
    await pass(3);
    expect([membership.isAlone, returns()]).toEqual([false, 0]);
    clock.advance(40_000);
    await membership.refresh();
    expect(returns()).toBe(1);
    await pass(1);
    expect(returns()).toBe(1);
  });

  it('is detected as gone although this clock was hours ahead for a while', async () => {
    const { membership, seen, pass, clock, gone } = await bench();
    await seen('other');
    await membership.refresh();
    clock.advance(5 * 3_600_000);
    await membership.refresh();
    expect(membership.isAlive('other')).toBe(true);
    clock.advance(-5 * 3_600_000);
    await pass(7);
    expect([membership.isAlive('other'), gone]).toEqual([false, ['other']]);
  });

  it('joins after this one was alone or took it for lost, and was sent nothing meanwhile', async () => {
    const { membership, seen, pass, joins } = await bench();
    await membership.refresh();
    await seen('other');
    await pass(1);
    expect(joins()).toBe(1);
    await pass(4);
    expect([membership.isAlone, joins()]).toEqual([true, 1]);
    await seen('other');
    await pass(1);
    expect([membership.isAlone, joins()]).toEqual([false, 2]);
    await seen('third');
    await pass(1);
    expect(joins()).toBe(2);
  });

  it('that was live before this one has missed nothing', async () => {
    const { membership, seen, joins } = await bench();
    await seen('other');
    await membership.refresh();
    expect([membership.isAlone, joins()]).toEqual([false, 0]);
  });

  it('gets a grace period after the database was unreachable, when no heartbeat could be written', async () => {
    const { membership, seen, pass, gone, away } = await bench();
    await seen('other');
    await membership.refresh();
    away(true);
    await pass(6);
    away(false);
    await pass(1);
    expect([membership.isAlive('other'), gone]).toEqual([true, []]);
    await pass(2);
    expect(membership.isAlive('other')).toBe(true);
    await pass(1);
    expect([membership.isAlive('other'), gone]).toEqual([false, ['other']]);
  });
});
