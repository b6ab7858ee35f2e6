import { describe, expect, it } from 'vitest';
import { Membership } from '../../../src/runtime/cluster/membership.ts';
import { Ownership } from '../../../src/runtime/cluster/ownership.ts';
import { FakeClock } from '../../support/clock.ts';
import { sqliteDatabase } from '../../support/stores.ts';

/** A runtime's view of the others, on a database where a test makes them come and go. */
async function bench() {
  const store = await sqliteDatabase().open();
  const clock = new FakeClock();
  const gone: string[] = [];
  let isAway = false;
  let looks = 0;
  let returns = 0;
  let joins = 0;
  const shared = {
    activeRuntimes: (sinceMs: number) => {
      looks += 1;
      return isAway ? Promise.reject(new Error('away')) : store.activeRuntimes(sinceMs);
    },
  };
  const peers = new Membership({
    store: shared,
    clock,
    runtimeId: 'me',
    onRefreshed: (ids) => gone.push(...ids),
    onMissedHeartbeats: () => (returns += 1),
    onJoined: () => (joins += 1),
  });
  const actor = { actorId: 'x', actorType: 'system', request: null } as const;
  return {
    peers,
    clock,
    gone,
    looks: () => looks,
    returns: () => returns,
    joins: () => joins,
    seen: (id: string) =>
      store.heartbeat({ id, tenantId: null, kind: 'runtime', queues: [], atMs: clock.nowMs(), claimed: 0, actor }),
    stopped: (id: string) => store.recordStop(id, clock.nowMs()),
    away(away: boolean) {
      isAway = away;
    },
    /** As heartbeats do. */
    async pass(beats: number) {
      for (let beat = 0; beat < beats; beat += 1) {
        clock.advance(10_000);
        await peers.refresh().catch(() => {});
      }
    },
  };
}

describe('another runtime', () => {
  it('is there until it was not seen for thirty seconds', async () => {
    const { peers, seen, pass, gone } = await bench();
    await seen('other');
    await peers.refresh();
    expect(peers.isAlive('other')).toBe(true);
    await pass(3);
    expect(peers.isAlive('other')).toBe(true);
    await pass(1);
    expect([peers.isAlive('other'), gone]).toEqual([false, ['other']]);
    await seen('other');
    await pass(1);
    expect(peers.isAlive('other')).toBe(true);
  });

  it('is gone once it has stopped', async () => {
    const { peers, seen, stopped, gone } = await bench();
    await seen('other');
    await peers.refresh();
    await stopped('other');
    await peers.refresh();
    expect([peers.isAlive('other'), gone]).toEqual([false, ['other']]);
  });

  it('that nobody has heard of is looked for, once', async () => {
    const { peers, seen, looks } = await bench();
    await seen('new');
    await peers.confirm('new');
    expect(peers.isAlive('new')).toBe(true);
    const before = looks();
    await peers.confirm('never');
    await peers.confirm('never');
    expect([peers.isAlive('never'), looks()]).toEqual([false, before + 1]);
  });

  it('keeps what it owns, and what it leaves goes to whoever commits next', async () => {
    const { peers, seen } = await bench();
    await seen('other');
    await peers.refresh();
    const tasks = { of: () => new Set<never>() };
    const ownership = new Ownership({ runtimeId: 'me', membership: peers, tasks, stopping: { aborted: false } });
    expect(['other', 'lost', 'me', null].map((owner) => ownership.ownerAfter('exec_1', owner))).toEqual([
      'other',
      'me',
      'me',
      'me',
    ]);
  });

  it('shares what any could do', async () => {
    const { peers, seen, stopped } = await bench();
    const keys = Array.from({ length: 100 }, (_, i) => `exec_${i}`);
    expect(keys.every((key) => peers.isResponsible(key) && peers.successorOf(key) === null)).toBe(true);
    await seen('other');
    await peers.refresh();
    const mine = keys.filter((key) => peers.isResponsible(key)).length;
    expect(mine).toBeGreaterThan(20);
    expect(mine).toBeLessThan(80);
    expect(keys.every((key) => peers.successorOf(key) === 'other')).toBe(true);
    await stopped('other');
    await peers.refresh();
    expect(keys.every((key) => peers.isResponsible(key))).toBe(true);
  });

  it('may have taken this one for lost, and told it nothing, when this one could not look for long', async () => {
    const { peers, seen, pass, clock, returns } = await bench();
    expect(peers.isAlone).toBe(true);
    await seen('other');
    await pass(3);
    expect([peers.isAlone, returns()]).toEqual([false, 0]);
    clock.advance(40_000);
    await peers.refresh();
    expect(returns()).toBe(1);
    await pass(1);
    expect(returns()).toBe(1);
  });

  it('is missed all the same when this one’s clock was hours ahead for a while', async () => {
    const { peers, seen, pass, clock, gone } = await bench();
    await seen('other');
    await peers.refresh();
    clock.advance(5 * 3_600_000);
    await peers.refresh();
    expect(peers.isAlive('other')).toBe(true);
    clock.advance(-5 * 3_600_000);
    await pass(7);
    expect([peers.isAlive('other'), gone]).toEqual([false, ['other']]);
  });

  it('has been told nothing while this one was alone, or took it for lost', async () => {
    const { peers, seen, pass, joins } = await bench();
    await peers.refresh();
    await seen('other');
    await pass(1);
    expect(joins()).toBe(1);
    await pass(4);
    expect([peers.isAlone, joins()]).toEqual([true, 1]);
    await seen('other');
    await pass(1);
    expect([peers.isAlone, joins()]).toEqual([false, 2]);
    await seen('third');
    await pass(1);
    expect(joins()).toBe(2);
  });

  it('that was there before this one has missed nothing of it', async () => {
    const { peers, seen, joins } = await bench();
    await seen('other');
    await peers.refresh();
    expect([peers.isAlone, joins()]).toEqual([false, 0]);
  });

  it('is spared for a while when the database was away: nobody could be seen', async () => {
    const { peers, seen, pass, gone, away } = await bench();
    await seen('other');
    await peers.refresh();
    away(true);
    await pass(6);
    away(false);
    await pass(1);
    expect([peers.isAlive('other'), gone]).toEqual([true, []]);
    await pass(2);
    expect(peers.isAlive('other')).toBe(true);
    await pass(1);
    expect([peers.isAlive('other'), gone]).toEqual([false, ['other']]);
  });
});
