import { describe, expect, it } from 'vitest';
import type { NewTenant } from '../../../store/port/resources/tenants.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, startExecution, step } from '../writes.ts';

function tenant(id: string, change: Partial<NewTenant> = {}): NewTenant {
  return { id, name: `Tenant ${id}`, status: 'active', policy: null, limits: null, createdAtMs: AT_MS, ...change };
}

export function tenantContract(database: () => TestDatabase): void {
  describe('the registry of tenants', () => {
    it('contains the default tenant from the start', async () => {
      const { tenants } = await await database().open();
      const [only, ...others] = await tenants.list({ limit: 10, offset: 0 });
      expect(others).toEqual([]);
      expect(only).toMatchObject({ id: 'default', name: 'Default', status: 'active', policy: null, limits: null });
      expect(only?.updatedAtMs).toBe(only?.createdAtMs);
    });

    it('returns what was stored, byte for byte', async () => {
      const store = await database().open();
      const given = tenant('acme', { policy: '{"b":[1,2],"a":{"é":null}}', limits: '{"max_workflows":3}' });
      const record = { ...given, updatedAtMs: AT_MS };
      expect(await store.tenants.create(given, context())).toEqual(record);
      expect(await store.tenants.find('acme')).toEqual(record);
      expect(await store.tenants.admission('acme')).toEqual({ status: 'active', limits: '{"max_workflows":3}' });
      expect(await store.tenantRow('acme')).toEqual({ id: 'acme', name: 'Tenant acme', status: 'active' });
      expect(await store.tenants.find('other')).toBeNull();
      expect(await store.tenants.admission('other')).toBeNull();
    });

    it('rejects an existing id, and records nothing', async () => {
      const store = await database().open();
      await store.tenants.create(tenant('acme'), context());
      const before = await store.verifyAudit();
      await expect(store.tenants.create(tenant('acme', { name: 'Other' }), context())).rejects.toMatchObject({
        code: 'tenant_exists',
        message: 'tenant acme exists already',
      });
      expect(await store.tenants.find('acme')).toMatchObject({ name: 'Tenant acme' });
      expect(await store.verifyAudit()).toEqual(before);
    });

    it('changes the given fields only; null clears a field', async () => {
      const store = await database().open();
      await store.tenants.create(tenant('acme', { policy: '{"a":1}', limits: '{"max_workflows":3}' }), context());
      await store.tenants.create(tenant('other'), context());
      const later = context({ atMs: AT_MS + 5 });
      const renamed = await store.tenants.update('acme', { name: 'Acme', policy: null }, later);
      expect(renamed).toEqual({
        ...tenant('acme', { name: 'Acme', policy: null, limits: '{"max_workflows":3}' }),
        updatedAtMs: AT_MS + 5,
      });
      expect(await store.tenants.update('acme', { status: 'suspended' }, later)).toMatchObject({ status: 'suspended' });
      expect(await store.tenants.find('acme')).toMatchObject({ name: 'Acme', status: 'suspended' });
      expect(await store.tenants.find('other')).toMatchObject({ name: 'Tenant other', status: 'active' });
    });

    it('lists the policies of those that have one', async () => {
      const store = await database().open();
      await store.tenants.create(tenant('acme', { policy: '{"blocked_tools":["x"]}' }), context());
      await store.tenants.create(tenant('other'), context());
      expect(await store.tenants.policies()).toEqual([{ id: 'acme', policy: '{"blocked_tools":["x"]}' }]);
      await store.tenants.update('acme', { policy: null }, context());
      expect(await store.tenants.policies()).toEqual([]);
    });

    it('seals every action, but records no change without a difference', async () => {
      const store = await database().open();
      await store.tenants.create(tenant('acme'), context());
      const { blocks } = await store.verifyAudit();
      await store.tenants.update('acme', { name: 'Acme' }, context());
      expect(await store.verifyAudit()).toMatchObject({ blocks: blocks + 1, fault: null });
      await store.tenants.update('acme', { name: 'Acme', status: 'active' }, context({ atMs: AT_MS + 5 }));
      expect(await store.verifyAudit()).toMatchObject({ blocks: blocks + 1, fault: null });
      expect(await store.tenants.find('acme')).toMatchObject({ updatedAtMs: AT_MS });
    });

    it('rejects updates of unknown tenants', async () => {
      const store = await database().open();
      const before = await store.verifyAudit();
      await expect(store.tenants.update('acme', { name: 'Acme' }, context())).rejects.toMatchObject({
        code: 'unknown_tenant',
        message: 'tenant acme not found',
      });
      expect(await store.verifyAudit()).toEqual(before);
    });

    it('lists by id, in pages', async () => {
      const store = await database().open();
      for (const id of ['zeta', 'acme']) await store.tenants.create(tenant(id), context());
      const ids = async (limit: number, offset: number) => (await store.tenants.list({ limit, offset })).map(({ id }) => id);
      expect(await ids(10, 0)).toEqual(['acme', 'default', 'zeta']);
      expect(await ids(1, 1)).toEqual(['default']);
    });

    it('counts live executions and registered workflows per tenant', async () => {
      const store = await database().open();
      const ended = { progress: { status: 'completed', completedAtMs: AT_MS } };
      await store.commit(
        batch(
          startExecution('exec_1'),
          startExecution('exec_2', { progress: { status: 'paused' } }),
          startExecution('exec_3', { tenantId: 'acme' }),
          startExecution('exec_4', ended),
          startExecution('exec_5', { progress: { status: 'pending' } }),
        ),
      );
      expect(await store.tenants.liveExecutions('default')).toBe(3);
      expect(await store.tenants.liveExecutions('acme')).toBe(1);
      expect(await store.tenants.liveExecutions('other')).toBe(0);
      await store.commit(batch(step('exec_1', 2, ended)));
      expect(await store.tenants.liveExecutions('default')).toBe(2);

      for (const [workflowId, version] of [
        ['a', '1'],
        ['a', '2'],
        ['b', '1'],
      ] as const) {
        await store.control({ type: 'workflow_registered', workflowId, version, revision: 'r1', source: '{}' }, context());
      }
      expect(await store.tenants.workflowCount('default')).toBe(2);
      expect(await store.tenants.workflowCount('acme')).toBe(0);
    });
  });

  describe('usage of a tenant', () => {
    const usage = (tokens: number, costUsd: number, month = '2026-03') => ({ month, tokens, costUsd });

    it('is replaced by a correction, which is recorded, and counted on from there', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { tenantId: 'acme', usage: usage(100, 1e15) })));
      const correction = { month: '2026-03', tokens: null, costUsd: 2.5, reason: 'wrong report' };
      expect(await store.tenants.correctUsage('acme', correction, context())).toEqual({
        before: { tokens: 100, costUsd: 1e15 },
        after: { tokens: 100, costUsd: 2.5 },
      });
      await store.commit(batch(startExecution('exec_2', { tenantId: 'acme', usage: usage(1, 0.5) })));
      expect(await store.tenants.usage('acme', '2026-03')).toEqual({ tokens: 101, costUsd: 3 });
      const never = { month: '2025-01', tokens: 7, costUsd: null, reason: 'moved' };
      expect((await store.tenants.correctUsage('acme', never, context())).after).toEqual({ tokens: 7, costUsd: 0 });
      expect(await store.tenants.usage('acme', '2025-01')).toEqual({ tokens: 7, costUsd: 0 });
    });

    it('is added up per month by the commits that report it', async () => {
      const store = await database().open();
      await store.commit(
        batch(startExecution('exec_1', { usage: usage(100, 0.25) }), startExecution('exec_2', { usage: usage(20, 0.5) })),
      );
      await store.commit(
        batch(
          step('exec_1', 2, { usage: usage(7, 0, '2026-04') }),
          startExecution('exec_3', { tenantId: 'acme', usage: usage(1, 1) }),
        ),
      );
      expect(await store.tenants.usage('default', '2026-03')).toEqual({ tokens: 120, costUsd: 0.75 });
      expect(await store.tenants.usage('default', '2026-04')).toEqual({ tokens: 7, costUsd: 0 });
      expect(await store.tenants.usage('default', '2026-05')).toEqual({ tokens: 0, costUsd: 0 });
      expect(await store.tenants.usage('acme', '2026-03')).toEqual({ tokens: 1, costUsd: 1 });
    });

    it('is added up with what no commit has', async () => {
      const store = await database().open();
      await store.tenants.addUsage('acme', usage(10, 0.5));
      await store.tenants.addUsage('acme', usage(1, 0.25));
      await store.commit(batch(startExecution('exec_1', { tenantId: 'acme', usage: usage(100, 1) })));
      await store.tenants.addUsage('acme', usage(1, 0.25));
      expect(await store.tenants.usage('acme', '2026-03')).toEqual({ tokens: 112, costUsd: 2 });
    });

    it('does not count rejected commits', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const refused = await store.commit(
        batch(step('exec_1', 7, { usage: usage(100, 1) }), step('exec_1', 2, { usage: usage(1, 0) })),
      );
      expect(refused).toEqual([{ reason: 'sequence', executionId: 'exec_1' }, null]);
      expect(await store.tenants.usage('default', '2026-03')).toEqual({ tokens: 1, costUsd: 0 });
    });

    it('stays a number when reports are absurdly large', async () => {
      const store = await database().open();
      const most = Number.MAX_SAFE_INTEGER;
      await store.commit(
        batch(startExecution('exec_1', { usage: usage(most, most) }), startExecution('exec_2', { usage: usage(most, most) })),
      );
      expect(await store.tenants.usage('default', '2026-03')).toEqual({ tokens: most, costUsd: most });
    });
  });
}
