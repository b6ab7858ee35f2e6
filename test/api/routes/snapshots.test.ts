import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import type { JsonObject } from '../../../machines/json.ts';
import type { SnapshotList } from '../../../src/api/operations/history.ts';
import { ROLES } from '../../../src/server/tokens.ts';
import { editLog } from '../../support/edit-log.ts';
import { type Api, api, ECHO, ECHO_TOOLS, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { createTenant } from '../support/tenants.ts';

async function page({ get }: Api, id: string, query = ''): Promise<SnapshotList> {
  const { status, body } = await get(`/executions/${id}/snapshots${query}`);
  expect(status).toBe(200);
  return body as unknown as SnapshotList;
}

/** The machine that XState makes from the reply of the API. */
async function machineOf({ app, token }: Api, id: string) {
  const headers = { authorization: `Bearer ${await token('viewer')}` };
  const { payload } = await app.inject({ method: 'GET', url: `/executions/${id}/machine?format=xstate&marks=false`, headers });
  return createMachine(JSON.parse(payload));
}

/** Counts to `n` in a loop, one visit after the other. */
const COUNTING = {
  workflow_id: 'counting',
  version: '1.0.0',
  nodes: {
    count: { kind: { type: 'tool', tool_ref: 'count', output_key: 'count' } },
    more: {
      kind: {
        type: 'condition',
        branches: [
          { condition: 'state.count.n < state.to', target: 'count' },
          { condition: null, target: 'end' },
        ],
      },
    },
  },
  edges: [{ from: 'count', to: 'more' }],
};
const COUNTING_TOOLS = { count: ({ count }: { count?: { n: number } }) => ({ n: (count?.n ?? 0) + 1 }) };

describe('GET /executions/:id/snapshots', () => {
  it('lists machine events, state value and state after every step', async () => {
    const it = await api();
    const id = await it.started(REVIEW, { n: 1 });
    it.clock.advance(60_000);
    await it.post(`/executions/${id}/approve`, { decision: 'approved', user_id: 'ann', state_patch: { seen: true } });
    const { snapshots, ...head } = await page(it, id);
    expect(head).toEqual({ execution_id: id, sequence: 6, status: 'completed', limit: 100 });
    expect(snapshots).toMatchObject([
      {
        sequence: 3,
        events: [{ type: 'xstate.init', input: { n: 1 } }],
        status: 'paused',
        value: 'review',
        context: { state: { n: 1 }, active: [{ node_id: 'review', phase: 'approval' }], steps_executed: 0 },
      },
      {
        sequence: 6,
        events: [{ type: 'decide', node: 'review', decision: 'approved', userId: 'ann', patch: { seen: true } }],
        status: 'completed',
        context: { state: { n: 1, seen: true }, active: [], steps_executed: 1 },
      },
    ]);
    const [first, last] = snapshots.map(({ created_at }) => Date.parse(created_at));
    expect((last ?? 0) - (first ?? 0)).toBe(60_000);
    const machine = await machineOf(it, id);
    for (const { value } of snapshots) expect(machine.resolveState({ value: value as never, context: {} }).value).toEqual(value);
  });

  it('returns the same, whatever the pages', async () => {
    const it = await api({ tools: COUNTING_TOOLS });
    const id = await it.started(COUNTING, { to: 25 });
    await it.settled(id);
    const whole = await page(it, id);
    expect(whole.snapshots).toHaveLength(26);
    expect(whole.snapshots.at(-1)).toMatchObject({ sequence: whole.sequence, context: { state: { count: { n: 25 } } } });
    for (const limit of [1, 4, 26]) {
      const gathered: SnapshotList['snapshots'] = [];
      for (let after = 0; after < whole.sequence; after = gathered.at(-1)?.sequence ?? Number.POSITIVE_INFINITY) {
        const { snapshots } = await page(it, id, `?after=${after}&limit=${limit}`);
        expect(snapshots.length).toBeLessThanOrEqual(limit);
        gathered.push(...snapshots);
      }
      expect(gathered).toEqual(whole.snapshots);
    }
    // Within a step, it continues with that step.
    for (let after = 0; after < whole.sequence; after += 1) {
      const { snapshots } = await page(it, id, `?after=${after}&limit=1`);
      expect(snapshots).toEqual([whole.snapshots.find(({ sequence }) => sequence > after)]);
    }
    for (const after of [whole.sequence, whole.sequence + 5, 999_999])
      expect(await page(it, id, `?after=${after}`)).toEqual({ ...whole, snapshots: [] });
    expect((await page(it, id, '?limit=100000')).limit).toBe(500);
  });

  it('continues when more has happened', async () => {
    const it = await api();
    const id = await it.started({
      ...PAYMENT,
      nodes: { ...PAYMENT.nodes, ...REVIEW.nodes },
      edges: [{ from: 'pay', to: 'review' }, ...REVIEW.edges],
    });
    const { sequence } = await page(it, id);
    expect((await page(it, id, `?after=${sequence}`)).snapshots).toEqual([]);
    await it.post(`/executions/${id}/external-event`, { correlation_key: 'other', payload: 1 });
    await it.post(`/executions/${id}/pause`, { reason: 'lunch' });
    await it.post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: { sum: 5 } });
    await it.post(`/executions/${id}/resume`);
    const { snapshots } = await page(it, id, `?after=${sequence}`);
    expect(snapshots.map(({ events, value, status }) => [events.map(({ type }) => type), value, status])).toEqual([
      // No node waits for it.
      [['external_event_received'], 'pay', 'paused'],
      [['workflow_paused'], 'pay', 'paused'],
      [['event'], 'review', 'paused'],
      [['workflow_resumed'], 'review', 'paused'],
    ]);
  });

  it('shows a failure that a later retry reset, and the retry', async () => {
    let broken = 2;
    const echo = (input: unknown): unknown => {
      if (broken-- > 0) throw Object.assign(new Error('down'), { retryable: false });
      return input;
    };
    const it = await api({ tools: { echo } });
    const id = await it.started(ECHO, { n: 1 });
    for (let retried = 0; retried < 2; retried += 1) {
      await it.settled(id);
      await it.post(`/executions/${id}/retry`);
    }
    const { sequence } = await it.settled(id);
    const seen: string[] = [];
    for (let after = 0; after < sequence; ) {
      const { snapshots } = await page(it, id, `?after=${after}`);
      for (const { events, status, value } of snapshots)
        seen.push(`${events.map(({ type }) => type).join('+')}: ${JSON.stringify(value)} ${status}`);
      after = snapshots.at(-1)?.sequence ?? Number.POSITIVE_INFINITY;
    }
    expect(seen).toEqual([
      'xstate.init: "echo" running',
      'fail: "end:failed" failed',
      'workflow_retried: "echo" running',
      'fail: "end:failed" failed',
      'workflow_retried: "echo" running',
      'done: "end:completed" completed',
    ]);
  });

  it('begins a fork before the point of the fork', async () => {
    const it = await api();
    const id = await it.started(REVIEW, { n: 1 });
    await it.post(`/executions/${id}/approve`, { decision: 'rejected' });
    const [origin] = (await page(it, id)).snapshots;
    const { body } = await it.post(`/executions/${id}/fork`, { at_sequence: 1, state_patch: { n: 2 } });
    const fork = String((body as unknown as JsonObject).execution_id);
    const { snapshots } = await page(it, fork);
    expect(snapshots[0]).toEqual(origin);
    expect(snapshots[1]).toMatchObject({ events: [{ type: 'workflow_forked' }], value: 'review', context: { state: { n: 2 } } });
  });

  it('ends a page before it grows beyond a megabyte', async () => {
    const it = await api({ tools: COUNTING_TOOLS });
    const id = await it.started(COUNTING, { to: 8, ballast: 'x'.repeat(300_000) });
    await it.settled(id);
    const { snapshots, sequence } = await page(it, id);
    expect(snapshots.length).toBeLessThan(5);
    expect((await page(it, id, `?after=${snapshots.at(-1)?.sequence}`)).snapshots.length).toBeGreaterThan(0);
    expect(snapshots.at(-1)?.sequence).toBeLessThan(sequence);
  });

  it('does not delay other requests while it replays a long log', async () => {
    const it = await api({ tools: COUNTING_TOOLS });
    const id = await it.started(COUNTING, { to: 300, ballast: 'x'.repeat(200_000) });
    await it.settled(id);
    const { sequence } = (await it.get(`/executions/${id}`)).body;
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const { snapshots } = await page(it, id, `?after=${sequence - 1}`);
    clearImmediate(timer);
    expect(snapshots).toHaveLength(1);
    expect(turns).toBeGreaterThan(5);
  });

  it('does not replay the log before the previous page again', async () => {
    const it = await api({ tools: COUNTING_TOOLS });
    const id = await it.started(COUNTING, { to: 5 });
    await it.settled(id);
    const whole = await page(it, id);
    const [first] = (await page(it, id, '?limit=1')).snapshots;
    editLog(it.path, id, (event) => (event.seq === 1 ? { ...event, data: '{}' } : event));
    expect((await page(it, id, `?after=${first?.sequence}`)).snapshots).toEqual(whole.snapshots.slice(1));
    expect((await it.get(`/executions/${id}/snapshots?after=1`)).status).toBe(500);
  });

  it('reports a changed log', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const id = await it.started(ECHO, { n: 1 });
    await it.settled(id);
    editLog(it.path, id, ({ data, ...event }) => ({ ...event, data: data.replace('"in_process":true', '"in_process":false') }));
    const { status, body } = await it.get(`/executions/${id}/snapshots`);
    expect([status, body.code]).toEqual([500, 'corrupt']);
  });

  it.each(['after=-1', 'after=1.5', 'after=x', 'limit=0', 'limit=-1', 'limit=x', 'limit=1.5'])('refuses ?%s', async (query) => {
    const it = await api();
    const id = await it.started(REVIEW);
    const { status, body } = await it.get(`/executions/${id}/snapshots?${query}`);
    expect([status, body.error]).toEqual([400, expect.stringMatching(/^bad request: (?:after|limit) must/)]);
  });

  it.each(ROLES.filter((role) => role !== 'worker'))('may be read by a %s', async (as) => {
    const it = await api();
    const id = await it.started(REVIEW);
    expect((await it.get(`/executions/${id}/snapshots`, { as })).status).toBe(200);
  });

  it('is not visible to other tenants', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    // The cache of one tenant is not visible to another.
    await page(it, id, '?limit=1');
    await createTenant(it, 'acme');
    const headers = { authorization: `Bearer ${await it.token('operator', { tenantId: 'acme' })}` };
    const theirs = await it.get(`/executions/${id}/snapshots`, { as: null, headers });
    const nobodys = await it.get(`/executions/${UNKNOWN_EXECUTION}/snapshots`, { as: null, headers });
    expect([theirs.status, theirs.body.error]).toEqual([404, `not found: execution ${id}`]);
    expect([nobodys.status, nobodys.body.error]).toEqual([404, `not found: execution ${UNKNOWN_EXECUTION}`]);
    expect((await it.get('/executions/x/snapshots')).status).toBe(404);
    expect((await it.get(`/executions/${id}/snapshots`, { as: null })).status).toBe(401);
  });
});

describe('GET /executions/:id/machine?marks=false', () => {
  it('shows only the workflow, whatever has happened', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    const headers = { authorization: `Bearer ${await it.token('viewer')}` };
    const drawn = async (query: string) =>
      (await it.app.inject({ method: 'GET', url: `/executions/${id}/machine?${query}`, headers })).payload;
    const before = await drawn('marks=false');
    expect(JSON.parse(before)).toMatchObject({ id: 'workflow:review', meta: { workflow_id: 'review' } });
    expect(before).not.toContain('"mark"');
    expect(await drawn('marks=true')).toContain('"mark"');
    expect(await drawn('')).toBe(await drawn('marks=true'));
    await it.post(`/executions/${id}/approve`, { decision: 'approved' });
    expect(await drawn('marks=false')).toBe(before);
    expect(JSON.parse(await drawn('marks=perhaps'))).toMatchObject({ error: expect.stringContaining('marks') });
  });
});
