import { describe, expect, it } from 'vitest';
import { LISTED_FOR_MS, MAX_WORKERS, type WorkerHeartbeat } from '../../../store/port/workers.ts';
import type { Capabilities, CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, claim, startExecution, startWithWork, step, workItem } from '../writes.ts';

const ACTOR = { actorId: 'ann', actorType: 'human', request: '{"id":"r1"}' } as const;

function worker(id: string, change: Partial<WorkerHeartbeat> = {}): WorkerHeartbeat {
  return {
    id,
    tenantId: 'default',
    kind: 'external',
    queues: ['tool'],
    tools: null,
    atMs: AT_MS,
    claimed: 0,
    actor: ACTOR,
    ...change,
  };
}

function runtime(id: string, change: Partial<WorkerHeartbeat> = {}): WorkerHeartbeat {
  return worker(id, { tenantId: null, kind: 'runtime', queues: [], ...change });
}

export function workerContract(database: () => TestDatabase<CoreStore>, { exclusive }: Capabilities): void {
  describe('workers', () => {
    it('are those with a recent heartbeat, with their claims', async () => {
      const store = await database().open();
      await store.heartbeat(worker('worker-1', { claimed: 2 }));
      await store.heartbeat(worker('worker-1', { queues: ['tool', 'model'], tools: ['greet'], atMs: AT_MS + 50, claimed: 3 }));
      await store.heartbeat(worker('worker-1', { queues: ['tool', 'model'], tools: ['greet'], atMs: AT_MS + 20 }));
      await store.heartbeat(worker('worker-0'));
      expect(await store.tenant('default').workers(AT_MS + 1)).toEqual([
        {
          id: 'worker-1',
          kind: 'external',
          queues: ['tool', 'model'],
          tools: ['greet'],
          firstSeenAtMs: AT_MS,
          lastSeenAtMs: AT_MS + 50,
          claimedTotal: 5,
          inFlight: 0,
        },
      ]);
      expect(await store.tenant('default').workers(AT_MS + 51)).toEqual([]);
    });

    it('are at most 1,000 of a tenant: another is recorded when one has not been seen for ten minutes', async () => {
      const store = await database().open();
      for (let n = 0; n < MAX_WORKERS; n += 1) await store.heartbeat(worker(`worker-${n}`, { atMs: AT_MS + n }));
      await store.heartbeat(worker('too-many', { atMs: AT_MS + 1_000 }));
      await store.heartbeat(worker('of-another', { tenantId: 'acme', atMs: AT_MS + 1_000 }));
      const ids = async (tenantId: string) => (await store.tenant(tenantId).workers(0)).map(({ id }) => id);
      expect(await ids('default')).toHaveLength(MAX_WORKERS);
      expect(await ids('default')).not.toContain('too-many');
      expect(await ids('acme')).toEqual(['of-another']);
      await store.heartbeat(worker('worker-0', { atMs: AT_MS + LISTED_FOR_MS }));
      await store.heartbeat(worker('later', { atMs: AT_MS + LISTED_FOR_MS + 100 }));
      const after = await ids('default');
      expect(after).toHaveLength(MAX_WORKERS - 99 + 1);
      expect(after).toEqual(expect.arrayContaining(['later', 'worker-0', 'worker-100']));
      expect(after).not.toContain('worker-1');
    });

    it('are the tenant’s own, and all runtimes', async () => {
      const store = await database().open();
      await store.heartbeat(worker('same-name'));
      await store.heartbeat(worker('same-name', { tenantId: 'acme', queues: ['model'] }));
      await store.heartbeat(runtime('rt_1'));
      const names = async (tenantId: string) =>
        (await store.tenant(tenantId).workers(0)).map((row) => [row.kind, row.id, ...row.queues].join(' '));
      expect(await names('default')).toEqual(['runtime rt_1', 'external same-name tool']);
      expect(await names('acme')).toEqual(['runtime rt_1', 'external same-name model']);
    });

    it('have their work in flight: claimed items, or executions with in-process work', async () => {
      const store = await database().open();
      await store.heartbeat(worker('worker-1'));
      await store.heartbeat(runtime('rt_1'));
      await store.commit(
        batch(
          startWithWork('exec_1', workItem('w1'), workItem('w2')),
          startExecution('exec_2', { progress: { localWork: 3, owner: 'rt_1' } }),
          startExecution('exec_3', { tenantId: 'acme', progress: { localWork: 1, owner: 'rt_1' } }),
        ),
      );
      await store.claimWork(claim());
      const inFlight = async () => (await store.tenant('default').workers(0)).map((row) => row.inFlight);
      expect(await inFlight()).toEqual([1, 2]);
      await store.commit(
        batch(step('exec_1', 2, { work: [{ op: 'settle', id: 'w1', fence: 1, status: 'completed' }] }), step('exec_2', 2)),
      );
      expect(await inFlight()).toEqual([0, 1]);
    });
  });

  describe('a runtime', () => {
    it('that stopped in an orderly way is not listed, and known as stopped', async () => {
      const store = await database().open();
      await store.heartbeat(runtime('rt_1'));
      expect(await store.stoppedCleanly('rt_1')).toBe(false);
      await store.recordStop('rt_1', AT_MS + 1);
      expect(await store.stoppedCleanly('rt_1')).toBe(true);
      expect(await store.tenant('default').workers(0)).toEqual([]);
    });

    it('that is unknown did not stop in an orderly way', async () => {
      const store = await database().open();
      await store.heartbeat(worker('rt_1'));
      expect(await store.stoppedCleanly('rt_1')).toBe(false);
    });

    it('can stop before its first heartbeat', async () => {
      const store = await database().open();
      await store.recordStop('rt_1', AT_MS);
      expect(await store.stoppedCleanly('rt_1')).toBe(true);
    });
  });

  describe.runIf(exclusive)('the right to run', () => {
    const holder = { runtimeId: 'rt_1', pid: 4711, startedAtMs: AT_MS };

    it('has one holder; the error names it', async () => {
      const one = database();
      const first = await one.open();
      const second = await one.open();
      await first.lock(holder);
      const attempt = second.lock({ ...holder, runtimeId: 'rt_2' });
      await expect(attempt).rejects.toMatchObject({ name: 'StoreError', code: 'store_locked' });
      await expect(attempt).rejects.toThrow(/rt_1.*4711.*2026-01-01T00:00:00\.000Z/);
    });

    it('does not prevent other stores from writing', async () => {
      const one = database();
      await (await one.open()).lock(holder);
      const other = await one.open();
      expect(await other.commit(batch(startExecution('exec_1')))).toEqual([null]);
    });

    it('is released when its holder closes', async () => {
      const one = database();
      const first = await one.open();
      const second = await one.open();
      await first.lock(holder);
      await first.close();
      await second.lock({ ...holder, runtimeId: 'rt_2' });
      await expect((await one.open()).lock({ ...holder, runtimeId: 'rt_3' })).rejects.toThrow(/rt_2/);
    });

    it('is separate for each database', async () => {
      await (await database().open()).lock(holder);
      await expect((await database().open()).lock(holder)).resolves.toBeUndefined();
    });
  });
}
