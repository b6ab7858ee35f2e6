import { describe, expect, it } from 'vitest';
import type { AddedToMemory, FoundInMemory, MemoryItem, MemoryNamespaces } from '../../../src/api/operations/memory.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api } from '../support/api.ts';

const ITEMS = [
  { id: 'refunds', text: 'A refund is paid within 14 days', metadata: { page: 3 } },
  { text: 'We ship within two days' },
];

async function add(it: Api, items: unknown = ITEMS, namespace = 'handbook') {
  const { status, body } = await it.post(`/memory/${namespace}`, { items });
  return { status, error: body.error, body: body as unknown as AddedToMemory };
}

async function found(it: Api, query: string) {
  const { status, body } = await it.get(`/memory/handbook?${query}`);
  return { status, error: body.error, ...(body as unknown as FoundInMemory) };
}

describe('the memory', () => {
  it('stores items and finds them', async () => {
    const it = await api();
    const { status, body } = await add(it);
    expect([status, body]).toEqual([
      201,
      { namespace: 'handbook', ids: ['refunds', expect.stringMatching(/^[0-9a-f]{32}$/)], added: 2, replaced: 0 },
    ]);
    expect(await found(it, 'query=when%20are%20refunds%20paid')).toMatchObject({
      status: 200,
      namespace: 'handbook',
      results: [{ id: 'refunds', text: ITEMS[0]?.text, score: expect.any(Number), metadata: { page: 3 } }],
      truncated: false,
      next_cursor: null,
    });
    expect((await found(it, 'query=days&limit=1')).results).toHaveLength(1);
    expect((await found(it, `query=days&filter=${encodeURIComponent('{"page":3}')}`)).results).toMatchObject([{ id: 'refunds' }]);
    expect((await found(it, 'query=')).results).toEqual([]);
    expect((await add(it)).body).toMatchObject({ added: 0, replaced: 2 });
  });

  it('lists namespaces and items page by page, and gets one', async () => {
    const it = await api();
    await add(
      it,
      Array.from({ length: 5 }, (_, n) => ({ id: `i${n}`, text: `text ${n}`, ttl_secs: 60 })),
    );
    await add(it, [{ text: 'a' }], 'another');
    const { namespaces } = (await it.get('/memory')).body as unknown as MemoryNamespaces;
    expect(namespaces.map(({ name, items }) => [name, items])).toEqual([
      ['another', 1],
      ['handbook', 5],
    ]);
    expect((await it.get('/memory?after=another&limit=1')).body).toMatchObject({ namespaces: [{ name: 'handbook' }] });
    const first = await found(it, 'limit=3');
    expect(first.results.map(({ id, score }) => [id, score])).toEqual([
      ['i4', null],
      ['i3', null],
      ['i2', null],
    ]);
    const rest = await found(it, `limit=3&cursor=${first.next_cursor}`);
    expect([rest.results.map(({ id }) => id), rest.next_cursor]).toEqual([['i1', 'i0'], null]);
    const item = (await it.get('/memory/handbook/i0')).body as unknown as MemoryItem;
    expect(item).toMatchObject({ namespace: 'handbook', id: 'i0', text: 'text 0', metadata: {} });
    expect(Date.parse(item.expires_at ?? '') - Date.parse(item.created_at)).toBe(60_000);
  });

  it('deletes an item, and a namespace', async () => {
    const it = await api();
    await add(it);
    expect(await it.call('DELETE', '/memory/handbook/refunds')).toMatchObject({ status: 200, body: { deleted: 1 } });
    const again = await it.call('DELETE', '/memory/handbook/refunds');
    expect([again.status, again.body.error]).toEqual([404, 'not found: item refunds of memory handbook']);
    expect((await it.get('/memory/handbook/refunds')).status).toBe(404);
    expect(await it.call('DELETE', '/memory/handbook')).toMatchObject({ status: 200, body: { deleted: 1 } });
    for (const namespace of ['handbook', 'nope'])
      expect(await it.call('DELETE', `/memory/${namespace}`)).toMatchObject({
        status: 404,
        body: { error: `not found: memory namespace ${namespace}` },
      });
    expect((await it.get('/memory')).body).toEqual({ namespaces: [] });
  });

  it.each([
    [[], 'items'],
    [[{ text: '' }], 'text'],
    [[{ text: 5 }], 'text'],
    [[{ text: 'a', id: '' }], 'id'],
    [[{ text: 'a', metadata: [] }], 'metadata'],
    [[{ text: 'a', ttl_secs: -1 }], 'ttl_secs'],
    [[{ text: ' ' }], 'items[0].text must be a text that is not empty'],
    [[{ text: 'a' }, { text: 'x'.repeat(70_000) }], 'items[1].text is larger than 64 KiB'],
    [Array.from({ length: 1_001 }, () => ({ text: 'a' })), 'items'],
    [null, 'items'],
  ])('refuses %j', async (items, part) => {
    const it = await api();
    const { status, error } = await add(it, items);
    expect([status, error]).toEqual([400, expect.stringContaining(part)]);
    expect((await it.get('/memory')).body).toEqual({ namespaces: [] });
  });

  it.each([
    ['query=a&filter=x', 'filter is not valid JSON'],
    ['query=a&filter=[]', 'filter must be a JSON object'],
    ['query=a&filter={"k":{}}', 'filter.k must be a text'],
    ['query=a&limit=0', 'limit'],
    ['cursor=x', 'cursor'],
  ])('refuses a search by %s', async (query, part) => {
    const it = await api();
    const { status, error } = await found(it, encodeURI(query));
    expect([status, error]).toEqual([400, expect.stringContaining(part)]);
  });

  it('refuses names that are too long or have a slash, and callers that may not write', async () => {
    const it = await api();
    expect((await it.post(`/memory/${'n'.repeat(129)}`, { items: ITEMS })).status).toBe(400);
    expect((await it.post('/memory/a%2Fb', { items: ITEMS })).status).toBe(400);
    expect((await it.post('/memory/handbook', { items: ITEMS }, { as: 'viewer' })).status).toBe(403);
    expect((await it.call('DELETE', '/memory/handbook', { as: 'reviewer' })).status).toBe(403);
    expect((await it.get('/memory/handbook?query=a', { as: 'viewer' })).status).toBe(200);
  });

  it('is cleared of expired items in the background', async () => {
    const it = await api({ background: true });
    await add(it, [{ id: 'a', text: 'tea', ttl_secs: 60 }]);
    it.clock.advance(3_600_000);
    await eventually(async () => ((await it.get('/memory')).body as unknown as MemoryNamespaces).namespaces.length === 0);
    const { items } = (await it.get('/audit?event_type=memory_deleted')).body as unknown as { items: object[] };
    expect(items).toMatchObject([{ actor_id: it.runtime.id, raw_event: { namespace: 'handbook', items: 1, reason: 'expired' } }]);
    expect(it.errors).toEqual([]);
  });
});
