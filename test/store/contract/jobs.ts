import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../store/port/resources/jobs.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, startExecution, step } from '../writes.ts';

const NOTHING = { position: null, matched: null, succeeded: 0, skipped: 0, failed: 0, errors: '[]' };
const SOME = {
  position: 'exec_5',
  matched: 9,
  succeeded: 3,
  skipped: 1,
  failed: 1,
  errors: '[{"execution_id":"exec_4","error":"x"}]',
};

function job(id: string, change: Partial<NewJob> = {}): NewJob {
  return { id, tenantId: 'default', action: 'cancel', filter: '{}', reason: null, createdAtMs: AT_MS, ...change };
}

async function started(database: TestDatabase, ...jobs: readonly NewJob[]): Promise<Store> {
  const store = await database.open();
  for (const each of jobs) await store.jobs.start(each, context({ tenantId: each.tenantId, request: '{"id":"r1"}' }));
  return store;
}

export function jobContract(database: () => TestDatabase): void {
  describe('bulk jobs', () => {
    it('start without progress, and belong to their actor', async () => {
      const asked = job('job_1', { action: 'retry', filter: '{"statuses":["failed"]}', reason: 'fixed' });
      const { jobs } = await started(database(), asked);
      expect(await jobs.job('default', 'job_1')).toEqual({
        ...asked,
        ...NOTHING,
        status: 'running',
        updatedAtMs: AT_MS,
        completedAtMs: null,
        actorId: 'root',
        actorType: 'human',
        request: '{"id":"r1"}',
      });
    });

    it('are listed for their tenant in pages, newest first', async () => {
      const { jobs } = await started(database(), job('job_1'), job('job_3'), job('job_2'), job('job_9', { tenantId: 'acme' }));
      const ids = async (after: string | null, limit: number) =>
        (await jobs.jobs('default', { after, limit })).map((row) => row.id);
      expect(await ids(null, 2)).toEqual(['job_3', 'job_2']);
      expect(await ids('job_2', 2)).toEqual(['job_1']);
      expect(await ids('job_1', 2)).toEqual([]);
      expect(await jobs.job('default', 'job_9')).toBeNull();
    });

    it('keep their progress', async () => {
      const { jobs } = await started(database(), job('job_1'));
      await jobs.progress('default', 'job_1', SOME, AT_MS + 5);
      await jobs.progress('acme', 'job_1', NOTHING, AT_MS + 6);
      expect(await jobs.job('default', 'job_1')).toMatchObject({ ...SOME, status: 'running', updatedAtMs: AT_MS + 5 });
    });

    it('run one at a time per tenant, the oldest first', async () => {
      const { jobs } = await started(database(), job('job_2'), job('job_1'), job('job_3', { tenantId: 'acme' }));
      const running = async () => (await jobs.running()).map((row) => row.id).sort();
      expect(await running()).toEqual(['job_1', 'job_3']);
      await jobs.finish({ id: 'job_1', status: 'completed', progress: SOME }, context({ atMs: AT_MS + 7 }));
      expect(await running()).toEqual(['job_2', 'job_3']);
      expect(await jobs.job('default', 'job_1')).toMatchObject({ ...SOME, status: 'completed', completedAtMs: AT_MS + 7 });
    });

    it('know what they retried, as it is now, newest first', async () => {
      const store = await started(database(), job('job_1', { action: 'retry' }), job('job_2', { action: 'retry' }));
      await store.commit(batch(...['exec_1', 'exec_2', 'exec_3'].map((id) => startExecution(id))));
      const retried = (jobId: string, before: string | null = null, limit = 9, tenantId = 'default') =>
        store.jobs.retried(tenantId, jobId, { before, limit });
      expect(await retried('job_1')).toEqual([]);
      await store.jobs.progress('default', 'job_1', SOME, AT_MS, ['exec_1', 'exec_2']);
      // A page that is processed again after a crash.
      await store.jobs.progress('default', 'job_1', SOME, AT_MS, ['exec_2', 'exec_3']);
      const end = { id: 'job_2', status: 'completed', progress: SOME, retried: ['exec_3'] } as const;
      await store.jobs.finish(end, context());
      const failure = { status: 'failed', error: 'a: no', updatedAtMs: AT_MS + 1, completedAtMs: AT_MS + 1 };
      await store.commit(batch(step('exec_2', 2, { progress: failure })));
      const going = { status: 'running', workflowId: 'refund', error: null, updatedAtMs: AT_MS, completedAtMs: null };
      expect(await retried('job_1')).toEqual([
        { executionId: 'exec_3', ...going },
        { executionId: 'exec_2', workflowId: 'refund', ...failure },
        { executionId: 'exec_1', ...going },
      ]);
      expect((await retried('job_1', null, 1)).map(({ executionId }) => executionId)).toEqual(['exec_3']);
      expect((await retried('job_1', 'exec_3', 1)).map(({ executionId }) => executionId)).toEqual(['exec_2']);
      expect((await retried('job_2')).map(({ executionId }) => executionId)).toEqual(['exec_3']);
      expect(await retried('job_1', null, 9, 'acme')).toEqual([]);
      await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 2 }, context());
      expect((await retried('job_1')).map(({ executionId }) => executionId)).toEqual(['exec_3', 'exec_1']);
    });

    it('end once', async () => {
      const { jobs } = await started(database(), job('job_1'), job('job_2'));
      expect(await jobs.cancel('acme', 'job_1', context({ tenantId: 'acme' }))).toBe(false);
      expect(await jobs.cancel('default', 'job_1', context({ atMs: AT_MS + 1 }))).toBe(true);
      expect(await jobs.cancel('default', 'job_1', context({ atMs: AT_MS + 2 }))).toBe(false);
      expect(await jobs.finish({ id: 'job_1', status: 'completed', progress: SOME }, context())).toBe(false);
      expect(await jobs.job('default', 'job_1')).toMatchObject({ ...SOME, status: 'cancelled', completedAtMs: AT_MS + 1 });
      expect(await jobs.finish({ id: 'job_2', status: 'failed', progress: SOME }, context())).toBe(true);
      expect(await jobs.cancel('default', 'job_2', context())).toBe(false);
    });

    it('log their start and end, but not their progress', async () => {
      const store = await started(database(), job('job_1'), job('job_2'));
      const before = await store.verifyAudit();
      await store.jobs.progress('default', 'job_1', SOME, AT_MS);
      expect(await store.verifyAudit()).toEqual(before);
      await store.jobs.finish({ id: 'job_1', status: 'completed', progress: SOME }, context());
      await store.jobs.cancel('default', 'job_2', context());
      await store.jobs.cancel('default', 'job_2', context());
      expect(await store.verifyAudit()).toMatchObject({ blocks: before.blocks + 2, fault: null });
    });
  });
}
