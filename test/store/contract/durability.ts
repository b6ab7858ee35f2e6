import { describe, expect, it } from 'vitest';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import {
  AT_MS,
  batch,
  claim,
  context,
  request,
  startExecution,
  startWithWork,
  step,
  timer,
  token,
  unit,
  workItem,
} from '../writes.ts';

export function durabilityContract(database: () => TestDatabase<CoreStore>): void {
  describe('a reopened database', () => {
    it('contains everything that was written', async () => {
      const one = database();
      const first = await one.open();
      await first.commit({ atMs: AT_MS, units: [unit([startWithWork('exec_1', workItem('w1'))], request('key'))] });
      await first.claimWork(claim());
      const send = [{ toExecutionId: 'exec_9', message: '{}' }];
      await first.commit(
        batch(step('exec_1', 2, { timers: [timer('t', AT_MS + 1)], send, progress: { localWork: 1, owner: 'rt_1' } })),
      );
      await first.control({ type: 'token_created', token: token('t1') }, context());
      await first.recordStop('rt_1', AT_MS);
      const audit = await first.verifyAudit();
      await first.close();

      const second = await one.open();
      expect(await second.execution('exec_1')).toMatchObject({ seq: 4, owner: 'rt_1' });
      expect(await second.checkpoint('exec_1')).toEqual({ text: '{"at":4}', seq: 4 });
      expect((await second.events('exec_1', { after: 0, limit: 10 })).rows).toHaveLength(4);
      expect(await second.nextDueAtMs()).toBe(AT_MS + 1);
      expect(await second.workItem('default', 'w1')).toMatchObject({ status: 'claimed', fence: 1 });
      expect(await second.inbox({ after: 0, limit: 10 })).toMatchObject(send);
      expect(await second.tenant('default').idempotency('executions', 'key')).toEqual(request('key'));
      expect(await second.tokenByHash('hash of t1')).toEqual(token('t1'));
      expect(await second.stoppedCleanly('rt_1')).toBe(true);
      expect(await second.verifyAudit()).toEqual(audit);
    });

    it('continues sequences and the audit chain', async () => {
      const one = database();
      const first = await one.open();
      await first.commit(batch(startExecution('exec_1')));
      await first.close();
      const second = await one.open();
      expect(await second.commit(batch(startExecution('exec_1'), step('exec_1', 2)))).toEqual([
        { reason: 'sequence', executionId: 'exec_1' },
        null,
      ]);
      expect(await second.verifyAudit()).toMatchObject({ blocks: 2, fault: null });
    });
  });

  describe('a closed store', () => {
    it('can be closed again, and rejects everything else', async () => {
      const store = await database().open();
      await store.close();
      await store.close();
      const refused = { name: 'StoreError', code: 'store_unavailable' };
      await expect(store.commit(batch(startExecution('exec_1')))).rejects.toMatchObject(refused);
      await expect(store.execution('exec_1')).rejects.toMatchObject(refused);
      await expect(store.tenant('default').executions({ limit: 1, offset: 0 })).rejects.toMatchObject(refused);
      await expect(store.claimWork(claim())).rejects.toMatchObject(refused);
      await expect(store.control({ type: 'token_created', token: token('t1') }, context())).rejects.toMatchObject(refused);
      await expect(store.verifyAudit()).rejects.toMatchObject(refused);
      await expect(store.lock({ runtimeId: 'rt_1', pid: 1, startedAtMs: AT_MS })).rejects.toMatchObject(refused);
    });
  });
}
