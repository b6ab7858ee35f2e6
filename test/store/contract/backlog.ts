import { describe, expect, it } from 'vitest';
import type { NewWebhook } from '../../../store/port/resources/webhooks.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, claim, context, startExecution, startWithWork, workItem } from '../writes.ts';

const EMPTY = {
  queues: [],
  executions: { pending: 0, running: 0, paused: 0 },
  leases: 0,
  overdueTimers: { count: 0, oldestAtMs: null },
  webhookDeliveries: { count: 0, oldestAtMs: null },
  storage: [],
};

const WEBHOOK: NewWebhook = {
  id: 'w1',
  tenantId: 'default',
  url: 'https://example.com/hook',
  events: ['*'],
  workflowId: null,
  description: null,
  enabled: true,
  secret: 'whsec_c2VjcmV0',
};

export function backlogContract(database: () => TestDatabase): void {
  describe('backlog', () => {
    it('is empty in a new database', async () => {
      const store = await database().open();
      expect(await store.backlog.read(10, AT_MS)).toEqual(EMPTY);
    });

    it('has the queues with unclaimed items and their oldest ones, and the leases', async () => {
      const store = await database().open();
      const at = (id: string, ms: number, queue: string) => workItem(id, { createdAtMs: AT_MS + ms, queue });
      await store.commit(batch(startWithWork('exec_1', at('w1', 5, 'tool'), at('w2', 1, 'model'), at('w3', 3, 'tool'))));
      const waiting = (queue: string, count: number, ms: number) => ({
        tenantId: 'default',
        queue,
        count,
        oldestAtMs: AT_MS + ms,
      });
      expect((await store.backlog.read(10, AT_MS)).queues).toEqual([waiting('model', 1, 1), waiting('tool', 2, 3)]);
      await store.claimWork(claim({ queues: ['tool'], limit: 1, nowMs: AT_MS }));
      const { queues, leases } = await store.backlog.read(10, AT_MS);
      expect([queues, leases]).toEqual([[waiting('model', 1, 1), waiting('tool', 1, 5)], 1]);
      expect((await store.backlog.read(10, AT_MS + 3_600_000)).leases).toBe(0);
    });

    it('counts up to the limit', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'), workItem('w2'), workItem('w3'))));
      const inStatus = (id: string, status: 'paused' | 'pending') => startExecution(id, { progress: { status } });
      await store.commit(batch(startExecution('exec_2'), inStatus('exec_3', 'paused'), inStatus('exec_4', 'pending')));
      const { queues, executions } = await store.backlog.read(2, AT_MS);
      expect(queues.map(({ count }) => count)).toEqual([2]);
      expect(executions).toEqual({ pending: 1, running: 2, paused: 1 });
      expect((await store.backlog.read(1, AT_MS)).executions).toEqual({ pending: 1, running: 1, paused: 1 });
    });

    it('leaves out executions that have ended', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { progress: { status: 'completed', completedAtMs: AT_MS } })));
      expect(await store.backlog.read(10, AT_MS)).toEqual(EMPTY);
    });

    it('has the timers that should have fired', async () => {
      const store = await database().open();
      const timer = (id: string, ms: number) =>
        ({ op: 'set', id, nodeId: 'a', activation: 1, atMs: AT_MS + ms, armedSeq: 2, kind: 'wait' }) as const;
      await store.commit(batch(startExecution('exec_1', { timers: [timer('t1', 10), timer('t2', 20), timer('t3', 30)] })));
      expect((await store.backlog.read(10, AT_MS + 20)).overdueTimers).toEqual({ count: 2, oldestAtMs: AT_MS + 10 });
      expect((await store.backlog.read(10, AT_MS)).overdueTimers).toEqual({ count: 0, oldestAtMs: null });
    });

    it('has the deliveries that enabled webhooks have not accepted yet', async () => {
      const store = await database().open();
      await store.webhooks.create(WEBHOOK, 10, context());
      const delivery = (id: string, executionId: string) => ({
        id,
        webhookId: 'w1',
        executionId,
        seq: 1,
        type: 'node_completed',
      });
      const from = (await store.webhooks.cursor()) ?? '';
      const deliveries = [delivery('d1', 'a'), delivery('d2', 'b')];
      await store.webhooks.enqueue({ from, to: await store.log.end(), deliveries, nowMs: AT_MS + 5 });
      expect((await store.backlog.read(10, AT_MS)).webhookDeliveries).toEqual({ count: 2, oldestAtMs: AT_MS + 5 });
      await store.webhooks.update('w1', { enabled: false, disabledReason: null }, 'webhook_updated', context());
      expect((await store.backlog.read(10, AT_MS)).webhookDeliveries).toEqual({ count: 0, oldestAtMs: null });
    });
  });

  describe('connections', () => {
    it('are those of the pool, if the database has one', async () => {
      const store = await database().open();
      await store.backlog.read(10, AT_MS);
      if (store.engine === 'sqlite') expect(store.connections).toBeNull();
      else expect(store.connections).toMatchObject({ max: expect.any(Number), open: expect.any(Number), waiting: 0 });
    });
  });
}
