import { describe, expect, it } from 'vitest';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, startExecution, timer } from '../writes.ts';

const ACTOR = { actorId: 'rt', actorType: 'system', request: null } as const;

export function clusterContract(database: () => TestDatabase<CoreStore>): void {
  describe('active runtimes', () => {
    it('are those with a recent heartbeat that have not stopped', async () => {
      const store = await database().open();
      const seen = (id: string, atMs: number, kind: 'runtime' | 'external' = 'runtime') =>
        store.heartbeat({
          id,
          tenantId: kind === 'runtime' ? null : 'default',
          kind,
          queues: [],
          tools: null,
          atMs,
          claimed: 0,
          actor: ACTOR,
        });
      await seen('rt_early', AT_MS - 1);
      await seen('rt_1', AT_MS);
      await seen('rt_2', AT_MS + 5);
      await seen('rt_gone', AT_MS + 5);
      await seen('worker', AT_MS + 5, 'external');
      await store.recordStop('rt_gone', AT_MS + 6);
      expect([...(await store.activeRuntimes(AT_MS))].sort()).toEqual(['rt_1', 'rt_2']);
      await seen('rt_gone', AT_MS + 7);
      expect([...(await store.activeRuntimes(AT_MS + 5))].sort()).toEqual(['rt_2', 'rt_gone']);
    });
  });

  describe('a clock that was temporarily ahead', () => {
    const LATER_MS = AT_MS + 5 * 3_600_000;

    it('does not make a runtime look alive in the future', async () => {
      const store = await database().open();
      const seen = (atMs: number) =>
        store.heartbeat({ id: 'rt_1', tenantId: null, kind: 'runtime', queues: [], tools: null, atMs, claimed: 0, actor: ACTOR });
      await seen(LATER_MS);
      await seen(AT_MS);
      expect(await store.activeRuntimes(AT_MS)).toEqual(['rt_1']);
      expect(await store.activeRuntimes(AT_MS + 1)).toEqual([]);
    });

    it('does not block a lease until that time', async () => {
      const store = await database().open();
      expect(await store.acquireLease('control', 'a', LATER_MS, 30_000)).toBe(true);
      expect(await store.acquireLease('control', 'b', AT_MS, 30_000)).toBe(true);
      expect(await store.acquireLease('control', 'a', AT_MS + 1, 30_000)).toBe(false);
      expect(await store.acquireLease('control', 'b', AT_MS, 600_000)).toBe(true);
      expect(await store.acquireLease('control', 'a', AT_MS, 30_000)).toBe(false);
    });
  });

  describe('a lease', () => {
    it('has one holder, which may renew it, until it expires', async () => {
      const store = await database().open();
      expect(await store.acquireLease('control', 'a', AT_MS, 30)).toBe(true);
      expect(await store.acquireLease('control', 'b', AT_MS + 29, 30)).toBe(false);
      expect(await store.acquireLease('control', 'a', AT_MS + 20, 30)).toBe(true);
      expect(await store.acquireLease('control', 'b', AT_MS + 49, 30)).toBe(false);
      expect(await store.acquireLease('control', 'b', AT_MS + 50, 30)).toBe(true);
      expect(await store.acquireLease('control', 'a', AT_MS + 51, 30)).toBe(false);
    });

    it('can be released by its holder only', async () => {
      const store = await database().open();
      await store.acquireLease('control', 'a', AT_MS, 30);
      expect(await store.acquireLease('control', 'b', AT_MS + 1, 0)).toBe(false);
      expect(await store.acquireLease('control', 'b', AT_MS + 1, 30)).toBe(false);
      expect(await store.acquireLease('control', 'a', AT_MS + 2, 0)).toBe(true);
      expect(await store.acquireLease('control', 'b', AT_MS + 2, 30)).toBe(true);
    });

    it('is identified by its name', async () => {
      const one = database();
      const store = await one.open();
      expect(await store.acquireLease('x', 'a', AT_MS, 30)).toBe(true);
      expect(await store.acquireLease('y', 'b', AT_MS, 30)).toBe(true);
      expect(await (await one.open()).acquireLease('x', 'b', AT_MS, 30)).toBe(false);
    });

    it('is acquired by exactly one of many concurrent callers', async () => {
      const store = await database().open();
      const holders = Array.from({ length: 10 }, (_, i) => `rt_${i}`);
      const taken = await Promise.all(holders.map((holder) => store.acquireLease('control', holder, AT_MS, 30)));
      expect(taken.filter(Boolean)).toHaveLength(1);
    });
  });

  describe('the next due time', () => {
    it('can be limited to times after a given one', async () => {
      const store = await database().open();
      await store.commit(
        batch(
          startExecution('exec_1', {
            timers: [timer('a', AT_MS + 1), timer('b', AT_MS + 2)],
            create: { deadlineAtMs: AT_MS + 9 },
          }),
        ),
      );
      expect(await store.nextDueAtMs()).toBe(AT_MS + 1);
      expect(await store.nextDueAtMs(AT_MS + 1)).toBe(AT_MS + 2);
      expect(await store.nextDueAtMs(AT_MS + 2)).toBe(AT_MS + 9);
      expect(await store.nextDueAtMs(AT_MS + 9)).toBeNull();
    });
  });
}
