import { describe, expect, it } from 'vitest';
import type { MemoryItemWrite, MemoryPut, MemorySearch } from '../../../store/port/resources/memory.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, AT_ONCE, context } from '../writes.ts';

const LIMITS = { namespaces: 5, itemsPerNamespace: 1_000, bytes: 1_000_000 };

function item(id: string, text: string, change: Partial<MemoryItemWrite> = {}): MemoryItemWrite {
  return { id, text, metadata: '{}', expiresAtMs: null, ...change };
}

function write(namespace: string, items: readonly MemoryItemWrite[], change: Partial<MemoryPut> = {}): MemoryPut {
  return { namespace, items, limits: LIMITS, origin: {}, ...change };
}

async function found(store: Store, query: string, change: Partial<MemorySearch> = {}, tenantId = 'default', namespace = 'docs') {
  const search = { query, limit: 10, nowMs: AT_MS, filter: '{}', ...change };
  const { items } = await store.memory.search(tenantId, namespace, search, AT_ONCE);
  return items.map(({ id }) => id);
}

const HANDBOOK = [
  item('refunds', 'A refund is paid within 14 days. Refunds go to the card that was charged.'),
  item('shipping', 'We ship within two days. What is shipped by air arrives the day after.'),
  item('returns', 'Returned goods are checked, and then the money is refunded.'),
  item('hours', 'The shop is open from nine to five. It is closed on the day of rest.'),
  item('café', 'The CAFÉ serves crêpes.'),
  item('日本', '東京都の返金ポリシーについて'),
];

export function memoryContract(database: () => TestDatabase): void {
  describe('memory', () => {
    it('finds items that contain any word of a question, those with the rare words first', async () => {
      const store = await database().open();
      expect(await store.memory.put(write('docs', HANDBOOK), context(), AT_ONCE)).toEqual({ added: 6, replaced: 0 });
      expect(await found(store, 'What is the policy for a refund?')).toEqual(['refunds', 'returns']);
      expect(await found(store, 'how many days does shipping take')).toEqual(['shipping', 'refunds', 'hours']);
      expect(await found(store, 'cafe crepe')).toEqual(['café']);
      expect(await found(store, '返金')).toEqual(['日本']);
      expect(await found(store, 'nothing like it')).toEqual([]);
      expect(await found(store, '  ?! ')).toEqual([]);
    });

    it('gives whole items with scores that do not depend on the engine', async () => {
      const store = await database().open();
      await store.memory.put(
        write('docs', [item('a', 'one two', { metadata: '{"n":1}' }), item('b', 'one three three')]),
        context(),
        AT_ONCE,
      );
      const search = { query: 'three one', limit: 5, nowMs: AT_MS, filter: '{}' };
      const { items: rows, truncated } = await store.memory.search('default', 'docs', search, AT_ONCE);
      expect(truncated).toBe(false);
      expect(rows).toMatchObject([
        { id: 'b', text: 'one three three', metadata: '{}', createdAtMs: AT_MS, updatedAtMs: AT_MS, expiresAtMs: null },
        { id: 'a', text: 'one two', metadata: '{"n":1}' },
      ]);
      expect(rows.map(({ score }) => score.toFixed(6))).toEqual(['1.070854', '0.198568']);
    });

    it.each([
      '"refund',
      'refund*',
      'refund AND (NOT',
      'NEAR(refund, 5)',
      "refund' | !'x",
      'terms : refund',
      'refund & !<->',
      '1_refund',
      'refund\\',
      '{refund}',
    ])('takes nothing in a query for syntax: %s', async (query) => {
      const store = await database().open();
      await store.memory.put(write('docs', HANDBOOK), context(), AT_ONCE);
      expect((await found(store, query)).slice(0, 1)).toEqual(['refunds']);
    });

    it('replaces an item of the same id, so that it is found by its new text only', async () => {
      const store = await database().open();
      await store.memory.put(write('docs', [item('a', 'apples'), item('b', 'bananas')]), context(), AT_ONCE);
      const later = context({ atMs: AT_MS + 5 });
      expect(await store.memory.put(write('docs', [item('a', 'cherries'), item('c', 'dates')]), later, AT_ONCE)).toEqual({
        added: 1,
        replaced: 1,
      });
      expect(await found(store, 'apples')).toEqual([]);
      expect(await found(store, 'cherries')).toEqual(['a']);
      expect(await store.memory.get('default', 'docs', 'a', AT_MS)).toMatchObject({ createdAtMs: AT_MS, updatedAtMs: AT_MS + 5 });
      expect(await store.memory.namespaces('default', { after: '', limit: 9 })).toEqual([
        { name: 'docs', items: 3, bytes: 'cherries{}bananas{}dates{}'.length, createdAtMs: AT_MS },
      ]);
    });

    it('keeps the items of tenants and namespaces apart, and their scores', async () => {
      const store = await database().open();
      await store.memory.put(write('docs', HANDBOOK), context(), AT_ONCE);
      const search = { query: 'refund', limit: 5, nowMs: AT_MS, filter: '{}' };
      const alone = await store.memory.search('default', 'docs', search, AT_ONCE);
      await store.memory.put(write('other', [item('x', 'refund')]), context(), AT_ONCE);
      await store.memory.put(
        write('docs', [item('refunds', 'refund of acme'), item('y', 'refund')]),
        context({ tenantId: 'acme' }),
        AT_ONCE,
      );
      expect(await store.memory.search('default', 'docs', search, AT_ONCE)).toEqual(alone);
      expect((await found(store, 'refund', {}, 'acme')).sort()).toEqual(['refunds', 'y']);
      expect(await found(store, 'refund', {}, 'default', 'other')).toEqual(['x']);
      expect(await found(store, 'refund', {}, 'acme', 'other')).toEqual([]);
      expect(await store.memory.get('acme', 'other', 'x', AT_MS)).toBeNull();
      expect(await store.memory.remove({ namespace: 'other', id: 'x', origin: {} }, context({ tenantId: 'acme' }))).toBe(0);
      expect(await found(store, 'refund', {}, 'default', 'other')).toEqual(['x']);
    });

    it('filters by values of the metadata, with their types', async () => {
      const store = await database().open();
      const items = [
        item('a', 'note', { metadata: '{"user":"ann","year":2025,"draft":true}' }),
        item('b', 'note', { metadata: '{"user":"bob","year":2025,"draft":null}' }),
        item('c', 'note', { metadata: '{"user":"ann","year":"2025"}' }),
      ];
      await store.memory.put(write('docs', items), context(), AT_ONCE);
      const by = async (filter: object) => (await found(store, 'note', { filter: JSON.stringify(filter) })).sort();
      expect(await by({ user: 'ann' })).toEqual(['a', 'c']);
      expect(await by({ year: 2025 })).toEqual(['a', 'b']);
      expect(await by({ user: 'ann', year: 2025 })).toEqual(['a']);
      expect(await by({ draft: true })).toEqual(['a']);
      expect(await by({ draft: null })).toEqual(['b']);
      expect(await by({ "x' OR 1=1 --": 1 })).toEqual([]);
    });

    it('lists items, the newest first, page by page', async () => {
      const store = await database().open();
      await store.memory.put(write('docs', [item('a', '1'), item('b', '2'), item('c', '3')]), context(), AT_ONCE);
      const page = { before: null, limit: 2, nowMs: AT_MS };
      const first = await store.memory.list('default', 'docs', page, AT_ONCE);
      expect(first.items.map(({ id }) => id)).toEqual(['c', 'b']);
      const rest = await store.memory.list('default', 'docs', { ...page, before: first.next }, AT_ONCE);
      expect([rest.items.map(({ id }) => id), rest.next]).toEqual([['a'], null]);
      expect(await store.memory.list('acme', 'docs', page, AT_ONCE)).toEqual({ items: [], next: null });
    });

    it('hides items that have expired, and removes them', async () => {
      const store = await database().open();
      const items = [
        item('a', 'note', { expiresAtMs: AT_MS + 10 }),
        item('b', 'note'),
        item('c', 'note', { expiresAtMs: AT_MS + 20 }),
      ];
      await store.memory.put(write('docs', items), context(), AT_ONCE);
      expect((await found(store, 'note', { nowMs: AT_MS + 9 })).sort()).toEqual(['a', 'b', 'c']);
      const nowMs = AT_MS + 10;
      expect((await found(store, 'note', { nowMs })).sort()).toEqual(['b', 'c']);
      expect(await store.memory.get('default', 'docs', 'a', nowMs)).toBeNull();
      expect(await store.memory.tenantsWithExpired(nowMs)).toEqual(['default']);
      expect(await store.memory.removeExpired(nowMs, context({ tenantId: 'acme' }))).toBe(0);
      expect(await store.memory.removeExpired(nowMs, context())).toBe(1);
      expect(await store.memory.removeExpired(nowMs, context())).toBe(0);
      expect(await store.memory.tenantsWithExpired(nowMs)).toEqual([]);
      expect(await store.memory.namespaces('default', { after: '', limit: 9 })).toMatchObject([{ items: 2 }]);
    });

    it('removes one item or all, and the namespace with its last item', async () => {
      const store = await database().open();
      const many = Array.from({ length: 350 }, (_, n) => item(`i${n}`, `note ${n}`));
      await store.memory.put(write('docs', many), context(), AT_ONCE);
      const remove = (id: string | null) => store.memory.remove({ namespace: 'docs', id, origin: {} }, context());
      expect(await remove('i7')).toBe(1);
      expect(await remove('i7')).toBe(0);
      expect(await found(store, '7')).toEqual([]);
      expect(await found(store, '8')).toEqual(['i8']);
      expect([await remove(null), await remove(null), await remove(null)]).toEqual([200, 149, 0]);
      expect(await found(store, 'note')).toEqual([]);
      expect(await store.memory.namespaces('default', { after: '', limit: 9 })).toEqual([]);
      await store.memory.put(write('docs', [item('a', 'note')]), context(), AT_ONCE);
      expect(await found(store, 'note')).toEqual(['a']);
    });

    it.each([
      ['namespaces', { namespaces: 0 }],
      ['itemsPerNamespace', { itemsPerNamespace: 1 }],
      ['bytes', { bytes: 10 }],
    ] as const)('stores nothing beyond the limit of %s', async (exceeded, limit) => {
      const store = await database().open();
      const two = [item('a', 'apples'), item('b', 'bananas')];
      expect(await store.memory.put(write('docs', two, { limits: { ...LIMITS, ...limit } }), context(), AT_ONCE)).toEqual({
        exceeded,
      });
      expect(await store.memory.namespaces('default', { after: '', limit: 9 })).toEqual([]);
      expect(await found(store, 'apples')).toEqual([]);
    });

    it('logs numbers of items, and no text', async () => {
      const store = await database().open();
      const origin = { execution_id: 'exec_1' };
      await store.memory.put(write('docs', [item('a', 'a secret')], { origin }), context(), AT_ONCE);
      await store.memory.remove({ namespace: 'docs', id: 'a', origin: {} }, context());
      const { entries } = await store.audit.find('default', {}, { limit: 9, offset: 0, after: null });
      const events: object[] = [];
      for await (const { type, data } of entries) events.push({ type, ...data });
      expect(events).toEqual([
        { type: 'memory_deleted', namespace: 'docs', id: 'a', items: 1 },
        { type: 'memory_stored', namespace: 'docs', added: 1, replaced: 0, execution_id: 'exec_1' },
      ]);
      expect(await store.verifyAudit()).toMatchObject({ fault: null });
    });
  });
}
