import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { editLog } from '../../support/edit-log.ts';
import { api, ECHO, ECHO_TOOLS, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { json, sequenceOf, THREE_NODES, work } from '../support/history.ts';
import { READERS } from '../support/roles.ts';
import { createTenant } from '../support/tenants.ts';

describe('GET /executions/:id/state', () => {
  it('returns for every sequence what a server that stopped there had stored', async () => {
    const it = await api();
    const id = await it.started(THREE_NODES, { n: 0 });
    const stored: JsonObject[] = [];
    const look = async (): Promise<void> => {
      const { status, state, sequence } = (await it.get(`/executions/${id}`)).body;
      stored.push({ status, state, sequence });
    };
    await look();
    await work(it, { n: 1 });
    await look();
    await work(it, { n: 2 });
    await look();
    await it.post(`/executions/${id}/approve`, { decision: 'approved', state_patch: { seen: true } });
    await look();
    const end = await sequenceOf(it, id);
    for (let at = 1; at <= end; at += 1) {
      const [status, { created_at: _at, active: _active, ...reply }] = await json(it.get(`/executions/${id}/state?at=${at}`));
      // A claim is a step of its own, which changes neither state nor status.
      const then = stored.findLast(({ sequence }) => Number(sequence) <= at) ?? stored[0];
      const { sequence, ...rest } = reply;
      expect([status, rest]).toEqual([200, { execution_id: id, requested: at, status: then?.status, state: then?.state }]);
      expect(Number(sequence)).toBeGreaterThanOrEqual(Number(then?.sequence));
    }
  });

  it('lists the nodes that were active, and the time', async () => {
    const it = await api();
    const id = await it.started(THREE_NODES);
    it.clock.advance(60_000);
    await work(it, { n: 1 });
    const [, first] = await json(it.get(`/executions/${id}/state?at=1`));
    expect(first).toMatchObject({
      sequence: 2,
      requested: 1,
      active: [{ node_id: 'first', phase: 'queued', attempt: 0, activation: 1 }],
    });
    const [, now] = await json(it.get(`/executions/${id}/state`));
    expect(now).toMatchObject({
      status: 'running',
      state: { first: { n: 1 } },
      active: [{ node_id: 'second', phase: 'queued' }],
    });
    expect(Date.parse(String(now.created_at)) - Date.parse(String(first.created_at))).toBe(60_000);
  });

  it('names the phases of nodes that await an approval by policy, or are deferred by a pause', async () => {
    const it = await api();
    const held = await it.started({ ...THREE_NODES, workflow_id: 'held', policy: { require_approval_for: ['*'] } });
    expect(await json(it.get(`/executions/${held}/state`))).toMatchObject([
      200,
      { active: [{ node_id: 'first', phase: 'held' }] },
    ]);
    const paused = await it.started({ ...THREE_NODES, workflow_id: 'paused' });
    await it.post(`/executions/${paused}/pause`);
    expect(await json(it.get(`/executions/${paused}/state`))).toMatchObject([
      200,
      { active: [{ node_id: 'first', phase: 'kept' }] },
    ]);
  });

  it.each(['0', '-1', '1.5', 'x', '999'])('refuses at=%s', async (at) => {
    const { get, started } = await api();
    const id = await started(REVIEW);
    const [status, { error }] = await json(get(`/executions/${id}/state?at=${at}`));
    expect(status).toBe(400);
    expect(error).toMatch(
      at === '999'
        ? /^bad request: sequence 999 is not in the log of execution exec_\w+, which goes from 1 to 3$/
        : /^bad request: at must/,
    );
  });

  it('shows a failure that a later retry reset', async () => {
    let fixed = false;
    const echo = (input: unknown): unknown => {
      if (!fixed) throw Object.assign(new Error('down'), { retryable: false });
      return input;
    };
    const it = await api({ tools: { echo } });
    const id = await it.started(ECHO);
    await it.settled(id);
    const failedAt = await sequenceOf(it, id);
    fixed = true;
    await it.post(`/executions/${id}/retry`);
    await it.settled(id);
    // The step of the retry has three events; within it, the failure is not reset yet.
    for (const at of [failedAt, failedAt + 1, failedAt + 2])
      expect(await json(it.get(`/executions/${id}/state?at=${at}`))).toMatchObject([
        200,
        { status: 'failed', sequence: failedAt },
      ]);
    expect(await json(it.get(`/executions/${id}/state?at=${failedAt + 3}`))).toMatchObject([
      200,
      { status: 'running', active: [{ node_id: 'echo', activation: 2, phase: 'running' }] },
    ]);
    expect(await json(it.get(`/executions/${id}/replay`))).toMatchObject([200, { matches: true }]);
  });
});

describe('GET /executions/:id/replay', () => {
  it('replays the log and matches what is stored', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const id = await it.started(ECHO, { text: 'x'.repeat(20_000) });
    await it.settled(id);
    const sequence = await sequenceOf(it, id);
    expect(await json(it.get(`/executions/${id}/replay`))).toEqual([
      200,
      { execution_id: id, events: sequence, sequence, matches: true },
    ]);
  });

  it('does not repeat work', async () => {
    let calls = 0;
    const it = await api({ tools: { echo: () => ({ n: ++calls }) } });
    const id = await it.started(ECHO);
    await it.settled(id);
    await it.get(`/executions/${id}/replay`);
    await it.get(`/executions/${id}/state?at=1`);
    expect(calls).toBe(1);
  });

  it('reports where a changed log differs from what is stored', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const id = await it.started(ECHO, { n: 1 });
    await it.settled(id);
    editLog(it.path, id, ({ data, ...event }) => ({ ...event, data: data.replace('"output":{"n":1}', '"output":{"n":2}') }));
    const [status, body] = await json(it.get(`/executions/${id}/replay`));
    expect([status, body]).toMatchObject([200, { matches: false, mismatch: { problem: expect.any(String) } }]);
  });
});

describe.each([
  ['GET', 'state'],
  ['GET', 'replay'],
  ['POST', 'fork'],
] as const)('%s /executions/:id/%s', (method, verb) => {
  const body = method === 'POST' ? { at_sequence: 1 } : undefined;

  it.each(READERS)('replies to %s by what the role may do', async (role) => {
    const { call, started } = await api();
    const id = await started(REVIEW);
    const { status } = await call(method, `/executions/${id}/${verb}`, { as: role, body });
    const writes = role === 'operator' || role === 'developer';
    const reads = role !== 'worker';
    expect(status).toBe(method === 'GET' ? (reads ? 200 : 403) : writes ? 201 : 403);
  });

  it('returns 404 for executions of another tenant and invalid ids', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    await createTenant(it, 'acme');
    const headers = { authorization: `Bearer ${await it.token('operator', { tenantId: 'acme' })}` };
    for (const name of [id, UNKNOWN_EXECUTION, 'nonsense']) {
      const reply = await it.call(method, `/executions/${name}/${verb}`, { as: null, headers, body });
      expect([reply.status, reply.body.error]).toEqual([404, `not found: execution ${name}`]);
      const late = { as: null, headers, body: { at_sequence: 60_000 } };
      expect((await it.call('POST', `/executions/${name}/fork`, late)).status).toBe(404);
    }
    expect((await it.get('/executions')).body.executions).toHaveLength(1);
  });
});

describe('many replays at once', () => {
  it('wait, are refused with 503 when too many wait, and do not delay other requests', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    const order: string[] = [];
    const asked = Array.from({ length: 40 }, async () => {
      const { status, headers } = await it.get(`/executions/${id}/replay`);
      order.push('replay');
      return [status, headers['retry-after']];
    });
    const health = it.get('/health').then(({ status }) => order.push(`health ${status}`));
    const answers = await Promise.all(asked);
    await health;
    expect(answers.filter(([status]) => status === 200)).toHaveLength(36);
    expect(answers.filter(([status]) => status !== 200)).toEqual(Array(4).fill([503, '1']));
    expect(order.indexOf('health 200')).toBeLessThan(36);
  });
});
