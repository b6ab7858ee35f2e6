import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { replayAll } from '../../support/replay-all.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api, ECHO, ECHO_TOOLS, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { json, sequenceOf, THREE_NODES, work } from '../support/history.ts';

describe('POST /executions/:id/fork', () => {
  it('continues from there on its own, and leaves the origin unchanged', async () => {
    const it = await api();
    const id = await it.started(THREE_NODES, { n: 0 });
    await work(it, { n: 1 });
    const at = await sequenceOf(it, id);
    await work(it, { n: 2 });
    await it.post(`/executions/${id}/approve`, { decision: 'approved' });
    const origin = (await it.get(`/executions/${id}`)).body;
    it.clock.advance(5_000);
    const [status, forked] = await json(it.post(`/executions/${id}/fork`, { at_sequence: at }));
    expect([status, forked]).toEqual([
      201,
      { execution_id: expect.stringMatching(/^exec_[0-9a-f]{32}$/), forked_from: { execution_id: id, sequence: at } },
    ]);
    const fork = String(forked.execution_id);
    expect((await it.get(`/executions/${fork}`)).body).toMatchObject({
      status: 'running',
      workflow_id: 'three',
      revision: origin.revision,
      state: { n: 0, first: { n: 1 } },
      labels: { team: 'blue', 'jamjet.fork.of': id, 'jamjet.fork.at': String(at) },
      forked_from: { execution_id: id, sequence: at },
    });
    expect(await work(it, { n: 2 })).toBe(fork);
    await it.post(`/executions/${fork}/approve`, { decision: 'approved' });
    const ended = (await it.get(`/executions/${fork}`)).body;
    expect([ended.status, ended.state, ended.steps_executed]).toEqual(['completed', origin.state, origin.steps_executed]);
    expect((await it.get(`/executions/${id}`)).body).toEqual(origin);
    expect('forked_from' in origin).toBe(false);
    const { executions } = (await it.get(`/executions?label=jamjet.fork.of:${id}`)).body;
    expect(executions).toMatchObject([{ execution_id: fork, forked_from: { execution_id: id, sequence: at } }]);
    expect(await json(it.get(`/executions/${fork}/replay`))).toMatchObject([200, { matches: true }]);
  });

  it('copies the log up to there, and records where the fork began', async () => {
    const it = await api();
    const id = await it.started(THREE_NODES);
    await work(it, { n: 1 });
    const at = await sequenceOf(it, id);
    it.clock.advance(5_000);
    const [, forked] = await json(it.post(`/executions/${id}/fork`, { at_sequence: at, state_patch: { first: { n: 7 } } }));
    const logOf = async (name: unknown) =>
      (await it.get(`/executions/${name}/events`)).body.events.map(({ sequence, type, node_id, created_at, data }) => ({
        sequence,
        type,
        node_id,
        created_at,
        data,
      }));
    const [before, after] = [await logOf(id), await logOf(forked.execution_id)];
    expect(after.slice(0, at)).toEqual(before);
    expect(after.slice(at).map(({ type }) => type)).toEqual(['workflow_forked', 'node_scheduled']);
    expect(after[at]?.data).toEqual({
      origin: { execution_id: id, sequence: at },
      state_patch: { first: { n: 7 } },
      decisions: [],
    });
    const [, then] = await json(it.get(`/executions/${forked.execution_id}/state?at=${at}`));
    expect(then).toMatchObject({ sequence: at, state: { first: { n: 1 } } });
    expect((await it.get(`/executions/${forked.execution_id}`)).body.state).toMatchObject({ first: { n: 7 } });
    const { events } = (await it.get(`/executions/${forked.execution_id}/events?type=WorkflowForked`)).body;
    expect(events).toHaveLength(1);
  });

  it('sets timers again from now, with their full length', async () => {
    const it = await api();
    const wait = { type: 'wait', condition: 'timer', timeout_secs: 100 };
    const id = await it.started({ ...PAYMENT, workflow_id: 'late', nodes: { pay: { kind: wait } } });
    it.clock.advance(90_000);
    const [, forked] = await json(it.post(`/executions/${id}/fork`, { at_sequence: 1 }));
    it.clock.advance(20_000);
    const statusOf = async (name: unknown) => (await it.get(`/executions/${name}`)).body.status;
    await eventually(async () => (await statusOf(id)) === 'completed');
    expect(await statusOf(forked.execution_id)).toBe('paused');
    it.clock.advance(80_000);
    await eventually(async () => (await statusOf(forked.execution_id)) === 'completed');
  });

  it('can be forked itself, and survives a restart that replays its log', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const id = await it.started(ECHO, { text: 'y'.repeat(20_000) });
    await it.settled(id);
    const [, once] = await json(it.post(`/executions/${id}/fork`, { at_sequence: 1, state_patch: { again: 1 } }));
    await it.settled(String(once.execution_id));
    const end = await sequenceOf(it, String(once.execution_id));
    const [, twice] = await json(
      it.post(`/executions/${once.execution_id}/fork`, { at_sequence: end - 3, state_patch: { again: 2 } }),
    );
    const ended = await it.settled(String(twice.execution_id));
    expect([ended.status, ended.state.again]).toEqual(['completed', 2]);
    await it.close();
    expect(await replayAll(it.path)).toEqual({ compared: 3, differing: [] });
  });

  it('keeps artifacts of its log when the origin is deleted', async () => {
    const it = await api({ tools: ECHO_TOOLS });
    const document = {
      ...THREE_NODES,
      workflow_id: 'big',
      nodes: { ...THREE_NODES.nodes, first: { kind: { type: 'tool', tool_ref: 'echo', output_key: 'first' } } },
    };
    const id = await it.started(document, { text: 'z'.repeat(20_000) });
    await eventually(async () => (await it.timeline(id)).includes('node_scheduled second'));
    const at = await sequenceOf(it, id);
    const [status, forked] = await json(it.post(`/executions/${id}/fork`, { at_sequence: at }));
    expect(status).toBe(201);
    await it.post(`/executions/${id}/cancel`);
    const context = { tenantId: 'default', atMs: it.clock.nowMs(), actorId: 't', actorType: 'system', request: null } as const;
    const { removed } = await it.store.retention.remove({ after: null, endedBeforeMs: it.clock.nowMs() + 1 }, context);
    expect(removed).toEqual([id]);
    it.runtime.forget(removed);
    const [, then] = await json(it.get(`/executions/${forked.execution_id}/state?at=${at}`));
    expect(JSON.stringify(then.state).length).toBeGreaterThan(40_000);
  });

  it('returns the same fork for the same key', async () => {
    const { post, started } = await api();
    const id = await started(EXTERNAL);
    const headers = { 'idempotency-key': 'k' };
    const first = await post(`/executions/${id}/fork`, { at_sequence: 1 }, { headers });
    const again = await post(`/executions/${id}/fork`, { at_sequence: 1, state_patch: {} }, { headers });
    expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true']);
    const other = await post(`/executions/${id}/fork`, { at_sequence: 2 }, { headers });
    expect([other.status, other.body.code]).toEqual([409, 'conflict']);
  });

  it('refuses the end of an ended execution, but no earlier point', async () => {
    const it = await api();
    const id = await it.started(REVIEW);
    await it.post(`/executions/${id}/approve`, { decision: 'rejected' });
    const end = await sequenceOf(it, id);
    expect(await json(it.post(`/executions/${id}/fork`, { at_sequence: end }))).toMatchObject([
      409,
      { error: `conflict: execution ${id} had ended at sequence ${end} (failed); fork from an earlier sequence` },
    ]);
    const [status, forked] = await json(it.post(`/executions/${id}/fork`, { at_sequence: end - 1 }));
    expect(status).toBe(201);
    await it.post(`/executions/${forked.execution_id}/approve`, { decision: 'approved' });
    expect((await it.settled(String(forked.execution_id))).status).toBe('completed');
  });

  it.each([
    [undefined, 'the body'],
    [{}, 'at_sequence'],
    [{ at_sequence: 0 }, 'at_sequence'],
    [{ at_sequence: '3' }, 'at_sequence'],
    [{ at_sequence: 1.5 }, 'at_sequence'],
    [{ at_sequence: 99 }, 'sequence 99 is not in the log'],
    [{ at_sequence: 60_000 }, 'more than 50000 events'],
    [{ at_sequence: 1, state_patch: [] }, 'state_patch'],
    [{ at_sequence: 1, state_patch: 'x' }, 'state_patch'],
    [{ at_sequence: 1, workflow_version: 5 }, 'workflow_version'],
    [{ at_sequence: 1, workflow_version: '' }, 'workflow_version'],
    [{ at_sequence: 1, dry_run: 'yes' }, 'dry_run'],
  ])('refuses %j', async (body, error) => {
    const { post, get, started } = await api();
    const id = await started(REVIEW);
    const reply = await post(`/executions/${id}/fork`, body);
    expect([reply.status, reply.body.error]).toEqual([400, expect.stringContaining(error)]);
    expect((await get('/executions')).body.executions).toHaveLength(1);
  });

  it('counts as a live execution of its tenant', async () => {
    const { call, post, started } = await api();
    const id = await started(REVIEW);
    await call('PUT', '/tenants/default', { as: 'operator', body: { limits: { max_concurrent_executions: 1 } } });
    const full = await post(`/executions/${id}/fork`, { at_sequence: 1 });
    expect(full).toMatchObject({ status: 429, body: { code: 'limit_exceeded_concurrency' } });
  });

  it('refuses the labels of forks on other executions', async () => {
    const { post, started } = await api();
    await started(REVIEW);
    const reply = await post('/executions', { workflow_id: 'review', labels: { 'jamjet.fork.of': UNKNOWN_EXECUTION } });
    expect([reply.status, reply.body.error]).toEqual([
      400,
      'bad request: label jamjet.fork.of is reserved: only the runtime sets labels that begin with jamjet.',
    ]);
  });

  it('is in the audit log with its actor', async () => {
    const { post, get, call, started } = await api();
    const id = await started(REVIEW);
    await call('POST', `/executions/${id}/fork`, { as: 'operator', body: { at_sequence: 1 } });
    const { body } = await get('/audit?event_type=workflow_forked', { as: 'operator' });
    expect((body as unknown as JsonObject).items).toMatchObject([{ event_type: 'workflow_forked', actor_id: 'operator' }]);
    expect((await post('/executions', { workflow_id: 'review' })).status).toBe(201);
  });
});

describe('a fork into another version', () => {
  const changed = (nodes: JsonObject, edges: readonly JsonObject[] = THREE_NODES.edges): JsonObject => ({
    ...THREE_NODES,
    version: '2.0.0',
    nodes,
    edges,
  });
  const { first, second, review } = THREE_NODES.nodes;

  async function afterFirst(document: JsonObject): Promise<{ readonly it: Api; readonly id: string; readonly at: number }> {
    const it = await api();
    const id = await it.started(THREE_NODES, { n: 0 });
    await work(it, { n: 1 });
    await it.post('/workflows', { ir: document });
    return { it, id, at: await sequenceOf(it, id) };
  }

  it('continues with the new version if the past is the same', async () => {
    const third = { kind: { type: 'python_fn', module: 'm', function: 'f', output_key: 'third' } };
    const edges = [
      { from: 'first', to: 'second' },
      { from: 'second', to: 'third' },
      { from: 'third', to: 'end' },
    ];
    const { it, id, at } = await afterFirst(changed({ first, second, third }, edges));
    const request = { at_sequence: at, workflow_version: '2.0.0' };
    expect(await json(it.post(`/executions/${id}/fork`, { ...request, dry_run: true }))).toEqual([
      200,
      { forked_from: { execution_id: id, sequence: at }, fits: true, decisions: [] },
    ]);
    expect((await it.get('/executions')).body.executions).toHaveLength(1);
    const [status, { execution_id: fork }] = await json(it.post(`/executions/${id}/fork`, request));
    expect(status).toBe(201);
    expect((await it.get(`/executions/${fork}`)).body).toMatchObject({ workflow_version: '2.0.0' });
    await it.post(`/executions/${id}/cancel`);
    await work(it, 2);
    await work(it, 3);
    expect((await it.settled(String(fork))).state).toEqual({ n: 0, first: { n: 1 }, second: 2, third: 3 });
    expect(await json(it.get(`/executions/${fork}/replay`))).toMatchObject([200, { matches: true }]);
  });

  it.each([
    [
      'a node that has gone',
      changed({ zero: first, second, review }, [
        { from: 'zero', to: 'second' },
        { from: 'second', to: 'review' },
      ]),
      'first',
      /which this version does not have|the replay gives/,
    ],
    [
      'another output',
      changed({ first: { kind: { ...first.kind, output_key: 'other' } }, second, review }),
      'first',
      /node_completed of node first, the replay gives it with other data \(output_key\)/,
    ],
    [
      'another way',
      changed({ first, second, review }, [
        { from: 'first', to: 'review' },
        { from: 'review', to: 'second' },
      ]),
      'second',
      /the replay gives/,
    ],
  ])('reports %s before anything is written', async (_what, document, node, problem) => {
    const { it, id, at } = await afterFirst(document);
    const request = { at_sequence: at, workflow_version: '2.0.0' };
    const mismatch = {
      sequence: expect.any(Number),
      type: expect.any(String),
      node_id: node,
      problem: expect.stringMatching(problem),
    };
    expect(await json(it.post(`/executions/${id}/fork`, { ...request, dry_run: true }))).toEqual([
      200,
      { forked_from: { execution_id: id, sequence: at }, fits: false, mismatch, decisions: [] },
    ]);
    const [status, body] = await json(it.post(`/executions/${id}/fork`, request));
    expect([status, body]).toEqual([
      409,
      {
        code: 'does_not_fit',
        error: expect.stringMatching(
          /^conflict: the log up to sequence \d+ does not replay with workflow three v2.0.0: event \d+: /,
        ),
        mismatch,
      },
    ]);
    expect((await it.get('/executions')).body.executions).toHaveLength(1);
  });

  it('returns 404 for a version that is not registered', async () => {
    const { post, started } = await api();
    const id = await started(REVIEW);
    const reply = await post(`/executions/${id}/fork`, { at_sequence: 1, workflow_version: '9' });
    expect([reply.status, reply.body.error]).toEqual([404, 'not found: workflow review v9']);
  });
});
