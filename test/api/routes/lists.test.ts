import { describe, expect, it } from 'vitest';
import { type Api, api, ECHO, ECHO_TOOLS, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { asTenant, createTenant } from '../support/tenants.ts';

/** Starts executions of `review` (paused) and `echo` (completed), oldest first: `review` with labels, `echo` without. */
async function several(): Promise<Api & { readonly ids: readonly string[] }> {
  const bench = await api({ tools: ECHO_TOOLS });
  const { post, clock } = bench;
  await post('/workflows', { ir: REVIEW });
  await post('/workflows', { ir: ECHO });
  const ids: string[] = [];
  for (const [at, workflow_id] of ['review', 'echo', 'review', 'echo', 'review'].entries()) {
    const labels = workflow_id === 'review' ? { env: at === 0 ? 'test' : 'prod', 'a.b': 'c' } : {};
    const { body } = await post('/executions', { workflow_id, input: { at }, labels });
    ids.push(body.execution_id);
    await bench.settled(body.execution_id);
    clock.advance(60_000);
  }
  return { ...bench, ids };
}

async function found({ get, ids }: Api & { readonly ids: readonly string[] }, query: string): Promise<readonly number[]> {
  const { status, body } = await get(`/executions?${query}`);
  if (status !== 200) throw new Error(body.error);
  return body.executions.map(({ execution_id }) => ids.indexOf(execution_id));
}

describe('GET /executions', () => {
  it('filters by status, workflow, version, labels and time, in any combination', async () => {
    const bench = await several();
    expect(await found(bench, '')).toEqual([4, 3, 2, 1, 0]);
    expect(await found(bench, 'status=paused')).toEqual([4, 2, 0]);
    expect(await found(bench, 'status=paused,completed&workflow_id=echo')).toEqual([3, 1]);
    expect(await found(bench, 'status=failed&status=completed')).toEqual([3, 1]);
    expect(await found(bench, 'status=pending')).toEqual([]);
    expect(await found(bench, 'status=pending,paused')).toEqual([4, 2, 0]);
    expect(await found(bench, 'workflow_id=review&workflow_version=1.0.0')).toEqual([4, 2, 0]);
    expect(await found(bench, 'workflow_id=review&workflow_version=2')).toEqual([]);
    expect(await found(bench, 'label=env:prod')).toEqual([4, 2]);
    expect(await found(bench, 'label=env&status=paused')).toEqual([4, 2, 0]);
    expect(await found(bench, 'label=env:prod&label=a')).toEqual([]);
    expect(await found(bench, 'created_after=2026-03-12T10:01:00Z&created_before=2026-03-12T10:03:00.000Z')).toEqual([2, 1]);
    expect(await found(bench, 'created_after=2026-03-12T12:03:00+02:00')).toEqual([4, 3]);
    expect(await found(bench, 'created_after=2026-03-12T10:01:00Z&label=env:prod&status=paused&limit=1')).toEqual([4]);
    expect(await found(bench, `parent_execution_id=${UNKNOWN_EXECUTION}`)).toEqual([]);
  });

  it('continues with a cursor, whatever was started meanwhile', async () => {
    const bench = await several();
    const { get, post, ids } = bench;
    const first = (await get('/executions?limit=2')).body;
    expect(first).toMatchObject({ limit: 2, offset: 0, next_cursor: expect.stringMatching(/^[\w-]+$/) });
    await post('/executions', { workflow_id: 'review' });
    const second = (await get(`/executions?limit=2&cursor=${first.next_cursor}`)).body;
    expect(second.executions.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    const third = (await get(`/executions?limit=2&cursor=${second.next_cursor}`)).body;
    expect(third).toMatchObject({ executions: [{ id: ids[0] }], next_cursor: null });
  });

  it('pages under a filter, by cursor and by offset, to the same end', async () => {
    const { get, ids } = await several();
    const first = (await get('/executions?limit=1&status=paused&label=env')).body;
    const byCursor = (await get(`/executions?limit=9&status=paused&label=env&cursor=${first.next_cursor}`)).body;
    const byOffset = (await get('/executions?limit=9&offset=1&status=paused&label=env')).body;
    expect(byCursor.executions.map(({ id }) => id)).toEqual([ids[2], ids[0]]);
    expect(byOffset.executions).toEqual(byCursor.executions);
    expect(byCursor.next_cursor).toBeNull();
  });

  it('skips matches from a cursor on', async () => {
    const bench = await api();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift(await bench.started(REVIEW));
    const { next_cursor } = (await bench.get('/executions?limit=1')).body;
    for (const more of ['', '&status=paused', '&status=paused&workflow_id=review']) {
      const { executions, offset } = (await bench.get(`/executions?limit=2&cursor=${next_cursor}&offset=1${more}`)).body;
      expect([executions.map(({ id }) => id), offset]).toEqual([ids.slice(2, 4), 1]);
    }
  });

  it('includes states in pages by cursor', async () => {
    const { get } = await several();
    const { body } = await get('/executions?limit=1&include=state&workflow_id=echo');
    expect(body).toMatchObject({ executions: [{ state: { at: 3 } }], next_cursor: expect.any(String) });
  });

  it.each([
    ['status=done', 'status must be one of pending, running, paused, completed, failed, cancelled, limit_exceeded'],
    ['status=', 'status must be one of pending, running, paused, completed, failed, cancelled, limit_exceeded'],
    ['cursor=nonsense', 'cursor must be the next_cursor of an earlier page'],
    [`cursor=${'A'.repeat(23)}`, 'cursor must be the next_cursor of an earlier page'],
    ['cursor=', 'cursor must be the next_cursor of an earlier page'],
    ['created_after=2026-02-30T00:00:00Z', 'created_after must be a time like 2026-03-12T10:00:00Z, not "2026-02-30T00:00:00Z"'],
    [
      'created_before=2026-03-12T24:00:00Z',
      'created_before must be a time like 2026-03-12T10:00:00Z, not "2026-03-12T24:00:00Z"',
    ],
    ['created_after=yesterday', 'created_after must be a time like 2026-03-12T10:00:00Z, not "yesterday"'],
    [
      'created_before=2026-13-01T00:00:00Z',
      'created_before must be a time like 2026-03-12T10:00:00Z, not "2026-13-01T00:00:00Z"',
    ],
    ['workflow_version=1', 'workflow_version needs workflow_id'],
    [`${'label=a&'.repeat(65)}`, 'label must match a schema in anyOf'],
    ['limit=0', 'limit must be >= 1'],
  ])('refuses ?%s', async (query, error) => {
    const { get } = await api();
    const { status, body } = await get(`/executions?${query}`);
    expect([status, body.code]).toEqual([400, 'bad_request']);
    if (!error.includes('anyOf')) expect(body.error).toBe(`bad request: ${error}`);
  });

  it('shows nothing of another tenant, whatever the filter or cursor', async () => {
    const bench = await several();
    const { get } = bench;
    await createTenant(bench, 'acme');
    const acme = await asTenant(bench, 'acme', 'viewer');
    const { next_cursor } = (await get('/executions?limit=1')).body;
    for (const query of ['', 'status=paused', 'label=env', 'workflow_id=review', `cursor=${next_cursor}`, 'limit=1&offset=1']) {
      const { status, body } = await get(`/executions?${query}`, acme);
      expect([status, body]).toMatchObject([200, { executions: [], next_cursor: null }]);
    }
  });
});
