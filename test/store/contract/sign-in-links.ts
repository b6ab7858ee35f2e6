import { describe, expect, it } from 'vitest';
import type { SignInLinkRow } from '../../../store/port/resources/sign-in-links.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, context, token } from '../writes.ts';

function link(codeHash: string, change: Partial<SignInLinkRow> = {}): SignInLinkRow {
  const row = { codeHash, tenantId: 'default', tokenId: 'maker', createdAtMs: AT_MS, expiresAtMs: AT_MS + 60_000 };
  return { ...row, usedAtMs: null, ...change };
}

const LIMITS = { expiredBeforeMs: 0, keptPerToken: 20 };

async function withMaker(database: TestDatabase): Promise<Store> {
  const store = await database.open();
  await store.control({ type: 'token_created', token: token('maker', { expiresAtMs: AT_MS + 90_000 }) }, context());
  return store;
}

function use(store: Store, codeHash: string, id = 'session', expiredBeforeMs = 0): Promise<void> {
  const session = { ...token(id), parentId: 'maker', expiresAtMs: AT_MS + 30_000 };
  return store.signInLinks.use({ codeHash, token: session, expiredBeforeMs }, context({ atMs: AT_MS + 1 }));
}

async function kept(store: Store, ...codes: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(codes.map((code) => store.signInLinks.find(code)));
  return codes.filter((_, i) => found[i] !== null);
}

export function signInLinkContract(database: () => TestDatabase): void {
  describe('sign-in links', () => {
    it('are found by their code, with the token that made them', async () => {
      const store = await withMaker(database());
      await store.signInLinks.put(link('c1'), LIMITS);
      expect(await store.signInLinks.find('c1')).toEqual({
        tenantId: 'default',
        expiresAtMs: AT_MS + 60_000,
        usedAtMs: null,
        token: { id: 'maker', name: 'token maker', role: 'developer', expiresAtMs: AT_MS + 90_000, revokedAtMs: null },
      });
      expect(await store.signInLinks.find('c2')).toBeNull();
    });

    it('give one token, once, which the audit log has', async () => {
      const store = await withMaker(database());
      await store.signInLinks.put(link('c1'), LIMITS);
      await use(store, 'c1');
      expect(await store.tokenByHash('hash of session')).toMatchObject({ id: 'session', parentId: 'maker', revokedAtMs: null });
      expect(await store.signInLinks.find('c1')).toMatchObject({ usedAtMs: AT_MS + 1 });
      const before = await store.verifyAudit();
      expect(before).toMatchObject({ blocks: 2, fault: null });
      await expect(use(store, 'c1', 'another')).rejects.toMatchObject({ code: 'sign_in_link_used' });
      expect(await store.tokenByHash('hash of another')).toBeNull();
      expect(await store.verifyAudit()).toEqual(before);
    });

    it('give one token to concurrent sign-ins', async () => {
      const store = await withMaker(database());
      await store.signInLinks.put(link('c1'), LIMITS);
      const results = await Promise.allSettled(['s1', 's2', 's3', 's4'].map((id) => use(store, 'c1', id)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect((await store.tenant('default').tokens()).filter(({ parentId }) => parentId === 'maker')).toHaveLength(1);
    });

    it('give no token once the one that made them is revoked', async () => {
      const store = await withMaker(database());
      await store.signInLinks.put(link('c1'), LIMITS);
      await store.control({ type: 'token_revoked', id: 'maker' }, context());
      expect((await store.signInLinks.find('c1'))?.token.revokedAtMs).toBe(AT_MS);
      await expect(use(store, 'c1')).rejects.toMatchObject({ code: 'unknown_token' });
      expect(await store.signInLinks.find('c1')).toMatchObject({ usedAtMs: null });
    });

    it('leave no valid token behind when the one that made them is revoked meanwhile', async () => {
      const store = await withMaker(database());
      await store.signInLinks.put(link('c1'), LIMITS);
      await Promise.allSettled([use(store, 'c1'), store.control({ type: 'token_revoked', id: 'maker' }, context())]);
      const valid = (await store.tenant('default').tokens()).filter(({ revokedAtMs }) => revokedAtMs === null);
      expect(valid).toEqual([]);
    });

    it('are removed when they have expired, or when the token has made many', async () => {
      const store = await withMaker(database());
      await store.signInLinks.put(link('old', { expiresAtMs: AT_MS - 1 }), LIMITS);
      await store.signInLinks.put(link('c1'), { ...LIMITS, keptPerToken: 2 });
      await store.signInLinks.put(link('c2', { createdAtMs: AT_MS + 1 }), { ...LIMITS, keptPerToken: 3 });
      expect(await kept(store, 'old', 'c1', 'c2')).toEqual(['old', 'c1', 'c2']);
      await store.signInLinks.put(link('c3', { createdAtMs: AT_MS + 2 }), { expiredBeforeMs: AT_MS, keptPerToken: 2 });
      expect(await kept(store, 'old', 'c1', 'c2', 'c3')).toEqual(['c2', 'c3']);
    });

    it('remove tokens of earlier links that have expired, and no others', async () => {
      const store = await withMaker(database());
      await store.control({ type: 'token_created', token: token('expired', { expiresAtMs: AT_MS - 1 }) }, context());
      await store.signInLinks.put(link('c1'), LIMITS);
      await store.signInLinks.put(link('c2'), LIMITS);
      await use(store, 'c1', 'first');
      await use(store, 'c2', 'second', AT_MS + 40_000);
      const ids = (await store.tenant('default').tokens()).map(({ id }) => id);
      expect(ids.sort()).toEqual(['expired', 'maker', 'second']);
    });
  });
}
