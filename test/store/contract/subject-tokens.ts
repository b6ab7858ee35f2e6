import { describe, expect, it } from 'vitest';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, startExecution, step } from '../writes.ts';

const row = (executionId: string, createdAtMs = AT_MS) => ({
  tenantId: 'default',
  executionId,
  sealed: Buffer.from([0, 255, 1]),
  createdAtMs,
});

export function subjectTokenContract(database: () => TestDatabase<CoreStore>): void {
  describe('subject tokens', () => {
    it('are found by execution and tenant until they are removed', async () => {
      const { subjectTokens } = await database().open();
      await subjectTokens.put(row('exec_1'));
      expect(Buffer.from((await subjectTokens.find('default', 'exec_1')) ?? [])).toEqual(Buffer.from([0, 255, 1]));
      expect(await subjectTokens.find('acme', 'exec_1')).toBeNull();
      await subjectTokens.remove('acme', 'exec_1');
      expect(await subjectTokens.find('default', 'exec_1')).not.toBeNull();
      await subjectTokens.remove('default', 'exec_1');
      expect(await subjectTokens.find('default', 'exec_1')).toBeNull();
    });

    it('are removed as unused when they are old and their execution has ended or was never started', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_live'), startExecution('exec_ended')));
      await store.commit(batch(step('exec_ended', 2, { progress: { status: 'completed', completedAtMs: AT_MS } })));
      for (const id of ['exec_live', 'exec_ended', 'exec_never']) await store.subjectTokens.put(row(id));
      await store.subjectTokens.put(row('exec_new', AT_MS + 1_000));
      await store.subjectTokens.removeUnused(AT_MS + 1);
      const left = await Promise.all(
        ['exec_live', 'exec_ended', 'exec_never', 'exec_new'].map((id) => store.subjectTokens.find('default', id)),
      );
      expect(left.map((found) => found !== null)).toEqual([true, false, false, true]);
    });
  });
}
