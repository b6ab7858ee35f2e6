import { describe, expect, it } from 'vitest';
import type { ErrorGroups } from '../../../src/api/operations/executions.ts';
import { api, REVIEW } from '../support/api.ts';
import { asTenant, createTenant } from '../support/tenants.ts';

const CHARGE = {
  workflow_id: 'charge',
  version: '1',
  nodes: { charge: { kind: { type: 'tool', tool_ref: 'charge' } } },
  edges: [{ from: 'charge', to: 'end' }],
};
const tools = {
  charge: ({ error }: { readonly error?: string }) => {
    if (error !== undefined) throw Object.assign(new Error(error), { retryable: false });
    return {};
  },
};

describe('GET /executions?id=', () => {
  it('finds executions by the end of their id, or by any part', async () => {
    const bench = await api();
    const { get } = bench;
    const ids = [await bench.started(REVIEW), await bench.started(REVIEW)];
    for (const id of ids)
      expect((await get(`/executions?id=${id.slice(-8)}`)).body.executions.map((one) => one.execution_id)).toEqual([id]);
    const common = ids[0]?.slice(0, 12) ?? '';
    const { body } = await get(`/executions?id=${common.toUpperCase().replace('EXEC', 'exec')}&limit=1`);
    expect(body.executions.map((one) => one.execution_id)).toEqual([ids[1]]);
    const next = await get(`/executions?id=${common}&limit=1&cursor=${body.next_cursor}`);
    expect(next.body.executions.map((one) => one.execution_id)).toEqual([ids[0]]);
    expect((await get('/executions?id=ffffffffffff')).body).toMatchObject({ executions: [], next_cursor: null });
  });

  it('finds none of another tenant', async () => {
    const bench = await api();
    const id = await bench.started(REVIEW);
    await createTenant(bench, 'acme');
    const { body } = await bench.get(`/executions?id=${id.slice(-8)}`, await asTenant(bench, 'acme'));
    expect(body.executions).toEqual([]);
  });

  it.each([
    ['id=abc', /^bad request: id must be 4 to 32 hex digits/],
    ['id=wxyz', /^bad request: id must be 4 to 32 hex digits/],
    ['id=abcd&status=failed', /^bad request: id can be combined with limit, cursor and include only/],
    ['id=abcd&offset=1', /^bad request: id can be combined with limit, cursor and include only/],
  ])('refuses %s', async (query, error) => {
    const { status, body } = await (await api()).get(`/executions?${query}`);
    expect([status, body.error]).toEqual([400, expect.stringMatching(error)]);
  });
});

describe('GET /executions/counts', () => {
  const all = (total: number) => ({ total, examined: total, more: false });
  const empty = all(0);
  const none = { pending: 0, running: 0, paused: 0, completed: 0, failed: 0, cancelled: 0, limit_exceeded: 0 };

  it('counts the matching executions of the tenant by status', async () => {
    const bench = await api({ tools });
    expect((await bench.get('/executions/counts')).body).toEqual({ ...empty, counts: none });
    await bench.post('/workflows', { ir: CHARGE });
    for (const error of ['down', 'down', null]) {
      const input = error === null ? {} : { error };
      const { body } = await bench.post('/executions', { workflow_id: 'charge', input, labels: { to: error ?? 'none' } });
      await bench.settled(body.execution_id);
    }
    const paused = await bench.started(REVIEW);
    await bench.settled(paused);
    await createTenant(bench, 'acme');
    const counts = async (query = '', headers = {}) => (await bench.get(`/executions/counts${query}`, headers)).body;
    expect(await counts()).toEqual({ counts: { ...none, completed: 1, failed: 2, paused: 1 }, ...all(4) });
    expect(await counts('?status=failed,running')).toEqual({ counts: { ...none, failed: 2 }, ...all(2) });
    expect(await counts('?workflow_id=charge')).toEqual({ counts: { ...none, completed: 1, failed: 2 }, ...all(3) });
    expect(await counts('?workflow_id=charge&label=to:down')).toEqual({ counts: { ...none, failed: 2 }, ...all(2) });
    expect(await counts('?created_before=2020-01-01T00:00:00Z')).toEqual({ ...empty, counts: none });
    expect(await counts('', await asTenant(bench, 'acme'))).toEqual({ ...empty, counts: none });
    await bench.post(`/executions/${paused}/cancel`);
    expect(await counts()).toEqual({ counts: { ...none, completed: 1, failed: 2, cancelled: 1 }, ...all(4) });
  });

  it.each([
    ['status=lost', /^bad request: status must be one of/],
    ['workflow_version=1', /^bad request: workflow_version needs workflow_id/],
    ['created_after=yesterday', /created_after/],
  ])('refuses %s', async (query, error) => {
    const { status, body } = await (await api()).get(`/executions/counts?${query}`);
    expect([status, body.error]).toEqual([400, expect.stringMatching(error)]);
  });
});

describe('executions with an error', () => {
  async function charged(): Promise<{ readonly bench: Awaited<ReturnType<typeof api>>; readonly ids: readonly string[] }> {
    const bench = await api({ tools });
    await bench.post('/workflows', { ir: CHARGE });
    const ids: string[] = [];
    for (const error of ['timeout after 31 ms', 'declined', 'timeout after 3012 ms', null]) {
      const { body } = await bench.post('/executions', { workflow_id: 'charge', input: error === null ? {} : { error } });
      ids.push(body.execution_id);
      await bench.settled(body.execution_id);
    }
    return { bench, ids };
  }

  it('are listed and counted by the name of their group, or by one of its errors', async () => {
    const { bench, ids } = await charged();
    const [{ error } = { error: '' }] = ((await bench.get('/executions/errors')).body as unknown as ErrorGroups).groups;
    for (const given of [error, 'charge: timeout after 5 ms']) {
      const query = `error=${encodeURIComponent(given)}`;
      const { body } = await bench.get(`/executions?${query}`);
      expect(body.executions.map((one) => one.execution_id)).toEqual([ids[2], ids[0]]);
      const page = (await bench.get(`/executions?${query}&limit=1`)).body;
      expect(page.executions.map((one) => one.execution_id)).toEqual([ids[2]]);
      const next = (await bench.get(`/executions?${query}&limit=1&cursor=${page.next_cursor}`)).body;
      expect([next.executions.map((one) => one.execution_id), next.next_cursor]).toEqual([[ids[0]], null]);
      expect((await bench.get(`/executions/counts?${query}`)).body).toMatchObject({
        counts: { failed: 2, completed: 0 },
        total: 2,
        examined: 3,
        more: false,
      });
      expect((await bench.get(`/executions?${query}&status=completed`)).body.executions).toEqual([]);
    }
    expect((await bench.get('/executions?error=other')).body.executions).toEqual([]);
  });

  it.each(['error=', 'error=x&offset=1', `error=${'x'.repeat(5_000)}`])('cannot be listed with %.40s', async (query) => {
    const { status, body } = await (await api()).get(`/executions?${query}`);
    expect([status, body.error]).toEqual([400, expect.stringMatching(/^bad request: (error|offset)/)]);
  });
});

describe('GET /executions/errors', () => {
  it('groups failures that differ in numbers, ids and quoted texts alone', async () => {
    const bench = await api({ tools });
    await bench.post('/workflows', { ir: CHARGE });
    const ids: string[] = [];
    for (const error of ['timeout after 31 ms', 'timeout after 3012 ms', 'card "visa" declined', null, 'timeout after 5 ms']) {
      const { body } = await bench.post('/executions', { workflow_id: 'charge', input: error === null ? {} : { error } });
      ids.push(body.execution_id);
      await bench.settled(body.execution_id);
    }
    const { status, body } = await bench.get('/executions/errors?workflow_id=charge');
    const { groups, ...rest } = body as unknown as ErrorGroups;
    expect([status, rest]).toEqual([200, { total_groups: 2, examined: 4, more: false }]);
    expect(groups).toMatchObject([
      {
        error: 'charge: timeout after # ms',
        count: 3,
        workflow_ids: ['charge'],
        example_execution_id: ids[4],
        example_error: 'charge: timeout after 5 ms',
      },
      { error: 'charge: card "…" declined', count: 1, example_execution_id: ids[2] },
    ]);
    const largest = (await bench.get('/executions/errors?limit=1')).body as unknown as ErrorGroups;
    expect([largest.groups.length, largest.total_groups]).toEqual([1, 2]);
    const others = (await bench.get('/executions/errors?status=completed')).body as unknown as ErrorGroups;
    expect(others).toEqual({ groups: [], total_groups: 0, examined: 1, more: false });
  });
});
