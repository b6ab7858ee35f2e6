import { describe, expect, it } from 'vitest';
import type { Store } from '../../../store/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { batch, begin, event, step } from '../writes.ts';

const ALL = { limit: 100, offset: 0 };

async function ids(store: Store, tenantId: string, filter: object = {}): Promise<readonly string[]> {
  return (await store.tenant(tenantId).executions({ ...ALL, ...filter })).map((row) => row.id);
}

export function listContract(database: () => TestDatabase): void {
  describe('lists of executions', () => {
    it('are newest first by id, in pages', async () => {
      const store = await database().open();
      await store.commit(batch(begin('exec_2'), begin('exec_1'), begin('exec_4'), begin('exec_3')));
      expect(await ids(store, 'default')).toEqual(['exec_4', 'exec_3', 'exec_2', 'exec_1']);
      expect(await ids(store, 'default', { limit: 2, offset: 1 })).toEqual(['exec_3', 'exec_2']);
      expect(await ids(store, 'default', { limit: 2, offset: 4 })).toEqual([]);
    });

    it('answer whole rows, without the checkpoint', async () => {
      const store = await database().open();
      await store.commit(batch(begin('exec_1')));
      expect(await store.tenant('default').executions(ALL)).toEqual([await store.execution('exec_1')]);
    });

    it('filter by status, workflow and parent, in any combination', async () => {
      const store = await database().open();
      const paused = { head: { status: 'paused' } };
      await store.commit(
        batch(
          begin('exec_1', { create: { workflowId: 'other', parentId: 'exec_0' }, ...paused }),
          begin('exec_2', { create: { parentId: 'exec_0' } }),
          begin('exec_3', paused),
          begin('exec_4'),
        ),
      );
      expect(await ids(store, 'default', { status: 'paused' })).toEqual(['exec_3', 'exec_1']);
      expect(await ids(store, 'default', { workflowId: 'refund' })).toEqual(['exec_4', 'exec_3', 'exec_2']);
      expect(await ids(store, 'default', { parentId: 'exec_0' })).toEqual(['exec_2', 'exec_1']);
      expect(await ids(store, 'default', { status: 'paused', workflowId: 'refund' })).toEqual(['exec_3']);
      expect(await ids(store, 'default', { status: 'paused', workflowId: 'other', parentId: 'exec_0' })).toEqual(['exec_1']);
      expect(await ids(store, 'default', { status: 'failed' })).toEqual([]);
    });

    it('follow a status that changes', async () => {
      const store = await database().open();
      await store.commit(batch(begin('exec_1')));
      await store.commit(batch(step('exec_1', 2, { head: { status: 'paused' } })));
      expect(await ids(store, 'default', { status: 'running' })).toEqual([]);
      expect(await ids(store, 'default', { status: 'paused' })).toEqual(['exec_1']);
    });

    it('show a tenant its own', async () => {
      const store = await database().open();
      await store.commit(batch(begin('exec_1'), begin('exec_2', { tenantId: 'acme' })));
      expect(await ids(store, 'acme')).toEqual(['exec_2']);
      expect(await store.tenant('acme').execution('exec_2')).toMatchObject({ tenantId: 'acme' });
      expect(await store.tenant('acme').execution('exec_1')).toBeNull();
      expect(await store.tenant('nobody').executions(ALL)).toEqual([]);
    });
  });

  describe('executions with in-process work', () => {
    it('come by id, page by page, and leave with the work', async () => {
      const store = await database().open();
      const busy = { head: { localWork: 1, owner: 'rt_1' } };
      await store.commit(
        batch(begin('exec_3', busy), begin('exec_1', { tenantId: 'acme', ...busy }), begin('exec_2'), begin('exec_4', busy)),
      );
      const page = async (after: string, limit: number) =>
        (await store.executionsWithLocalWork({ after, limit })).map((row) => row.id);
      expect(await page('', 2)).toEqual(['exec_1', 'exec_3']);
      expect(await page('exec_3', 2)).toEqual(['exec_4']);
      await store.commit(batch(step('exec_4', 2), step('exec_2', 2, busy)));
      expect(await page('', 10)).toEqual(['exec_1', 'exec_2', 'exec_3']);
    });
  });

  describe('the log', () => {
    it('is read in pages after a sequence', async () => {
      const store = await database().open();
      await store.commit(batch(begin('exec_1'), step('exec_1', 2), begin('exec_2'), step('exec_1', 4)));
      const page = async (after: number, limit: number) => (await store.events('exec_1', { after, limit })).map((row) => row.seq);
      expect(await page(0, 4)).toEqual([1, 2, 3, 4]);
      expect(await page(4, 4)).toEqual([5, 6]);
      expect(await page(6, 4)).toEqual([]);
    });

    it('ends a page early when its events are large, but never before the first', async () => {
      const store = await database().open();
      const data = JSON.stringify({ output: 'x'.repeat(1_000) });
      await store.commit(batch(begin('exec_1', { events: [1, 2, 3, 4, 5].map((seq) => event(seq, { data })) })));
      const page = async (after: number, maxChars: number) =>
        (await store.events('exec_1', { after, limit: 3, maxChars })).map((row) => row.seq);
      expect(await page(0, 10_000)).toEqual([1, 2, 3]);
      expect(await page(0, 1_500)).toEqual([1, 2]);
      expect(await page(2, 10)).toEqual([3]);
      expect(await page(5, 10)).toEqual([]);
    });

    it('is filtered by type and node', async () => {
      const store = await database().open();
      const written = [
        event(1, { type: 'workflow_started', nodeId: null }),
        event(2, { type: 'node_started' }),
        event(3),
        event(4, { type: 'node_started', nodeId: 'b' }),
      ];
      await store.commit(batch(begin('exec_1', { events: written })));
      const seqs = async (filter: object) =>
        (await store.events('exec_1', { after: 0, limit: 10, ...filter })).map((row) => row.seq);
      expect(await seqs({ type: 'node_started' })).toEqual([2, 4]);
      expect(await seqs({ nodeId: 'a' })).toEqual([2, 3]);
      expect(await seqs({ type: 'node_started', nodeId: 'b' })).toEqual([4]);
      expect(await seqs({ after: 2, type: 'node_started' })).toEqual([4]);
    });

    it('keeps a large event whole', async () => {
      const store = await database().open();
      const data = JSON.stringify({ output: '€'.repeat(1_000_000) });
      await store.commit(batch(begin('exec_1', { events: [event(1, { data })] })));
      expect((await store.events('exec_1', { after: 0, limit: 1 }))[0]?.data).toBe(data);
      expect(await store.verifyAudit()).toMatchObject({ fault: null });
    });
  });
}
