import { describe, expect, it } from 'vitest';
import type { ErrorGroups } from '../../../src/api/schemas/executions.ts';
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
  const none = { pending: 0, running: 0, paused: 0, completed: 0, failed: 0, cancelled: 0, limit_exceeded: 0 };

  it('counts the matching executions of the tenant by status', async () => {
    const bench = await api({ tools });
    expect((await bench.get('/executions/counts')).body).toEqual({ counts: none, total: 0 });
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
    expect(await counts()).toEqual({ counts: { ...none, completed: 1, failed: 2, paused: 1 }, total: 4 });
    expect(await counts('?status=failed,running')).toEqual({ counts: { ...none, failed: 2 }, total: 2 });
    expect(await counts('?workflow_id=charge')).toEqual({ counts: { ...none, completed: 1, failed: 2 }, total: 3 });
    expect(await counts('?workflow_id=charge&label=to:down')).toEqual({ counts: { ...none, failed: 2 }, total: 2 });
    expect(await counts('?created_before=2020-01-01T00:00:00Z')).toEqual({ counts: none, total: 0 });
    expect(await counts('', await asTenant(bench, 'acme'))).toEqual({ counts: none, total: 0 });
    await bench.post(`/executions/${paused}/cancel`);
    expect(await counts()).toEqual({ counts: { ...none, completed: 1, failed: 2, cancelled: 1 }, total: 4 });
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
