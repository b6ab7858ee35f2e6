import { describe, expect, it } from 'vitest';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, claim, startExecution, startWithWork, step, workItem } from '../writes.ts';

async function claimed(store: ExecutionStore, change: Parameters<typeof claim>[0] = {}): Promise<readonly string[]> {
  return (await store.claimWork(claim(change))).map((item) => item.id);
}

export function workContract(database: () => TestDatabase<CoreStore>): void {
  describe('work items', () => {
    it('are claimed by the tools they ask for, the oldest first', async () => {
      const store = await database().open();
      const at = (id: string, ms: number, tool: string) => workItem(id, { createdAtMs: AT_MS + ms, tool });
      await store.commit(batch(startWithWork('exec_1', at('w1', 3, 'a'), at('w2', 1, 'b'), at('w3', 2, 'c'))));
      expect(await claimed(store, { tools: [] })).toEqual([]);
      expect(await claimed(store, { tools: ['a', 'b', 'unknown', 'a'] })).toEqual(['w2', 'w1']);
      expect(await claimed(store, { tools: ['a'] })).toEqual([]);
      expect(await claimed(store, { tools: null })).toEqual(['w3']);
    });

    it('that wait are counted by queue and tool, those of one tenant', async () => {
      const store = await database().open();
      const at = (id: string, ms: number, change: object) => workItem(id, { createdAtMs: AT_MS + ms, ...change });
      await store.commit(
        batch(
          startWithWork('exec_1', at('w1', 5, { tool: 'b' }), at('w2', 1, { tool: 'b' }), at('w3', 2, { tool: 'a' })),
          startWithWork('exec_2', at('w4', 4, { tool: 'b', queue: 'model' })),
          { ...startWithWork('exec_3', at('w5', 0, { tool: 'b' })), tenantId: 'acme' },
        ),
      );
      expect(await store.tenant('default').waitingWork()).toEqual([
        { queue: 'model', tool: 'b', waiting: 1, oldestAtMs: AT_MS + 4 },
        { queue: 'tool', tool: 'a', waiting: 1, oldestAtMs: AT_MS + 2 },
        { queue: 'tool', tool: 'b', waiting: 2, oldestAtMs: AT_MS + 1 },
      ]);
      await store.claimWork(claim({ queues: ['tool', 'model'] }));
      expect(await store.tenant('default').waitingWork()).toEqual([]);
      expect(await store.tenant('acme').waitingWork()).toMatchObject([{ tool: 'b', waiting: 1 }]);
    });

    it('are pending as they were put', async () => {
      const store = await database().open();
      const item = workItem('w1', { payload: '{"input":"ß"}', attempt: 1, timeoutMs: 5_000 });
      await store.commit(batch(startWithWork('exec_1', item)));
      expect(await store.workItem('default', 'w1')).toEqual({
        ...item,
        tenantId: 'default',
        executionId: 'exec_1',
        workflowId: 'refund',
        workflowVersion: '0.1.0',
        status: 'pending',
        workerId: null,
        fence: 0,
        leaseExpiresAtMs: null,
        deadlineAtMs: null,
        claimedAtMs: null,
      });
    });

    it('are claimed under a new fence, a lease and a deadline', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1', { timeoutMs: 5_000 }))));
      const [item] = await store.claimWork(claim({ nowMs: AT_MS + 7 }));
      expect(item).toMatchObject({
        status: 'claimed',
        workerId: 'worker-1',
        fence: 1,
        claimedAtMs: AT_MS + 7,
        leaseExpiresAtMs: AT_MS + 30_007,
        deadlineAtMs: AT_MS + 5_007,
      });
      expect(await store.workItem('default', 'w1')).toEqual(item);
    });

    it('are claimed oldest first across the queues of a worker, ties in insertion order', async () => {
      const store = await database().open();
      const at = (id: string, ms: number, queue: string) => workItem(id, { createdAtMs: AT_MS + ms, queue });
      await store.commit(batch(startWithWork('exec_1', at('w5', 5, 'tool'), at('w1', 1, 'model'), at('w0', 0, 'java_tool'))));
      await store.commit(batch(startWithWork('exec_2', at('w3b', 3, 'model'), at('w3a', 3, 'tool'), at('w4', 4, 'model'))));
      const queues = ['tool', 'model', 'tool'];
      expect(await claimed(store, { queues, limit: 3 })).toEqual(['w1', 'w3b', 'w3a']);
      expect(await claimed(store, { queues })).toEqual(['w4', 'w5']);
      expect(await claimed(store, { queues })).toEqual([]);
    });

    it('are not claimed without a queue, nor by another tenant', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      expect(await claimed(store, { queues: [] })).toEqual([]);
      expect(await claimed(store, { tenantId: 'acme' })).toEqual([]);
      expect(await store.workItem('acme', 'w1')).toBeNull();
    });

    it('are handed to exactly one of several concurrent claimers', async () => {
      const one = database();
      const stores = [await one.open(), await one.open()];
      const items = Array.from({ length: 40 }, (_, index) => workItem(`w${index}`));
      await stores[0]?.commit(batch(startWithWork('exec_1', ...items)));
      const claims = Array.from({ length: 12 }, (_, index) =>
        stores[index % 2]?.claimWork(claim({ workerId: `worker-${index}`, limit: 5 })),
      );
      const ids = (await Promise.all(claims)).flatMap((found) => (found ?? []).map((item) => item.id));
      expect(ids).toHaveLength(40);
      expect(new Set(ids).size).toBe(40);
    });

    it('are settled once, under their fence', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      await store.claimWork(claim());
      const settle = (fence: number, fromSeq: number) =>
        store.commit(batch(step('exec_1', fromSeq, { work: [{ op: 'settle', id: 'w1', fence, status: 'failed' }] })));
      expect(await settle(2, 2)).toEqual([{ reason: 'work', executionId: 'exec_1' }]);
      expect(await settle(1, 2)).toEqual([null]);
      expect(await store.workItem('default', 'w1')).toMatchObject({ status: 'failed' });
      expect(await settle(1, 4)).toEqual([{ reason: 'work', executionId: 'exec_1' }]);
    });

    it('of an activation are cancelled, claimed or not; those of other activations stay', async () => {
      const store = await database().open();
      const items = [workItem('w1'), workItem('w2', { activation: 2 }), workItem('w3', { nodeId: 'b' })];
      await store.commit(batch(startWithWork('exec_1', ...items)));
      await store.claimWork(claim({ limit: 1 }));
      const cancel = { op: 'cancel', nodeId: 'a', activation: 1, item: null } as const;
      expect(await store.commit(batch(step('exec_1', 2, { work: [cancel, cancel] })))).toEqual([null]);
      expect(await store.workItem('default', 'w1')).toMatchObject({ status: 'cancelled' });
      expect(await claimed(store)).toEqual(['w2', 'w3']);
    });

    it('of one item of a list are cancelled; those of the others stay', async () => {
      const store = await database().open();
      const items = [0, 1].map((item) => workItem(`w${item}`, { item }));
      await store.commit(batch(startWithWork('exec_1', ...items, workItem('w2'))));
      await store.claimWork(claim({ limit: 1 }));
      const cancel = { op: 'cancel', nodeId: 'a', activation: 1, item: 1 } as const;
      expect(await store.commit(batch(step('exec_1', 2, { work: [cancel] })))).toEqual([null]);
      const statuses = await Promise.all(['w0', 'w1', 'w2'].map(async (id) => (await store.workItem('default', id))?.status));
      expect(statuses).toEqual(['claimed', 'cancelled', 'pending']);
    });

    it('of an activation are cancelled with the commit that puts them; those of other activations stay', async () => {
      const store = await database().open();
      const put = (id: string, activation: number, nodeId = 'a') =>
        ({ op: 'put', item: workItem(id, { activation, nodeId }) }) as const;
      const work = [
        put('w1', 1),
        put('w2', 2),
        put('w3', 1, 'b'),
        { op: 'cancel', nodeId: 'a', activation: 1, item: null } as const,
      ];
      expect(await store.commit(batch(startExecution('exec_1', { work })))).toEqual([null]);
      const statuses = await Promise.all(['w1', 'w2', 'w3'].map(async (id) => (await store.workItem('default', id))?.status));
      expect(statuses).toEqual(['cancelled', 'pending', 'pending']);
    });

    it('lose their payload when they are settled or cancelled', async () => {
      const store = await database().open();
      const payload = '{"input":"large"}';
      const items = [
        workItem('w1', { payload }),
        workItem('w2', { payload, nodeId: 'b' }),
        workItem('w3', { payload, nodeId: 'c' }),
      ];
      await store.commit(batch(startWithWork('exec_1', ...items)));
      await store.claimWork(claim({ limit: 1 }));
      const work = [
        { op: 'settle', id: 'w1', fence: 1, status: 'completed' } as const,
        { op: 'settle', id: 'w2', fence: null, status: 'failed' } as const,
        { op: 'cancel', nodeId: 'c', activation: 1, item: null } as const,
      ];
      expect(await store.commit(batch(step('exec_1', 2, { work })))).toEqual([null]);
      for (const id of ['w1', 'w2', 'w3']) expect(await store.workItem('default', id)).toMatchObject({ payload: '{}' });
    });

    it('keep their outcome when their activation is cancelled afterwards', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      const settle = { op: 'settle', id: 'w1', fence: null, status: 'completed' } as const;
      await store.commit(batch(step('exec_1', 2, { work: [settle, { op: 'cancel', nodeId: 'a', activation: 1, item: null }] })));
      expect(await store.workItem('default', 'w1')).toMatchObject({ status: 'completed' });
    });

    it('can be settled and put again in one step, as a retry does', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      await store.claimWork(claim());
      const retry = workItem('w2', { attempt: 1, createdAtMs: AT_MS + 9 });
      const work = [{ op: 'settle', id: 'w1', fence: 1, status: 'failed' } as const, { op: 'put', item: retry } as const];
      expect(await store.commit(batch(step('exec_1', 2, { work })))).toEqual([null]);
      expect(await store.claimWork(claim())).toMatchObject([{ id: 'w2', attempt: 1, fence: 1 }]);
    });
  });

  describe('unclaimed work', () => {
    it('is listed by id in pages, across tenants, until it is claimed', async () => {
      const store = await database().open();
      await store.commit(
        batch(
          startWithWork('exec_1', workItem('w3'), workItem('w1'), workItem('w4', { queue: 'other' })),
          startExecution('exec_2', { tenantId: 'acme', work: [{ op: 'put', item: workItem('w2') }] }),
        ),
      );
      const page = async (after: string, limit: number) =>
        (await store.unclaimedWork({ queue: 'tool', after, limit })).map((item) => `${item.tenantId} ${item.id}`);
      expect(await page('', 2)).toEqual(['default w1', 'acme w2']);
      expect(await page('w2', 2)).toEqual(['default w3']);
      expect(await claimed(store, { limit: 1 })).toEqual(['w3']);
      expect(await page('', 9)).toEqual(['default w1', 'acme w2']);
    });
  });

  describe('a lease', () => {
    it('is renewed by its holder, even just after it expired', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      await store.claimWork(claim());
      const leaseExpiresAtMs = AT_MS + 90_000;
      const renewal = { tenantId: 'default', id: 'w1', workerId: 'worker-1', fence: 1, leaseExpiresAtMs };
      expect(await store.renewLease(renewal)).toBe(true);
      expect(await store.workItem('default', 'w1')).toMatchObject({ leaseExpiresAtMs });
      expect(await store.due(AT_MS + 60_000, 10)).toEqual([]);
    });

    it('is not renewed for another worker, fence or tenant, nor for an item that is not claimed', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1')), startExecution('exec_2', { tenantId: 'acme' })));
      const renewal = { tenantId: 'default', id: 'w1', workerId: 'worker-1', fence: 1, leaseExpiresAtMs: AT_MS + 90_000 };
      expect(await store.renewLease({ ...renewal, fence: 0 })).toBe(false);
      await store.claimWork(claim());
      expect(await store.renewLease({ ...renewal, workerId: 'worker-2' })).toBe(false);
      expect(await store.renewLease({ ...renewal, fence: 2 })).toBe(false);
      expect(await store.renewLease({ ...renewal, fence: Number.MAX_SAFE_INTEGER })).toBe(false);
      expect(await store.renewLease({ ...renewal, tenantId: 'acme' })).toBe(false);
      expect(await store.renewLease({ ...renewal, id: 'w9' })).toBe(false);
      await store.commit(batch(step('exec_1', 2, { work: [{ op: 'settle', id: 'w1', fence: 1, status: 'completed' }] })));
      expect(await store.renewLease(renewal)).toBe(false);
    });
  });
}
