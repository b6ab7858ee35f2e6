import { describe, expect, it } from 'vitest';
import { checkExport } from '../../../store/audit/check-export.ts';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import {
  AT_MS,
  batch,
  type Change,
  checkpoint,
  context,
  request,
  startExecution,
  step,
  timer,
  token,
  unit,
  workItem,
} from '../writes.ts';
import { exported, lines } from './audit-log.ts';

function ended(id: string, atMs = AT_MS, change: Change = {}): ExecutionWrite {
  return startExecution(id, { ...change, progress: { status: 'completed', completedAtMs: atMs, ...change.progress } });
}

/** Removes in as many batches as it takes; returns the ids. */
async function removed(store: Store, endedBeforeMs: number, tenantId = 'default'): Promise<readonly string[]> {
  const ids: string[] = [];
  let after = null;
  do {
    const removal = await store.retention.remove(
      { after, endedBeforeMs },
      context({ tenantId, atMs: AT_MS + 9_000, actorId: 'rt_1' }),
    );
    ids.push(...removal.removed);
    after = removal.next;
  } while (after !== null);
  return ids;
}

export function retentionContract(database: () => TestDatabase): void {
  describe('retention', () => {
    it('removes executions that ended before, in order of their end, and logs it', async () => {
      const store = await database().open();
      await store.commit(
        batch(ended('exec_2', AT_MS + 2), ended('exec_1', AT_MS + 1), ended('exec_3', AT_MS + 3), startExecution('exec_4')),
      );
      await store.commit(batch(ended('exec_a', AT_MS, { tenantId: 'acme' })));
      expect(await store.retention.oldestEndMs('default')).toBe(AT_MS + 1);
      expect(await removed(store, AT_MS + 3)).toEqual(['exec_1', 'exec_2']);
      expect(await store.execution('exec_1')).toBeNull();
      expect((await store.events('exec_1', { after: 0, limit: 9 })).rows).toEqual([]);
      for (const id of ['exec_3', 'exec_4', 'exec_a']) expect((await store.execution(id))?.id).toBe(id);
      expect(await store.retention.oldestEndMs('default')).toBe(AT_MS + 3);
      expect(await store.retention.oldestEndMs('unknown')).toBeNull();
      const page = await store.audit.find('default', { type: 'executions_removed' }, { limit: 9, offset: 0, after: null });
      for await (const { actorId, data } of page.entries) {
        expect([actorId, data]).toEqual([
          'rt_1',
          {
            count: 2,
            reason: 'retention',
            older_than: new Date(AT_MS + 3).toISOString(),
            executions: [
              { id: 'exec_1', last_seq: 2 },
              { id: 'exec_2', last_seq: 2 },
            ],
          },
        ]);
      }
      expect(page.total).toBe(1);
      expect(await removed(store, AT_MS + 3)).toEqual([]);
    });

    it('removes all their rows', async () => {
      const store = await database().open();
      const large = JSON.stringify('x'.repeat(10_000));
      const first = startExecution('exec_1', {
        checkpoint: checkpoint(large),
        timers: [timer('t', AT_MS + 5)],
        work: [{ op: 'put', item: workItem('w1') }],
      });
      await store.commit({ atMs: AT_MS, units: [unit([first], request('key', { response: '{"execution_id":"exec_1"}' }))] });
      const event = request('event', { scope: 'external-event:exec_1' });
      const head = { status: 'failed', completedAtMs: AT_MS } as const;
      await store.commit({
        atMs: AT_MS,
        units: [unit([step('exec_1', 2, { checkpoint: checkpoint(large, null), progress: head })], event)],
      });
      expect(await removed(store, AT_MS + 1)).toEqual(['exec_1']);
      expect(await store.checkpoint('exec_1')).toBeNull();
      expect(await store.workItem('default', 'w1')).toBeNull();
      expect(await store.due(AT_MS + 100, 9)).toEqual([]);
      expect(await store.tenant('default').idempotency('executions', 'key')).toBeNull();
      expect(await store.tenant('default').idempotency('external-event:exec_1', 'event')).toBeNull();
      expect((await store.verifyAudit()).fault).toBeNull();
    });

    it('keeps executions that a live parent or child, or an undelivered message needs', async () => {
      const store = await database().open();
      const child = { create: { parentId: 'exec_p', depth: 1 } };
      await store.commit(batch(startExecution('exec_p'), ended('exec_c', AT_MS, child)));
      await store.commit(batch(ended('exec_q'), startExecution('exec_d', { create: { parentId: 'exec_q', depth: 1 } })));
      await store.commit(batch(ended('exec_m', AT_MS, { send: [{ toExecutionId: 'exec_m', message: '{}' }] })));
      expect(await removed(store, AT_MS + 1)).toEqual([]);
      const head = { status: 'completed', completedAtMs: AT_MS } as const;
      const [message] = await store.inbox({ after: 0, limit: 1 });
      await store.commit(
        batch(step('exec_p', 2, { progress: head }), step('exec_d', 2, { progress: head, consumed: [message?.id ?? 0] })),
      );
      expect([...(await removed(store, AT_MS + 1))].sort()).toEqual(['exec_c', 'exec_d', 'exec_m', 'exec_p', 'exec_q']);
    });

    it('removes one batch at a time', async () => {
      const store = await database().open();
      const ids = Array.from({ length: 120 }, (_, index) => `exec_${String(index).padStart(3, '0')}`);
      await store.commit(batch(...ids.map((id) => ended(id))));
      const first = await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
      expect(first.removed).toEqual(ids.slice(0, 50));
      expect(await removed(store, AT_MS + 1)).toEqual(ids.slice(50));
    });

    it('leaves the audit chain valid, in the store and in exports', async () => {
      const store = await database().open();
      await store.commit(batch(ended('exec_1'), startExecution('exec_2')));
      await store.commit(batch(ended('exec_3', AT_MS, { tenantId: 'acme' })));
      const before = await store.verifyAudit();
      await removed(store, AT_MS + 1);
      await removed(store, AT_MS + 1, 'acme');
      await store.control({ type: 'token_created', token: token('t1') }, context());
      const after = await store.verifyAudit();
      expect(after).toMatchObject({ blocks: before.blocks + 3, fault: null });
      for (const [tenantId, events] of [
        ['default', 4],
        ['acme', 1],
      ] as const) {
        const report = await checkExport(lines(await exported(store, tenantId)), { key: null, head: after.head });
        expect(report).toMatchObject({ removed: 1, events, fault: null });
      }
    });

    it('applies to tenants with a retention limit', async () => {
      const store = await database().open();
      const tenant = { name: 'A', status: 'active', policy: null, createdAtMs: AT_MS } as const;
      await store.tenants.create({ ...tenant, id: 'acme', limits: '{"retention_days":7}' }, context());
      await store.tenants.create({ ...tenant, id: 'beta', limits: '{"max_workflows":7}' }, context());
      expect(await store.retention.policies()).toEqual([{ tenantId: 'acme', days: 7 }]);
    });
  });
}
