import { describe, expect, it } from 'vitest';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, context, token } from '../writes.ts';

async function register(
  store: ExecutionStore,
  workflowId: string,
  version: string,
  revision: string,
  change: Parameters<typeof context>[0] = {},
) {
  const source = JSON.stringify({ workflow_id: workflowId, version, revision });
  await store.control({ type: 'workflow_registered', workflowId, version, revision, source }, context(change));
}

export function controlContract(database: () => TestDatabase<CoreStore>): void {
  describe('tenants', () => {
    it('include the default tenant from the start', async () => {
      const store = await database().open();
      expect(await store.tenantRow('default')).toEqual({ id: 'default', name: 'Default', status: 'active' });
      expect(await store.tenantRow('acme')).toBeNull();
    });
  });

  describe('workflows', () => {
    it('are found by version', async () => {
      const store = await database().open();
      await register(store, 'refund', '1', 'r1');
      expect(await store.tenant('default').workflow('refund', '1')).toEqual({
        workflowId: 'refund',
        version: '1',
        revision: 'r1',
        source: '{"workflow_id":"refund","version":"1","revision":"r1"}',
        registeredAtMs: AT_MS,
        registeredBy: 'root',
      });
      expect(await store.tenant('default').workflow('refund', '2')).toBeNull();
      expect(await store.tenant('default').workflow('unknown')).toBeNull();
    });

    it('without a version resolve to the last registered one; registering again counts', async () => {
      const store = await database().open();
      const latest = async () => (await store.tenant('default').workflow('refund'))?.version;
      await register(store, 'refund', '10', 'r1');
      await register(store, 'refund', '9', 'r2', { atMs: AT_MS - 1 });
      expect(await latest()).toBe('9');
      await register(store, 'refund', '10', 'r1');
      expect(await latest()).toBe('10');
      const tenant = store.tenant('default');
      expect(await tenant.revisionOf('refund')).toBe((await tenant.workflow('refund'))?.revision);
      expect(await tenant.revisionOf('refund', '9')).toBe((await tenant.workflow('refund', '9'))?.revision);
      expect(await tenant.revisionOf('refund', '8')).toBeNull();
      expect(await store.tenant('acme').revisionOf('refund')).toBeNull();
      expect((await store.tenant('default').versions('refund')).map((row) => row.version)).toEqual(['10', '9']);
    });

    it('keep every revision: an execution stays with the one it started with', async () => {
      const store = await database().open();
      await register(store, 'refund', '1', 'r1');
      await register(store, 'refund', '1', 'r2');
      expect((await store.tenant('default').workflow('refund', '1'))?.revision).toBe('r2');
      expect(await store.revision('default', 'r1')).toContain('"r1"');
      expect(await store.revision('default', 'r2')).toContain('"r2"');
      expect(await store.revision('default', 'r3')).toBeNull();
    });

    it('remember what was registered under each version, when and by whom', async () => {
      const store = await database().open();
      await register(store, 'refund', '1', 'aa1');
      await register(store, 'refund', '1', 'ab2', { atMs: AT_MS + 1, actorId: 'ann' });
      await register(store, 'refund', '2', 'aa1', { atMs: AT_MS + 2 });
      await register(store, 'refund', '1', 'aa1', { atMs: AT_MS + 3, actorId: 'ben' });
      const tenant = store.tenant('default');
      const rows = await tenant.workflowRevisions('refund', { limit: 10, offset: 0 });
      expect(
        rows.map((row) => [
          row.version,
          row.revision,
          row.isCurrent,
          row.firstRegisteredAtMs - AT_MS,
          row.registeredAtMs - AT_MS,
        ]),
      ).toEqual([
        ['1', 'aa1', 1, 0, 3],
        ['2', 'aa1', 1, 2, 2],
        ['1', 'ab2', 0, 1, 1],
      ]);
      expect(rows[0]).toMatchObject({ firstRegisteredBy: 'root', registeredBy: 'ben' });
      expect(await tenant.workflowRevisions('refund', { limit: 1, offset: 2 })).toHaveLength(1);
      expect(await store.tenant('acme').workflowRevisions('refund', { limit: 10, offset: 0 })).toEqual([]);
    });

    it('are found by the first digits of a revision', async () => {
      const store = await database().open();
      await register(store, 'refund', '1', 'aa1');
      await register(store, 'refund', '1', 'ab2');
      await register(store, 'refund', '2', 'aa1');
      await register(store, 'other', '1', 'ab3');
      const found = async (prefix: string) =>
        (await store.tenant('default').workflowByRevision('refund', prefix)).map((row) => `${row.version} ${row.revision}`);
      expect(await found('aa')).toEqual(['2 aa1']);
      expect(await found('ab')).toEqual(['1 ab2']);
      expect(await found('a')).toHaveLength(2);
      expect(await found('%')).toEqual([]);
    });

    it('share a revision between versions', async () => {
      const store = await database().open();
      await register(store, 'refund', '1', 'r1');
      await register(store, 'refund', '2', 'r1');
      expect((await store.tenant('default').versions('refund')).map((row) => row.revision)).toEqual(['r1', 'r1']);
    });

    it('are listed by id, the latest version of each, in pages', async () => {
      const store = await database().open();
      await register(store, 'b', '1', 'r1');
      await register(store, 'a', '1', 'r2');
      await register(store, 'c', '1', 'r3');
      await register(store, 'a', '2', 'r4');
      const page = async (limit: number, offset: number) =>
        (await store.tenant('default').workflows({ limit, offset })).map((row) => `${row.workflowId} ${row.version}`);
      expect(await page(10, 0)).toEqual(['a 2', 'b 1', 'c 1']);
      expect(await page(1, 1)).toEqual(['b 1']);
    });

    it('are visible to their tenant only', async () => {
      const store = await database().open();
      await register(store, 'refund', '1', 'r1', { tenantId: 'acme' });
      expect(await store.tenant('default').workflow('refund')).toBeNull();
      expect(await store.tenant('default').workflows({ limit: 10, offset: 0 })).toEqual([]);
      expect(await store.revision('default', 'r1')).toBeNull();
      expect(await store.tenant('acme').workflow('refund')).toMatchObject({ version: '1' });
    });
  });

  describe('tokens', () => {
    it('are found by hash, across tenants', async () => {
      const store = await database().open();
      const acme = token('t1', { tenantId: 'acme', expiresAtMs: AT_MS + 1 });
      await store.control({ type: 'token_created', token: acme }, context());
      expect(await store.tokenByHash('hash of t1')).toEqual(acme);
      expect(await store.tokenByHash('hash of t2')).toBeNull();
    });

    it('are listed for their tenant, oldest first', async () => {
      const store = await database().open();
      const rows = [token('t2', { createdAtMs: AT_MS - 1 }), token('t1'), token('t3', { tenantId: 'acme' })];
      for (const row of [...rows].reverse()) await store.control({ type: 'token_created', token: row }, context());
      expect(await store.tenant('default').tokens()).toEqual(rows.slice(0, 2));
    });

    it('keep the time of their first revocation', async () => {
      const store = await database().open();
      await store.control({ type: 'token_created', token: token('t1') }, context());
      await store.control({ type: 'token_revoked', id: 't1' }, context({ atMs: AT_MS + 5 }));
      await store.control({ type: 'token_revoked', id: 't1' }, context({ atMs: AT_MS + 9 }));
      expect(await store.tokenByHash('hash of t1')).toEqual(token('t1', { revokedAtMs: AT_MS + 5 }));
    });

    it('are revoked with the tokens that came from their sign-in links', async () => {
      const store = await database().open();
      const rows = [
        token('t1'),
        token('t2', { parentId: 't1' }),
        token('t3', { parentId: 't1', revokedAtMs: AT_MS }),
        token('t4'),
      ];
      for (const row of rows) await store.control({ type: 'token_created', token: row }, context());
      await store.control({ type: 'token_revoked', id: 't1' }, context({ atMs: AT_MS + 5 }));
      const revoked = (await store.tenant('default').tokens()).map(({ id, revokedAtMs }) => [id, revokedAtMs]);
      expect(revoked).toEqual([
        ['t1', AT_MS + 5],
        ['t2', AT_MS + 5],
        ['t3', AT_MS],
        ['t4', null],
      ]);
    });

    it('are revoked with those from which they descend, in other tenants too', async () => {
      const store = await database().open();
      const rows = [
        token('t1'),
        token('t2', { parentId: 't1' }),
        token('t3', { parentId: 't2', tenantId: 'acme' }),
        token('t5'),
        token('t6', { parentId: 't5' }),
      ];
      for (const row of rows) await store.control({ type: 'token_created', token: row }, context());
      await store.control({ type: 'token_created', token: token('t4', { parentId: 't3' }) }, context({ tenantId: 'acme' }));
      await store.control({ type: 'token_revoked', id: 't1' }, context({ atMs: AT_MS + 5 }));
      const all = [...(await store.tenant('default').tokens()), ...(await store.tenant('acme').tokens())];
      expect(all.filter(({ revokedAtMs }) => revokedAtMs === AT_MS + 5).map(({ id }) => id)).toEqual(['t1', 't2', 't4', 't3']);
    });

    it('are not made by a token that is revoked, and none stays valid that is made meanwhile', async () => {
      const store = await database().open();
      const create = (id: string, parentId: string | null) =>
        store.control({ type: 'token_created', token: token(id, { parentId }) }, context());
      await create('t1', null);
      await create('t2', 't1');
      const made = await Promise.allSettled([
        ...['a', 'b'].map((id) => create(id, 't2')),
        store.control({ type: 'token_revoked', id: 't1' }, context()),
        ...['c', 'd'].map((id) => create(id, 't2')),
      ]);
      for (const result of made) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'unknown_token' });
      await expect(create('e', 't2')).rejects.toMatchObject({ code: 'unknown_token' });
      expect((await store.tenant('default').tokens()).filter(({ revokedAtMs }) => revokedAtMs === null)).toEqual([]);
    });

    it('that are unknown, or of another tenant, cannot be revoked, and nothing is recorded', async () => {
      const store = await database().open();
      await store.control({ type: 'token_created', token: token('t1') }, context());
      const before = await store.verifyAudit();
      for (const change of [{ id: 't9' }, { id: 't1', tenantId: 'acme' }]) {
        const { id, ...who } = change;
        await expect(store.control({ type: 'token_revoked', id }, context(who))).rejects.toMatchObject({ code: 'unknown_token' });
      }
      expect(await store.tokenByHash('hash of t1')).toMatchObject({ revokedAtMs: null });
      expect(await store.verifyAudit()).toEqual(before);
    });
  });
}
