import { describe, expect, it } from 'vitest';
import type { CronJob, CronOmission, CronRun } from '../../../store/port/resources/cron.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, context } from '../writes.ts';

function job(name: string, change: Partial<CronJob> = {}): CronJob {
  return {
    id: `id of ${name}`,
    tenantId: 'default',
    name,
    cronExpression: '0 2 * * *',
    timezone: 'UTC',
    workflowId: 'refund',
    workflowVersion: null,
    missed: 'skip',
    overlap: 'allow',
    enabled: true,
    nextRunAtMs: AT_MS + 1_000,
    lastRunAtMs: null,
    lastExecutionId: null,
    lastError: null,
    createdAtMs: AT_MS,
    input: '{"n":1}',
    ...change,
  };
}

const MOVE = { id: 'id of nightly', name: 'nightly', fromMs: AT_MS + 1_000, toMs: AT_MS + 2_000 };

function run(change: Partial<CronRun> = {}): CronRun {
  return { ...MOVE, tenantId: 'default', executionId: 'exec_1', ranAtMs: AT_MS + 1_001, ...change };
}

function omission(change: Partial<CronOmission> = {}): CronOmission {
  return { ...MOVE, reason: 'overlap', error: null, ...change };
}

export function cronContract(database: () => TestDatabase): void {
  describe('cron jobs', () => {
    it('are returned as they were stored', async () => {
      const { cron } = await database().open();
      const paused = job('paused', { enabled: false, nextRunAtMs: null, workflowVersion: '2', timezone: 'Europe/Berlin' });
      await cron.put(paused, context());
      expect(await cron.job('default', 'paused')).toEqual(paused);
      expect(await cron.job('default', 'other')).toBeNull();
      expect(await cron.input('default', paused.id)).toBe('{"n":1}');
      expect(await cron.input('acme', paused.id)).toBeNull();
    });

    it('replace the job of the same name in their tenant only', async () => {
      const { cron } = await database().open();
      await cron.put(job('nightly', { lastRunAtMs: AT_MS, lastError: 'gone' }), context());
      await cron.put(job('nightly', { id: 'foreign', tenantId: 'acme' }), context({ tenantId: 'acme' }));
      const replacement = job('nightly', { id: 'second', cronExpression: '@hourly' });
      await cron.put(replacement, context());
      expect(await cron.job('default', 'nightly')).toEqual(replacement);
      expect(await cron.job('acme', 'nightly')).toMatchObject({ id: 'foreign' });
      expect(await cron.input('default', 'id of nightly')).toBeNull();
    });

    it('are listed for their tenant in pages, by name', async () => {
      const { cron } = await database().open();
      for (const name of ['c', 'a', 'b']) await cron.put(job(name), context());
      await cron.put(job('d', { tenantId: 'acme' }), context({ tenantId: 'acme' }));
      const names = async (after: string, limit: number) =>
        (await cron.jobs('default', { after, limit })).map((each) => each.name);
      expect(await names('', 2)).toEqual(['a', 'b']);
      expect(await names('b', 2)).toEqual(['c']);
      expect(await names('c', 2)).toEqual([]);
    });

    it('are removed once; those of other tenants are unknown', async () => {
      const store = await database().open();
      await store.cron.put(job('nightly'), context());
      const before = await store.verifyAudit();
      const unknown = { code: 'unknown_cron_job', message: 'cron job nightly not found' };
      await expect(store.cron.remove('nightly', context({ tenantId: 'acme' }))).rejects.toMatchObject(unknown);
      expect(await store.verifyAudit()).toEqual(before);
      await store.cron.remove('nightly', context());
      await expect(store.cron.remove('nightly', context())).rejects.toMatchObject(unknown);
      expect(await store.cron.job('default', 'nightly')).toBeNull();
    });

    it('are due at their time, the latest first; paused jobs never are', async () => {
      const { cron } = await database().open();
      expect(await cron.nextRunAtMs()).toBeNull();
      await cron.put(job('late', { nextRunAtMs: AT_MS + 3 }), context());
      await cron.put(job('early', { nextRunAtMs: AT_MS + 1, tenantId: 'acme' }), context({ tenantId: 'acme' }));
      await cron.put(job('later', { nextRunAtMs: AT_MS + 4 }), context());
      await cron.put(job('paused', { nextRunAtMs: null, enabled: false }), context());
      const due = async (nowMs: number, limit = 10) => (await cron.due(nowMs, limit)).map((each) => each.name);
      expect(await due(AT_MS)).toEqual([]);
      expect(await due(AT_MS + 3)).toEqual(['late', 'early']);
      expect(await due(AT_MS + 9, 2)).toEqual(['later', 'late']);
      expect(await cron.nextRunAtMs()).toBe(AT_MS + 1);
      expect((await cron.due(AT_MS + 1, 1))[0]).not.toHaveProperty('input');
    });

    it('are paused and resumed; repeating it records nothing', async () => {
      const store = await database().open();
      const { cron } = store;
      await cron.put(job('nightly'), context());
      const pause = { id: 'id of nightly', name: 'nightly', enabled: false, nextRunAtMs: null };
      await cron.enable(pause, context());
      expect(await cron.job('default', 'nightly')).toMatchObject({ enabled: false, nextRunAtMs: null });
      const before = await store.verifyAudit();
      await cron.enable(pause, context());
      await cron.enable({ ...pause, enabled: true, nextRunAtMs: 5 }, context({ tenantId: 'acme' }));
      expect(await store.verifyAudit()).toEqual(before);
      await cron.enable({ ...pause, enabled: true, nextRunAtMs: AT_MS + 5 }, context());
      expect(await cron.job('default', 'nightly')).toMatchObject({ enabled: true, nextRunAtMs: AT_MS + 5 });
    });

    it('advance from their current time, once', async () => {
      const store = await database().open();
      const { cron } = store;
      await cron.put(job('nightly', { lastError: 'gone' }), context());
      await cron.put(job('other'), context());
      const before = await store.verifyAudit();
      await cron.recordRuns([run({ tenantId: 'acme' }), run({ fromMs: AT_MS })]);
      expect(await cron.job('default', 'nightly')).toEqual(job('nightly', { lastError: 'gone' }));
      const late = run({ executionId: 'exec_2', toMs: AT_MS + 3_000 });
      await cron.recordRuns([run(), late, run({ id: 'id of other', executionId: 'exec_3', toMs: null })]);
      expect(await cron.job('default', 'nightly')).toEqual(
        job('nightly', { nextRunAtMs: AT_MS + 2_000, lastRunAtMs: AT_MS + 1_001, lastExecutionId: 'exec_1' }),
      );
      expect(await cron.job('default', 'other')).toMatchObject({ nextRunAtMs: null, lastExecutionId: 'exec_3' });
      expect(await store.verifyAudit()).toEqual(before);
    });

    it('keep the last error until a run starts, and log failed and skipped runs', async () => {
      const store = await database().open();
      const { cron } = store;
      await cron.put(job('nightly'), context());
      const { blocks } = await store.verifyAudit();
      const failure = omission({ reason: 'failed', error: 'workflow refund' });
      await cron.recordOmission(failure, context({ tenantId: 'acme' }));
      await cron.recordOmission(failure, context());
      await cron.recordOmission(failure, context());
      const failed = await cron.job('default', 'nightly');
      expect(failed).toMatchObject({ lastError: 'workflow refund', lastRunAtMs: null, nextRunAtMs: AT_MS + 2_000 });
      await cron.recordOmission(omission({ fromMs: AT_MS + 2_000, toMs: null }), context());
      expect(await cron.job('default', 'nightly')).toEqual({ ...failed, nextRunAtMs: null });
      expect(await store.verifyAudit()).toMatchObject({ blocks: blocks + 2, fault: null });
    });

    it('record a triggered run without advancing the schedule', async () => {
      const { cron } = await database().open();
      await cron.put(job('nightly', { lastError: 'gone' }), context());
      await cron.recordTrigger({ id: 'id of nightly', name: 'nightly', executionId: 'exec_9' }, context({ atMs: AT_MS + 7 }));
      expect(await cron.job('default', 'nightly')).toEqual(job('nightly', { lastRunAtMs: AT_MS + 7, lastExecutionId: 'exec_9' }));
    });
  });
}
