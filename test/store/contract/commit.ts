import { describe, expect, it } from 'vitest';
import type { WorkWrite } from '../../../store/port/commit.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import {
  AT_MS,
  batch,
  checkpoint,
  claim,
  event,
  events,
  request,
  startExecution,
  startWithWork,
  step,
  timer,
  unit,
  workItem,
} from '../writes.ts';

export function commitContract(database: () => TestDatabase<CoreStore>): void {
  describe('commit', () => {
    it('creates an execution and returns it as it was written', async () => {
      const store = await database().open();
      const create = { labels: '{"team":"ünïcode ☃"}', parentId: 'exec_0', depth: 1, deadlineAtMs: AT_MS + 60_000 };
      const written = startExecution('exec_1', { create, progress: { steps: 1, localWork: 2, owner: 'rt_1' } });
      expect(await store.commit(batch(written))).toEqual([null]);
      expect(await store.execution('exec_1')).toEqual({
        ...written.create,
        ...written.progress,
        id: 'exec_1',
        tenantId: 'default',
      });
      expect(await store.checkpoint('exec_1')).toEqual({ text: '{"at":2}', seq: 2 });
      expect(await store.events('exec_1', { after: 0, limit: 100 })).toEqual({ rows: written.events, next: null });
    });

    it('returns nothing for an unknown execution', async () => {
      const store = await database().open();
      expect(await store.execution('exec_1')).toBeNull();
      expect(await store.checkpoint('exec_1')).toBeNull();
      expect(await store.events('exec_1', { after: 0, limit: 100 })).toEqual({ rows: [], next: null });
    });

    it('updates the execution and appends to the log', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const change = { progress: { status: 'paused', localWork: 1, owner: 'rt_1', updatedAtMs: AT_MS + 5 } };
      expect(await store.commit(batch(step('exec_1', 2, change)))).toEqual([null]);
      expect(await store.execution('exec_1')).toMatchObject({ seq: 4, ...change.progress });
      expect((await store.events('exec_1', { after: 0, limit: 100 })).rows.map((row) => row.seq)).toEqual([1, 2, 3, 4]);
    });

    it('keeps every field of events whose actor and time differ within one commit', async () => {
      const store = await database().open();
      const written = [
        event(1, { nodeId: null, type: 'workflow_started', data: { input: '\0 😀 \ud800' } }),
        event(2, { actorType: 'system', actorId: '' }),
        event(3),
        event(4, { request: '{"id":"req_1","method":"POST","path":"/x","ip":"::1"}' }),
        event(5),
        event(6, { atMs: AT_MS + 1 }),
        ...Array.from({ length: 20 }, (_, index) => event(7 + index, { atMs: AT_MS + 1 })),
      ];
      await store.commit(batch(startExecution('exec_1', { events: written })));
      expect((await store.events('exec_1', { after: 0, limit: 100 })).rows).toEqual(written);
    });

    it('clears the deadline of an execution that ends, even in its first commit', async () => {
      const store = await database().open();
      const create = { deadlineAtMs: AT_MS + 1 };
      const ended = { progress: { status: 'completed', completedAtMs: AT_MS } };
      await store.commit(batch(startExecution('exec_1', { create }), startExecution('exec_2', { create, ...ended })));
      expect(await store.execution('exec_1')).toMatchObject({ deadlineAtMs: AT_MS + 1 });
      await store.commit(batch(step('exec_1', 2, ended)));
      expect(await store.execution('exec_1')).toMatchObject({ deadlineAtMs: null, ...ended.progress });
      expect(await store.execution('exec_2')).toMatchObject({ deadlineAtMs: null, ...ended.progress });
    });

    it('clears the deadline of an execution that is about to end, and of no other', async () => {
      const store = await database().open();
      const create = { deadlineAtMs: AT_MS + 1 };
      await store.commit(batch(startExecution('exec_1', { create }), startExecution('exec_2', { create })));
      const clearsDeadline = true;
      expect(await store.commit(batch(step('exec_1', 2, { clearsDeadline }), step('exec_2', 2)))).toEqual([null, null]);
      expect(await store.execution('exec_1')).toMatchObject({ deadlineAtMs: null, status: 'running' });
      expect(await store.execution('exec_2')).toMatchObject({ deadlineAtMs: AT_MS + 1 });
    });

    it('can continue an execution that has ended, with a new deadline', async () => {
      const store = await database().open();
      const ended = { progress: { status: 'failed', error: 'no', completedAtMs: AT_MS } };
      await store.commit(
        batch(startExecution('exec_1', { create: { deadlineAtMs: AT_MS + 1 }, ...ended }), startExecution('exec_2', ended)),
      );
      const revive = { deadlineAtMs: AT_MS + 9 };
      expect(await store.commit(batch(step('exec_1', 2, { revive }), step('exec_2', 2, { revive, checkpoint: null })))).toEqual([
        null,
        null,
      ]);
      for (const id of ['exec_1', 'exec_2']) {
        expect(await store.execution(id)).toMatchObject({
          status: 'running',
          error: null,
          completedAtMs: null,
          deadlineAtMs: AT_MS + 9,
        });
      }
      const due = await store.due(AT_MS + 9, 10);
      expect(due).toHaveLength(2);
      for (const executionId of ['exec_1', 'exec_2']) expect(due).toContainEqual(expect.objectContaining({ executionId }));
      await store.commit(batch(step('exec_2', 4, ended)));
      expect(await store.execution('exec_2')).toMatchObject({ deadlineAtMs: null, ...ended.progress });
      await store.commit(batch(step('exec_2', 6, { revive, ...ended })));
      expect(await store.execution('exec_2')).toMatchObject({ deadlineAtMs: null, ...ended.progress });
    });

    it('sets no deadline when the execution has advanced', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const late = step('exec_1', 1, { revive: { deadlineAtMs: AT_MS }, events: [event(2)] });
      expect(await store.commit(batch(late))).toMatchObject([{ reason: 'sequence' }]);
      expect(await store.execution('exec_1')).toMatchObject({ deadlineAtMs: null, seq: 2 });
    });

    it('accepts several steps of one execution in one batch', async () => {
      const store = await database().open();
      expect(await store.commit(batch(startExecution('exec_1'), step('exec_1', 2), step('exec_1', 4)))).toEqual([
        null,
        null,
        null,
      ]);
      expect(await store.execution('exec_1')).toMatchObject({ seq: 6 });
    });

    it('does nothing for an empty batch', async () => {
      const store = await database().open();
      expect(await store.commit({ atMs: AT_MS, units: [] })).toEqual([]);
      expect(await store.verifyAudit()).toMatchObject({ blocks: 0, fault: null });
    });

    it('rejects events that would leave a gap, and applies nothing', async () => {
      const store = await database().open();
      await expect(
        store.commit(batch(startExecution('exec_1'), startExecution('exec_2', { events: [event(1), event(3)] }))),
      ).rejects.toThrow(/exec_2/);
      await expect(store.commit(batch(startExecution('exec_1', { progress: { seq: 3 } })))).rejects.toThrow(/exec_1/);
      expect(await store.execution('exec_1')).toBeNull();
    });
  });

  describe('checkpoint', () => {
    const large = JSON.stringify({ conversation: '✓'.repeat(500_000) });

    it('stays when a step has none', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      await store.commit(batch(step('exec_1', 2, { checkpoint: null })));
      expect(await store.checkpoint('exec_1')).toEqual({ text: '{"at":2}', seq: 2 });
    });

    it('is null while an execution has none', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { checkpoint: null }), startExecution('exec_2')));
      expect(await store.checkpoint('exec_1')).toBeNull();
      await store.commit(batch(step('exec_1', 2, { checkpoint: null }), step('exec_2', 2)));
      expect(await store.checkpoint('exec_1')).toBeNull();
      expect(await store.checkpoint('exec_2')).toEqual({ text: '{"at":4}', seq: 4 });
    });

    it('may grow large and small again', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      for (const [index, text] of [large, `${large} `, '{}'].entries()) {
        const seq = 4 + 4 * index;
        await store.commit(batch(step('exec_1', seq - 2, { checkpoint: checkpoint(text) })));
        expect(await store.checkpoint('exec_1')).toEqual({ text, seq });
        await store.commit(batch(step('exec_1', seq, { checkpoint: null })));
        expect(await store.checkpoint('exec_1')).toEqual({ text, seq });
      }
    });

    it('may be large in the first commit', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { checkpoint: checkpoint(large, null) })));
      expect(await store.checkpoint('exec_1')).toEqual({ text: large, seq: 2 });
    });

    it('replaces earlier ones from a sequence on, and can be read at a sequence', async () => {
      const store = await database().open();
      const seqsAt = async (sequences: readonly number[]) =>
        Promise.all(sequences.map(async (at) => (await store.checkpoint('exec_1', at))?.seq ?? null));
      await store.commit(batch(startExecution('exec_1'), startExecution('exec_2')));
      for (const seq of [2, 4, 6]) {
        await store.commit(batch(step('exec_1', seq, { checkpoint: checkpoint(`{"at":${seq + 2}}`, null) })));
      }
      expect(await seqsAt([1, 2, 3, 4, 7, 8, 100])).toEqual([null, 2, 2, 4, 6, 8, 8]);
      await store.commit(batch(step('exec_1', 8, { checkpoint: checkpoint('{"at":10}', 4) })));
      expect(await seqsAt([1, 3, 9, 10])).toEqual([null, 2, 2, 10]);
      expect(await store.checkpoint('exec_1')).toEqual({ text: '{"at":10}', seq: 10 });
      expect(await store.checkpoint('exec_2')).toEqual({ text: '{"at":2}', seq: 2 });
    });

    it('may be replaced by none', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1'), startExecution('exec_2')));
      await store.commit(batch(step('exec_1', 2, { checkpoint: checkpoint(null) }), step('exec_2', 2, { checkpoint: null })));
      expect(await store.checkpoint('exec_1')).toBeNull();
      expect(await store.checkpoint('exec_2')).toEqual({ text: '{"at":2}', seq: 2 });
    });

    it('is not written, and replaces none, when the execution has advanced', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const late = step('exec_1', 1, { events: [event(2)], checkpoint: checkpoint('{}') });
      expect(await store.commit(batch(late, startExecution('exec_2')))).toMatchObject([{ reason: 'sequence' }, null]);
      expect(await store.checkpoint('exec_1')).toEqual({ text: '{"at":2}', seq: 2 });
    });
  });

  describe('rejection', () => {
    it('leaves out the unit whose execution has advanced, and applies the others', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const refusals = await store.commit(
        batch(startExecution('exec_2'), step('exec_1', 1, { events: [event(2)] }), startExecution('exec_3')),
      );
      expect(refusals).toEqual([null, { reason: 'sequence', executionId: 'exec_1' }, null]);
      expect(await store.execution('exec_1')).toMatchObject({ seq: 2 });
      expect(await store.execution('exec_2')).not.toBeNull();
      expect(await store.execution('exec_3')).not.toBeNull();
    });

    it('applies to an execution that exists already, does not exist, or belongs to another tenant', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const refused = { reason: 'sequence', executionId: 'exec_1' };
      expect(await store.commit(batch(startExecution('exec_1')))).toEqual([refused]);
      expect(await store.commit(batch(step('exec_1', 2, { tenantId: 'acme' })))).toEqual([refused]);
      expect(await store.commit(batch(step('exec_9', 2)))).toEqual([{ reason: 'sequence', executionId: 'exec_9' }]);
    });

    it('leaves out the whole unit: none of its executions is changed', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const timers = [timer('t', AT_MS)];
      const spoilt = unit([startExecution('exec_2'), step('exec_1', 2, { timers }), startExecution('exec_1')], request('key'));
      expect(await store.commit({ atMs: AT_MS, units: [spoilt] })).toEqual([{ reason: 'sequence', executionId: 'exec_1' }]);
      expect(await store.execution('exec_2')).toBeNull();
      expect(await store.execution('exec_1')).toMatchObject({ seq: 2 });
      expect(await store.nextDueAtMs()).toBeNull();
      expect(await store.tenant('default').idempotency('executions', 'key')).toBeNull();
      expect(await store.commit({ atMs: AT_MS, units: [spoilt, unit([startExecution('exec_3')])] })).toMatchObject([{}, null]);
      expect(await store.verifyAudit()).toMatchObject({ blocks: 2, fault: null });
    });

    it('of a unit does not prevent a later unit of the same execution', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const refusals = await store.commit(batch(step('exec_1', 7), step('exec_1', 2)));
      expect(refusals).toEqual([{ reason: 'sequence', executionId: 'exec_1' }, null]);
    });

    it('applies to a timer that is not armed, or was armed again', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { timers: [timer('t', AT_MS, 1)] })));
      await store.commit(batch(step('exec_1', 2, { timers: [timer('t', AT_MS + 5, 3)] })));
      const fire = (armedSeq: number) => store.commit(batch(step('exec_1', 4, { timers: [{ op: 'fire', id: 't', armedSeq }] })));
      for (const other of [1, 4]) expect(await fire(other)).toEqual([{ reason: 'timer', executionId: 'exec_1' }]);
      expect(await fire(3)).toEqual([null]);
      expect(await store.nextDueAtMs()).toBeNull();
    });

    it('applies to an inbox message that is gone', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { send: [{ toExecutionId: 'exec_1', message: '{}' }] })));
      const [message] = await store.inbox({ after: 0, limit: 10 });
      const consumed = [message?.id ?? -1];
      expect(await store.commit(batch(step('exec_1', 2, { consumed })))).toEqual([null]);
      expect(await store.commit(batch(step('exec_1', 4, { consumed })))).toEqual([{ reason: 'inbox', executionId: 'exec_1' }]);
    });

    it('applies to an idempotency key that exists, per tenant, scope and key', async () => {
      const store = await database().open();
      const start = (id: string, key: string, change = {}) =>
        store.commit({ atMs: AT_MS, units: [unit([startExecution(id)], request(key, change))] });
      expect(await start('exec_1', 'key')).toEqual([null]);
      expect(await start('exec_2', 'key')).toEqual([{ reason: 'idempotency', executionId: null }]);
      expect(await start('exec_3', 'key', { tenantId: 'acme' })).toEqual([null]);
      expect(await start('exec_4', 'key', { scope: 'external-event:exec_1' })).toEqual([null]);
      expect(await start('exec_5', 'Key')).toEqual([null]);
      expect(await store.execution('exec_2')).toBeNull();
      expect(await store.tenant('default').idempotency('executions', 'key')).toEqual(request('key'));
      expect(await store.tenant('other').idempotency('executions', 'key')).toBeNull();
    });

    it('applies to a work item that is to be held, and is not claimed under the fence', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      const hold = { op: 'hold', id: 'w1', fence: 1 } as const;
      const settle = { op: 'settle', id: 'w1', fence: 1, status: 'completed' } as const;
      const commit = (fromSeq: number, ...work: WorkWrite[]) => store.commit(batch(step('exec_1', fromSeq, { work })));
      const rejected = [{ reason: 'work', executionId: 'exec_1' }];
      expect(await commit(2, hold)).toEqual(rejected);
      await store.claimWork(claim());
      expect(await commit(2, { ...hold, fence: 2 })).toEqual(rejected);
      expect(await commit(2, hold, hold)).toEqual([null]);
      expect(await commit(4, settle, hold)).toEqual(rejected);
      expect((await store.workItem('default', 'w1'))?.status).toBe('claimed');
      expect(await commit(4, hold, settle)).toEqual([null]);
      expect(await commit(6, hold)).toEqual(rejected);
    });

    it('does not apply to a work item that is held, and cancelled in the same write', async () => {
      const store = await database().open();
      await store.commit(batch(startWithWork('exec_1', workItem('w1'))));
      await store.claimWork(claim());
      const { nodeId, activation, item } = workItem('w1');
      const work = [{ op: 'hold', id: 'w1', fence: 1 } as const, { op: 'cancel', nodeId, activation, item } as const];
      expect(await store.commit(batch(step('exec_1', 2, { work })))).toEqual([null]);
      expect((await store.workItem('default', 'w1'))?.status).toBe('cancelled');
    });

    it('applies to a work item that is settled, under another fence, or of another execution', async () => {
      const store = await database().open();
      await store.commit(
        batch(startExecution('exec_1', { work: [{ op: 'put', item: workItem('w1') }] }), startExecution('exec_2')),
      );
      const settle = (id: string, fromSeq: number, fence: number | null) =>
        store.commit(batch(step(id, fromSeq, { work: [{ op: 'settle', id: 'w1', fence, status: 'completed' }] })));
      expect(await settle('exec_1', 2, 0)).toEqual([{ reason: 'work', executionId: 'exec_1' }]);
      expect(await settle('exec_2', 2, null)).toEqual([{ reason: 'work', executionId: 'exec_2' }]);
      expect(await settle('exec_1', 2, null)).toEqual([null]);
      expect(await settle('exec_1', 4, null)).toEqual([{ reason: 'work', executionId: 'exec_1' }]);
    });
  });

  describe('concurrent commits', () => {
    it('from the same sequence: one is applied, the others are rejected', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.commit(batch(step('exec_1', 2)))));
      expect(outcomes.flat().filter((outcome) => outcome === null)).toHaveLength(1);
      expect((await store.events('exec_1', { after: 0, limit: 100 })).rows).toEqual(events(1, 4));
    });

    it('of many executions are all applied, even from two stores on one database', async () => {
      const one = database();
      const stores = [await one.open(), await one.open()];
      const ids = Array.from({ length: 50 }, (_, index) => `exec_${String(index).padStart(2, '0')}`);
      await Promise.all(ids.map((id, index) => stores[index % 2]?.commit(batch(startExecution(id)))));
      const refusals = await Promise.all(ids.map((id) => Promise.all(stores.map((store) => store.commit(batch(step(id, 2)))))));
      expect(refusals.flat(2).filter((refusal) => refusal === null)).toHaveLength(50);
      for (const store of stores) {
        expect((await store.tenant('default').executions({ limit: 100, offset: 0 })).rows).toHaveLength(50);
        expect(await store.verifyAudit()).toMatchObject({ fault: null });
      }
    });
  });
}
