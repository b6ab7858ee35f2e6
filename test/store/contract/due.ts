import { describe, expect, it } from 'vitest';
import type { Due } from '../../../store/port/work-items.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, claim, startExecution, startWithWork, step, timer, workItem } from '../writes.ts';

function names(due: readonly Due[]): readonly string[] {
  return due.map((each) => {
    if (each.kind === 'timer') return `timer ${each.executionId}/${each.timerId}`;
    return each.kind === 'workflow_timeout' ? `timeout ${each.executionId}` : `${each.kind} ${each.item.id}`;
  });
}

export function dueContract(database: () => TestDatabase<CoreStore>): void {
  describe('due', () => {
    it('is empty in an empty store', async () => {
      const store = await database().open();
      expect(await store.due(AT_MS, 10)).toEqual([]);
      expect(await store.nextDueAtMs()).toBeNull();
    });

    it('contains a timer at its time, with the `armedSeq` that fires', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { timers: [timer('t', AT_MS + 10, 2)] })));
      expect(await store.due(AT_MS + 9, 10)).toEqual([]);
      expect(await store.due(AT_MS + 10, 10)).toEqual([
        { kind: 'timer', executionId: 'exec_1', timerId: 't', armedSeq: 2, atMs: AT_MS + 10 },
      ]);
      expect(await store.nextDueAtMs()).toBe(AT_MS + 10);
    });

    it('changes nothing', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { timers: [timer('t', AT_MS)] })));
      expect(await store.due(AT_MS, 10)).toEqual(await store.due(AT_MS, 10));
    });

    it('does not contain cleared timers; clearing twice is no error', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { timers: [timer('t', AT_MS), timer('u', AT_MS)] })));
      const clear = { op: 'clear', id: 't' } as const;
      expect(await store.commit(batch(step('exec_1', 2, { timers: [clear, clear] })))).toEqual([null]);
      expect(names(await store.due(AT_MS, 10))).toEqual(['timer exec_1/u']);
    });

    it('applies the timer changes of a step in order', async () => {
      const store = await database().open();
      const timers = [timer('t', AT_MS), { op: 'clear', id: 't' } as const, timer('t', AT_MS + 3, 2)];
      await store.commit(batch(startExecution('exec_1', { timers })));
      expect(await store.nextDueAtMs()).toBe(AT_MS + 3);
    });

    it('contains a workflow timeout until the execution ends', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { create: { deadlineAtMs: AT_MS + 5 } })));
      expect(await store.due(AT_MS + 5, 10)).toEqual([{ kind: 'workflow_timeout', executionId: 'exec_1', atMs: AT_MS + 5 }]);
      await store.commit(batch(step('exec_1', 2, { progress: { status: 'failed', completedAtMs: AT_MS + 6 } })));
      expect(await store.due(AT_MS + 9, 10)).toEqual([]);
    });

    it('contains expired leases and passed deadlines of claimed items only', async () => {
      const store = await database().open();
      await store.commit(
        batch(startWithWork('exec_1', workItem('w1'), workItem('w2', { timeoutMs: 500 }), workItem('w3', { queue: 'other' }))),
      );
      expect(await store.nextDueAtMs()).toBeNull();
      await store.claimWork(claim({ leaseMs: 1_000 }));
      expect(await store.nextDueAtMs()).toBe(AT_MS + 500);
      expect(await store.due(AT_MS + 499, 10)).toEqual([]);
      expect(names(await store.due(AT_MS + 500, 10))).toEqual(['deadline w2']);
      expect(names(await store.due(AT_MS + 1_000, 10))).toEqual(['deadline w2', 'lease w1']);
      expect((await store.due(AT_MS + 1_000, 10))[1]).toMatchObject({
        atMs: AT_MS + 1_000,
        item: { workerId: 'worker-1', fence: 1 },
      });
    });

    it('contains an item once, for the earlier of lease and deadline', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1', { timeoutMs: 2_000 }))));
      await store.claimWork(claim({ leaseMs: 1_000 }));
      expect(names(await store.due(AT_MS + 3_000, 10))).toEqual(['lease w1']);
    });

    it('does not contain settled items', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1', { timeoutMs: 500 }))));
      await store.claimWork(claim());
      await store.commit(batch(step('exec_1', 2, { work: [{ op: 'settle', id: 'w1', fence: 1, status: 'completed' }] })));
      expect(await store.nextDueAtMs()).toBeNull();
    });

    it('is ordered oldest first across kinds, up to the limit', async () => {
      const store = await database().open();
      await store.commit(
        batch(
          startWithWork('exec_1', workItem('w1', { timeoutMs: 30 })),
          startExecution('exec_2', { tenantId: 'acme', timers: [timer('t', AT_MS + 20), timer('u', AT_MS + 50)] }),
          startExecution('exec_3', { create: { deadlineAtMs: AT_MS + 10 } }),
        ),
      );
      await store.claimWork(claim({ leaseMs: 40 }));
      const all = ['timeout exec_3', 'timer exec_2/t', 'deadline w1', 'timer exec_2/u'];
      expect(names(await store.due(AT_MS + 100, 10))).toEqual(all);
      expect(names(await store.due(AT_MS + 100, 2))).toEqual(all.slice(0, 2));
      expect(await store.nextDueAtMs()).toBe(AT_MS + 10);
    });
  });

  describe('inbox', () => {
    it('contains messages between executions in the order they were sent', async () => {
      const store = await database().open();
      const send = (text: string, to: string) => ({ toExecutionId: to, message: JSON.stringify({ text }) });
      await store.commit(batch(startExecution('exec_1', { send: [send('ö', 'exec_2'), send('b', 'exec_3')] })));
      await store.commit(batch(step('exec_1', 2, { send: [send('c', 'exec_2')] })));
      const all = await store.inbox({ after: 0, limit: 10 });
      expect(all.map((row) => [row.toExecutionId, row.message])).toEqual([
        ['exec_2', '{"text":"ö"}'],
        ['exec_3', '{"text":"b"}'],
        ['exec_2', '{"text":"c"}'],
      ]);
      expect(await store.inbox({ after: all[0]?.id ?? 0, limit: 1 })).toEqual(all.slice(1, 2));
    });

    it('never reuses an id', async () => {
      const store = await database().open();
      const send = [{ toExecutionId: 'exec_1', message: '{}' }];
      await store.commit(batch(startExecution('exec_1', { send })));
      const [first] = await store.inbox({ after: 0, limit: 1 });
      await store.commit(batch(step('exec_1', 2, { consumed: [first?.id ?? 0] }), step('exec_1', 4, { send })));
      const [second] = await store.inbox({ after: 0, limit: 1 });
      expect(second?.id).toBeGreaterThan(first?.id ?? Number.POSITIVE_INFINITY);
    });
  });
}
