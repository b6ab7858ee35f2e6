import { describe, expect, it } from 'vitest';
import type { KeyWrite } from '../../../store/port/resources/keys.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { batch, type Change, request, startExecution, step } from '../writes.ts';

const ORDER = { workflowId: 'refund', key: 'order-42' };
const TAKE: KeyWrite = { op: 'take', ...ORDER };
const FREE: KeyWrite = { op: 'free', ...ORDER };

function started(id: string, key: KeyWrite = TAKE, change: Change = {}) {
  return startExecution(id, { keys: [key], ...change });
}

function refused(executionId: string) {
  return { reason: 'key', executionId };
}

async function holder(store: Store, key = ORDER, tenantId = 'default') {
  return store.tenant(tenantId).keyHolder(key);
}

export function keyContract(database: () => TestDatabase): void {
  describe('keys of executions', () => {
    it('are of one execution at a time, which has them until it frees them', async () => {
      const store = await database().open();
      expect(await holder(store)).toBeNull();
      expect(await store.commit(batch(started('exec_1')))).toEqual([null]);
      expect(await holder(store)).toBe('exec_1');
      expect(await store.commit(batch(started('exec_2')))).toEqual([refused('exec_2')]);
      expect(await store.execution('exec_2')).toBeNull();
      expect(await store.commit(batch(step('exec_1', 2, { keys: [FREE] })))).toEqual([null]);
      expect(await holder(store)).toBeNull();
      expect(await store.commit(batch(started('exec_2')))).toEqual([null]);
      expect(await store.commit(batch(step('exec_1', 4, { keys: [FREE] })))).toEqual([null]);
      expect(await holder(store)).toBe('exec_2');
    });

    it('are of a workflow and a tenant', async () => {
      const store = await database().open();
      const others = [
        started('exec_2', { ...TAKE, workflowId: 'other' }),
        started('exec_3', { ...TAKE, key: 'order-43' }),
        started('exec_4', TAKE, { tenantId: 'acme' }),
      ];
      expect(await store.commit(batch(started('exec_1'), ...others))).toEqual([null, null, null, null]);
      expect(await holder(store, { ...ORDER, workflowId: 'other' })).toBe('exec_2');
      expect(await holder(store, { ...ORDER, key: 'order-43' })).toBe('exec_3');
      expect(await holder(store, ORDER, 'acme')).toBe('exec_4');
    });

    it('are taken once within a batch, and by the next unit after they are freed', async () => {
      const store = await database().open();
      expect(await store.commit(batch(started('exec_1'), started('exec_2'), startExecution('exec_3')))).toEqual([
        null,
        refused('exec_2'),
        null,
      ]);
      const next = [step('exec_1', 2, { keys: [FREE] }), started('exec_4'), started('exec_5')];
      expect(await store.commit(batch(...next))).toEqual([null, null, refused('exec_5')]);
      expect(await holder(store)).toBe('exec_4');
    });

    it('are not kept by an execution that ends in the commit that starts it', async () => {
      const store = await database().open();
      const brief = (id: string) => startExecution(id, { keys: [TAKE, FREE] });
      expect(await store.commit(batch(brief('exec_1'), brief('exec_2'), started('exec_3'), brief('exec_4')))).toEqual([
        null,
        null,
        null,
        refused('exec_4'),
      ]);
    });

    it.each([
      ['alone', []],
      ['beside a unit that is refused', [startExecution('exec_1')]],
    ])('are freed, taken and passed on by the units of a batch in order, %s', async (_, beside) => {
      const store = await database().open();
      await store.commit(batch(started('exec_1')));
      const units = [
        step('exec_1', 2, { keys: [FREE] }),
        startExecution('exec_2', { keys: [TAKE, FREE] }),
        started('exec_3'),
        started('exec_4', { op: 'inherit', ...ORDER, from: 'exec_3' }),
        started('exec_5', { op: 'inherit', workflowId: 'other', key: 'new', from: 'exec_3' }),
      ];
      const outcomes = await store.commit(batch(...beside, ...units));
      expect(outcomes).toEqual([...beside.map(({ id }) => ({ reason: 'sequence', executionId: id })), ...units.map(() => null)]);
      expect(await holder(store)).toBe('exec_4');
      expect(await holder(store, { workflowId: 'other', key: 'new' })).toBe('exec_5');
      const both = { executions: [startExecution('exec_6'), started('exec_7')], idempotency: request('key') };
      expect(await store.commit({ ...batch(), units: [both] })).toEqual([refused('exec_7')]);
      expect(await store.execution('exec_6')).toBeNull();
    });

    it('pass to the execution that continues their holder, in one unit', async () => {
      const store = await database().open();
      await store.commit(batch(started('exec_1')));
      const inherit = (from: string): KeyWrite => ({ op: 'inherit', ...ORDER, from });
      const unit = { executions: [step('exec_1', 2), started('exec_2', inherit('exec_1'))], idempotency: null };
      expect(await store.commit({ ...batch(), units: [unit] })).toEqual([null]);
      expect(await holder(store)).toBe('exec_2');
      expect(await store.commit(batch(started('exec_3', inherit('exec_1'))))).toEqual([refused('exec_3')]);
      await store.commit(batch(step('exec_2', 2, { keys: [FREE] })));
      expect(await store.commit(batch(started('exec_4', inherit('exec_9'))))).toEqual([null]);
      expect(await holder(store)).toBe('exec_4');
    });

    it('are of one execution when many are started at once, and stay in the database', async () => {
      const opened = database();
      const store = await opened.open();
      const commits = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          store.commit(batch(started(`exec_${i}a`), started(`exec_${i}b`, { ...TAKE, key: `only-${i}` }), started(`exec_${i}c`))),
        ),
      );
      const outcomes = commits.flat();
      expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(41);
      expect(outcomes.every((outcome) => outcome === null || outcome.reason === 'key')).toBe(true);
      const live = await holder(store);
      expect(await store.execution(live ?? '')).not.toBeNull();
      await store.close();
      expect(await holder(await opened.open())).toBe(live);
    });
  });
}
