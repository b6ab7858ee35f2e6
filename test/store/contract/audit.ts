import { describe, expect, it } from 'vitest';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, event, request, startExecution, step, token, unit } from '../writes.ts';

export function auditContract(database: () => TestDatabase): void {
  describe('the audit chain', () => {
    it('is valid and empty at first', async () => {
      const store = await database().open();
      expect(await store.verifyAudit()).toMatchObject({ blocks: 0, fault: null });
    });

    it('gains one block per commit and per control action', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1'), startExecution('exec_2', { tenantId: 'acme' })));
      await store.commit(batch(step('exec_1', 2)));
      await store.control({ type: 'token_created', token: token('t1') }, context());
      await store.control({ type: 'token_revoked', id: 't1' }, context({ request: '{"id":"req_1"}' }));
      expect(await store.verifyAudit()).toMatchObject({ blocks: 4, fault: null });
    });

    it('gains no block for rejected commits', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      await store.commit(batch(startExecution('exec_1')));
      await store.commit(batch(startExecution('exec_1'), step('exec_1', 2)));
      expect(await store.verifyAudit()).toMatchObject({ blocks: 2, fault: null });
    });

    it('gains no block for an idempotency key without an execution', async () => {
      const store = await database().open();
      expect(await store.commit({ atMs: AT_MS, units: [unit([], request('key'))] })).toEqual([null]);
      expect(await store.verifyAudit()).toMatchObject({ blocks: 0, fault: null });
    });

    it('covers unusual text: unpaired surrogates, control characters, look-alike separators', async () => {
      const store = await database().open();
      const odd = event(1, { actorId: 'a\ud800b', nodeId: '3:abc\n5 ', request: '\u0000', type: '- ' });
      await store.commit(batch(startExecution('exec_1', { create: { workflowId: 'w\udc00' }, events: [odd] })));
      await store.control({ type: 'token_created', token: token('t1') }, context({ actorId: '\udfff' }));
      expect(await store.verifyAudit()).toMatchObject({ blocks: 2, fault: null });
      expect((await store.events('exec_1', { after: 0, limit: 1 })).rows[0]).toEqual({
        ...odd,
        actorId: 'a\ufffdb',
        request: '\ufffd',
      });
    });

    it('keeps its head until something is written', async () => {
      const one = database();
      const store = await one.open();
      await store.commit(batch(startExecution('exec_1')));
      const first = await store.verifyAudit();
      expect(await (await one.open()).verifyAudit()).toEqual(first);
      await store.commit(batch(step('exec_1', 2)));
      expect((await store.verifyAudit()).head).not.toBe(first.head);
    });

    it('can be verified during writes', async () => {
      const store = await database().open();
      for (let index = 0; index < 150; index += 1) await store.commit(batch(startExecution(`exec_${index}`)));
      const verification = store.verifyAudit();
      await store.commit(batch(startExecution('exec_late')));
      expect(await verification).toMatchObject({ fault: null });
      expect(await store.verifyAudit()).toMatchObject({ blocks: 151, fault: null });
    });
  });
}
