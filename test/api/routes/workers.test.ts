import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/runtimes.ts';
import { api, ECHO, ECHO_TOOLS } from '../support/api.ts';
import { asTenant, createTenant } from '../support/tenants.ts';

const quoting = (tool_ref: string) => ({
  workflow_id: 'quote',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref } } },
  edges: [{ from: 'draft', to: 'end' }],
});

const claim = (tools?: readonly string[]) => ({
  worker_id: 'w1',
  queue_types: ['tool'],
  ...(tools === undefined ? {} : { tools }),
});

describe('GET /workers', () => {
  it('lists the tools and queues that each serves, also before the first item', async () => {
    const { get, post, runtime } = await api({ tools: ECHO_TOOLS });
    await post('/work-items/claim', claim(['draft_quote']));
    await post('/work-items/claim', { worker_id: 'w2', queue_types: ['python_tool'] });
    const { workers, unserved } = (await get('/workers')).body;
    expect(workers.map(({ id, queues, tools }) => ({ id, queues, tools }))).toEqual([
      { id: runtime.id, queues: [], tools: ['echo'] },
      { id: 'w1', queues: ['tool'], tools: ['draft_quote'] },
      { id: 'w2', queues: ['python_tool'], tools: null },
    ]);
    expect(unserved).toEqual([]);
  });

  it('is read in pages, servers first', async () => {
    const { get, post, runtime } = await api();
    for (const worker_id of ['b', 'a', 'ž z', 'c']) await post('/work-items/claim', { worker_id, queue_types: ['tool'] });
    const pages: string[][] = [];
    for (let query = '?limit=2'; ; ) {
      const { workers, limit, next_cursor, waiting } = (await get(`/workers${query}`)).body;
      expect([limit, waiting]).toEqual([2, []]);
      pages.push(workers.map(({ id }) => id));
      if (next_cursor === null) break;
      query = `?limit=2&cursor=${next_cursor}`;
    }
    expect(pages).toEqual([[runtime.id, 'a'], ['b', 'c'], ['ž z']]);
    expect((await get('/workers')).body).toMatchObject({ limit: 1_000, next_cursor: null });
    for (const cursor of ['x', 'ZXh0ZXJuYWw', 'cnVudGltZSA='])
      expect((await get(`/workers?cursor=${encodeURIComponent(cursor)}`)).status).toBe(400);
  });

  it('lists a worker while its first claim waits', async () => {
    const { get, post, clock } = await api();
    const waiting = post('/work-items/claim', { ...claim(['draft_quote']), wait_ms: 60_000 });
    await eventually(async () => (await get('/workers')).body.workers.some(({ id }) => id === 'w1'));
    clock.advance(60_000);
    expect((await waiting).body.claimed).toBe(false);
  });

  it('lists waiting work that no worker does, by tool, until one comes and after it is gone', async () => {
    const { get, post, started, clock } = await api();
    const sinceMs = clock.nowMs();
    await started(quoting('draft_quot'));
    clock.advance(1_000);
    await started(quoting('draft_quot'));
    const unserved = async () => (await get('/workers')).body.unserved;
    const oldest_at = new Date(sinceMs).toISOString();
    expect(await unserved()).toEqual([{ queue: 'tool', tool: 'draft_quot', waiting: 2, oldest_at }]);
    await post('/work-items/claim', claim(['draft_quote']));
    expect(await unserved()).toHaveLength(1);
    await post('/work-items/claim', { ...claim(['draft_quot']), worker_id: 'w2' });
    expect(await unserved()).toEqual([]);
    clock.advance(91_000);
    expect(await unserved()).toMatchObject([{ tool: 'draft_quot', waiting: 1 }]);
    await post('/work-items/claim', { worker_id: 'w3', queue_types: ['tool'] });
    expect(await unserved()).toEqual([]);
  });

  it('lists all waiting work with the number of workers that do it, and what waits for each worker', async () => {
    const { get, post, started, clock } = await api();
    const oldest_at = new Date(clock.nowMs()).toISOString();
    await started(quoting('draft_quote'));
    await started({ ...quoting('send_quote'), workflow_id: 'send' });
    await post('/work-items/claim', { ...claim(['other']), worker_id: 'idle' });
    await post('/work-items/claim', { worker_id: 'busy', queue_types: ['tool'] });
    await post('/work-items/claim', { ...claim(['draft_quote']), worker_id: 'gone' });
    // `busy` has claimed the first item.
    await started(quoting('draft_quote'));
    await started(quoting('draft_quote'));
    const { workers, waiting } = (await get('/workers')).body;
    expect(waiting).toEqual([
      { queue: 'tool', tool: 'draft_quote', waiting: 2, oldest_at, served_by: 2 },
      { queue: 'tool', tool: 'send_quote', waiting: 1, oldest_at, served_by: 1 },
    ]);
    const shown = workers.flatMap(({ id, kind, waiting: count }) => (kind === 'external' ? [[id, count]] : []));
    expect(shown).toEqual([
      ['busy', 3],
      ['gone', 2],
      ['idle', 0],
    ]);
    clock.advance(91_000);
    expect((await get('/workers')).body.waiting).toMatchObject([{ served_by: 0 }, { served_by: 0 }]);
  });

  it('does not show the waiting work of another tenant', async () => {
    const it = await api();
    await createTenant(it, 'acme', {});
    await it.started(quoting('draft_quot'));
    const acme = await asTenant(it, 'acme', 'developer');
    expect((await it.get('/workers', acme)).body.unserved).toEqual([]);
  });
});

describe('a claim with tools', () => {
  it('returns only their items, with the tool', async () => {
    const { post, started } = await api();
    await started(quoting('a'));
    const id = await started({ ...quoting('b'), workflow_id: 'other' });
    const { work_items } = (await post('/work-items/claim', { ...claim(['b', 'c']), max_items: 10 })).body;
    expect(work_items.map(({ execution_id, tool }) => [execution_id, tool])).toEqual([[id, 'b']]);
  });

  it('is not woken by the items of others, which wake the poll that can do them', async () => {
    const { post, started, clock } = await api();
    const first = post('/work-items/claim', { ...claim(['a']), wait_ms: 60_000 });
    const second = post('/work-items/claim', { ...claim(['b']), worker_id: 'w2', wait_ms: 60_000 });
    await eventually(() => clock.waiting >= 2);
    const id = await started(quoting('b'));
    expect((await second).body.work_item.execution_id).toBe(id);
    const other = await started({ ...quoting('a'), workflow_id: 'other' });
    expect((await first).body.work_item.execution_id).toBe(other);
  });
});

describe('POST /workflows', () => {
  it('warns of a tool that no process serves, and names the one that was meant', async () => {
    const { post } = await api({ tools: ECHO_TOOLS });
    await post('/work-items/claim', claim(['draft_quote']));
    const { status, body } = await post('/workflows', { ir: quoting('draft_quot') });
    expect([status, body.warnings]).toEqual([
      201,
      [
        {
          severity: 'warning',
          code: 'unserved_tool',
          node_id: 'draft',
          path: 'nodes.draft.tool_ref',
          message: 'node "draft": no process serves the tool "draft_quot"; the node will wait until a worker does',
          hint: 'did you mean "draft_quote"? here are: draft_quote, echo',
        },
      ],
    ]);
  });

  it('does not warn of tools that this process or a worker serves', async () => {
    const { post } = await api({ tools: ECHO_TOOLS });
    await post('/work-items/claim', claim(['draft_quote']));
    for (const ir of [ECHO, quoting('draft_quote')]) expect((await post('/workflows', { ir })).body.warnings ?? []).toEqual([]);
  });
});
