import { describe, expect, it } from 'vitest';
import type { Job, JobList } from '../../../src/api/operations/jobs.ts';
import type { Role } from '../../../src/server/tokens.ts';
import { editLog } from '../../support/edit-log.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, type ApiOptions, api, type CallOptions, ECHO, ECHO_TOOLS, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { asTenant, createTenant } from '../support/tenants.ts';

type JobReply = { readonly status: number; readonly body: Job & JobList & { readonly error: string; readonly code: string } };
type Jobs = Omit<Api, 'get' | 'post'> & {
  get(url: string, options?: CallOptions): Promise<JobReply>;
  post(url: string, body?: unknown, options?: CallOptions): Promise<JobReply>;
  executions: Api['get'];
};

async function bench(options: ApiOptions = {}): Promise<Jobs> {
  const it = await api({ background: true, tools: { ...ECHO_TOOLS, fail: broken }, ...options });
  for (const ir of [REVIEW, ECHO, FAILING]) await it.post('/workflows', { ir });
  return { ...it, executions: it.get } as unknown as Jobs;
}

/** Fails as long as `broken.yes`. */
let isBroken = true;
function broken(): object {
  if (isBroken) throw Object.assign(new Error('out of order'), { retryable: false });
  return { fixed: true };
}

const FAILING = {
  workflow_id: 'failing',
  version: '1.0.0',
  nodes: { work: { kind: { type: 'tool', tool_ref: 'fail' } } },
  edges: [{ from: 'work', to: 'end' }],
};

async function start(
  { call, settled }: Jobs,
  workflow_id: string,
  more: object = {},
  options: CallOptions = {},
): Promise<string> {
  const { body } = await call('POST', '/executions', { ...options, body: { workflow_id, ...more } });
  if (options.as !== null) await settled(body.execution_id);
  return body.execution_id;
}

async function ended({ get }: Jobs, id: string): Promise<Job> {
  const { body } = await get(`/jobs/${id}?wait_ms=60000`);
  return body;
}

describe('POST /executions/bulk', () => {
  it('cancels matching executions on behalf of the caller', async () => {
    const it = await bench();
    const reviews = [
      await start(it, 'review'),
      await start(it, 'review', { labels: { keep: 'yes' } }),
      await start(it, 'review'),
    ];
    const echo = await start(it, 'echo');
    const { status, body } = await it.post('/executions/bulk', {
      action: 'cancel',
      filter: { workflow_id: 'review', status: 'running, paused' },
      reason: 'recalled',
    });
    expect([status, body]).toMatchObject([
      202,
      {
        id: expect.stringMatching(/^job_[0-9a-f]{32}$/),
        action: 'cancel',
        filter: { workflow_id: 'review', status: ['running', 'paused'] },
        reason: 'recalled',
        status: 'running',
        matched: null,
        processed: 0,
        errors: [],
        completed_at: null,
        created_by: 'developer',
      },
    ]);
    expect(body.job_id).toBe(body.id);
    expect(await ended(it, body.id)).toMatchObject({
      status: 'completed',
      matched: 3,
      processed: 3,
      succeeded: 3,
      skipped: 0,
      failed: 0,
      completed_at: expect.stringMatching(/Z$/),
    });
    for (const id of reviews) {
      const event = (await it.log(id)).at(-1);
      expect(event).toMatchObject({
        type: 'workflow_cancelled',
        actorId: 'developer',
        data: { reason: `recalled (${body.id})` },
      });
    }
    expect((await it.executions(`/executions/${echo}`)).body.status).toBe('completed');
  });

  it('skips executions to which it does not apply', async () => {
    const it = await bench();
    await start(it, 'echo');
    await start(it, 'review');
    const { body } = await it.post('/executions/bulk', { action: 'cancel', filter: {}, all: true });
    expect(await ended(it, body.id)).toMatchObject({ filter: {}, matched: 2, processed: 2, succeeded: 1, skipped: 1, failed: 0 });
  });

  it('does not act on executions started after it', async () => {
    const it = await bench({ background: false });
    const before = await start(it, 'review');
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true });
    const after = await start(it, 'review');
    await it.control.start();
    expect(await ended(it, body.id)).toMatchObject({ matched: 1, succeeded: 1 });
    expect((await it.executions(`/executions/${before}`)).body.status).toBe('cancelled');
    expect((await it.executions(`/executions/${after}`)).body.status).toBe('paused');
  });

  it('pauses and resumes', async () => {
    const it = await bench();
    const id = await start(it, 'review');
    const paused = await it.post('/executions/bulk', { action: 'pause', filter: { status: 'paused' } });
    expect(await ended(it, paused.body.id)).toMatchObject({ succeeded: 1 });
    expect((await it.runtime.execution('default', id)).suspended).toEqual({ reason: paused.body.id });
    const again = await it.post('/executions/bulk', { action: 'pause', filter: { workflow_id: 'review' } });
    expect(await ended(it, again.body.id)).toMatchObject({ succeeded: 0, skipped: 1 });
    const resumed = await it.post('/executions/bulk', { action: 'resume', filter: { status: ['paused'] } });
    expect(await ended(it, resumed.body.id)).toMatchObject({ succeeded: 1 });
    expect((await it.runtime.execution('default', id)).suspended).toBeNull();
  });

  it('retries failed executions', async () => {
    const it = await bench();
    isBroken = true;
    const ids = [await start(it, 'failing'), await start(it, 'failing')];
    isBroken = false;
    const { body } = await it.post('/executions/bulk', { action: 'retry', filter: { status: 'failed' } });
    expect(await ended(it, body.id)).toMatchObject({ succeeded: 2, skipped: 0 });
    for (const id of ids) expect((await it.settled(id)).status).toBe('completed');
  });

  it('tells what has become of what it retried', async () => {
    let repairs = 0;
    let proceed = (): void => {};
    const paused = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const tools = {
      ...ECHO_TOOLS,
      fail: broken,
      // In the order of the retries: completes, waits, fails again.
      late: async ({ n }: { n: number }) => {
        if (repairs === 0) throw Object.assign(new Error(`order ${n} is late`), { retryable: false });
        if (n === 2) await paused;
        if (n > 2) throw Object.assign(new Error(`order ${n} is late again`), { retryable: false });
        return { done: n };
      },
    };
    const it = await bench({ tools });
    await it.post('/workflows', {
      ir: {
        workflow_id: 'late',
        version: '1.0.0',
        nodes: { work: { kind: { type: 'tool', tool_ref: 'late', input_mapping: { n: 'state.n' } } } },
        edges: [{ from: 'work', to: 'end' }],
      },
    });
    const ids: string[] = [];
    for (const n of [1, 2, 3, 4]) ids.push(await start(it, 'late', { input: { n }, labels: { batch: 'first' } }));
    await start(it, 'late', { input: { n: 5 } });
    repairs = 1;
    const { body } = await it.post('/executions/bulk', {
      action: 'retry',
      filter: { status: 'failed', label: 'batch:first' },
    });
    expect(body.outcomes).toMatchObject({ completed: 0, failed: 0, running: 0, removed: 0, errors: [] });
    const all = await ended(it, body.id);
    expect(all).toMatchObject({ status: 'completed', succeeded: 4 });
    for (const id of [ids[0], ids[2], ids[3]]) await it.settled(id ?? '');
    expect((await it.get(`/jobs/${body.id}`)).body.outcomes).toEqual({
      completed: 1,
      failed: 2,
      cancelled: 0,
      limit_exceeded: 0,
      running: 1,
      paused: 0,
      removed: 0,
      running_execution_id: ids[1],
      errors: [
        {
          error: 'work: order # is late again',
          count: 2,
          workflow_ids: ['late'],
          example_execution_id: ids[3],
          example_error: 'work: order 4 is late again',
          newest_at: expect.stringMatching(/Z$/),
        },
      ],
    });
    proceed();
    await it.settled(ids[1] ?? '');
    expect((await it.get(`/jobs/${body.id}`)).body.outcomes).toMatchObject({
      completed: 2,
      failed: 2,
      running: 0,
      running_execution_id: null,
    });
    // A later retry of the same executions counts for both jobs; lists do not count.
    repairs = 0;
    const second = await it.post('/executions/bulk', { action: 'retry', filter: { status: 'failed', workflow_id: 'late' } });
    expect(await ended(it, second.body.id)).toMatchObject({ succeeded: 3 });
    for (const { outcomes } of (await it.get('/jobs')).body.jobs) expect(outcomes).toBeNull();
  });

  it('tells nothing of what it did not retry', async () => {
    const it = await bench();
    await start(it, 'review');
    const cancelled = await it.post('/executions/bulk', { action: 'cancel', all: true });
    expect(await ended(it, cancelled.body.id)).toMatchObject({ succeeded: 1, outcomes: null });
    const retried = await it.post('/executions/bulk', { action: 'retry', filter: { status: 'cancelled' } });
    expect(await ended(it, retried.body.id)).toMatchObject({ skipped: 1, outcomes: { completed: 0, removed: 0 } });
  });

  it('continues over several pages', async () => {
    const it = await bench();
    for (let n = 0; n < 150; n += 1) await start(it, 'review', { labels: n % 2 === 0 ? { odd: 'no' } : { odd: 'yes' } });
    const { body } = await it.post('/executions/bulk', { action: 'cancel', filter: { label: 'odd:no' } });
    expect(await ended(it, body.id)).toMatchObject({ matched: 75, processed: 75, succeeded: 75 });
    expect((await it.executions('/executions?status=paused&limit=200')).body.executions).toHaveLength(75);
  });

  it('acts on named executions, whatever their status, and reports unknown ones', async () => {
    const it = await bench();
    await createTenant(it as unknown as Api, 'acme');
    const acme = await asTenant(it as unknown as Api, 'acme');
    await it.post('/workflows', { ir: REVIEW }, acme);
    const foreign = await start(it, 'review', {}, acme);
    const [first, other, ended_] = [await start(it, 'review'), await start(it, 'review'), await start(it, 'echo')];
    const execution_ids = [first, first.replace('exec_', ''), ended_, UNKNOWN_EXECUTION, foreign];
    const { status, body } = await it.post('/executions/bulk', { action: 'cancel', filter: { execution_ids } });
    const ids = [...new Set([first, ended_, UNKNOWN_EXECUTION, foreign])].sort();
    expect([status, body.filter]).toEqual([202, { execution_ids: ids }]);
    const job = await ended(it, body.id);
    expect(job).toMatchObject({ status: 'completed', matched: 4, processed: 4, succeeded: 1, skipped: 1, failed: 2 });
    expect(job.errors).toEqual(
      [UNKNOWN_EXECUTION, foreign].sort().map((id) => ({ execution_id: id, error: `execution ${id} not found` })),
    );
    expect((await it.executions(`/executions/${first}`)).body.status).toBe('cancelled');
    expect((await it.executions(`/executions/${other}`)).body.status).toBe('paused');
  });

  it('acts on hundreds of named executions in pages', async () => {
    const it = await bench();
    const execution_ids: string[] = [];
    for (let n = 0; n < 130; n += 1) execution_ids.push(await start(it, 'review'));
    const { body } = await it.post('/executions/bulk', { action: 'pause', filter: { execution_ids: execution_ids.slice(1) } });
    expect(await ended(it, body.id)).toMatchObject({ matched: 129, processed: 129, succeeded: 129 });
    expect((await it.runtime.execution('default', execution_ids[0] ?? '')).suspended).toBeNull();
  });

  it('retries what failed with an error', async () => {
    const it = await bench();
    isBroken = true;
    const ids = [await start(it, 'failing'), await start(it, 'failing')];
    isBroken = false;
    const none = await it.post('/executions/bulk', { action: 'retry', filter: { error: 'work: in order' } });
    expect(await ended(it, none.body.id)).toMatchObject({ matched: 0, processed: 0 });
    const { body } = await it.post('/executions/bulk', { action: 'retry', filter: { error: 'work: out of order' } });
    expect(body.filter).toEqual({ status: ['failed'], error: 'work: out of order' });
    expect(await ended(it, body.id)).toMatchObject({ matched: 2, succeeded: 2 });
    for (const id of ids) expect((await it.settled(id)).status).toBe('completed');
  });

  it('reports failures, and continues with the others', async () => {
    const it = await bench();
    isBroken = true;
    const damaged = await start(it, 'failing');
    await start(it, 'failing');
    isBroken = false;
    editLog(it.path, damaged, () => null);
    const { body } = await it.post('/executions/bulk', { action: 'retry', all: true });
    expect(await ended(it, body.id)).toMatchObject({
      status: 'completed',
      succeeded: 1,
      failed: 1,
      errors: [{ execution_id: damaged, error: expect.not.stringContaining(it.path) }],
    });
  });

  it.each([
    [{}, 'action is required'],
    [{ action: 'delete', all: true }, 'action must be one of cancel, retry, pause, resume'],
    [{ action: 'cancel' }, 'an empty filter selects every execution: add "all": true to confirm'],
    [{ action: 'cancel', filter: {} }, 'an empty filter selects every execution: add "all": true to confirm'],
    [{ action: 'cancel', filter: null, all: false }, 'an empty filter selects every execution: add "all": true to confirm'],
    [{ action: 'cancel', filter: { workflow: 'x' } }, 'filter has no workflow'],
    [{ action: 'cancel', all: true, dry_run: true }, 'the body has no dry_run'],
    [
      { action: 'cancel', filter: { status: 'alive' } },
      'status must be one of pending, running, paused, completed, failed, cancelled, limit_exceeded',
    ],
    [
      { action: 'cancel', filter: { created_after: 'noon' } },
      'created_after must be a time like 2026-03-12T10:00:00Z, not "noon"',
    ],
    [{ action: 'cancel', filter: { workflow_version: '1' } }, 'workflow_version needs workflow_id'],
    [
      { action: 'cancel', filter: { execution_ids: [UNKNOWN_EXECUTION, 'exec_1'] } },
      'execution_ids[1]: "exec_1" is not the id of an execution',
    ],
    [
      { action: 'cancel', filter: { execution_ids: [UNKNOWN_EXECUTION], status: 'paused' } },
      'execution_ids cannot be combined with other conditions',
    ],
    [{ action: 'cancel', filter: { execution_ids: [] } }, 'filter.execution_ids must not be empty'],
  ])('refuses %j', async (request, error) => {
    const { post, get } = await bench();
    const { status, body } = await post('/executions/bulk', request);
    expect([status, body.error]).toEqual([400, `bad request: ${error}`]);
    expect((await get('/jobs')).body.jobs).toEqual([]);
  });

  it('refuses more than 1,000 names of executions', async () => {
    const { post } = await bench();
    const filter = { execution_ids: Array(1_001).fill(UNKNOWN_EXECUTION) };
    const { status, body } = await post('/executions/bulk', { action: 'cancel', filter });
    expect([status, body.error]).toEqual([400, 'bad request: filter.execution_ids must not have more than 1000 items']);
  });

  it('is open to writing roles', async () => {
    const it = await bench();
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true });
    const roles: readonly (readonly [Role, number])[] = [
      ['operator', 202],
      ['developer', 202],
      ['reviewer', 403],
      ['viewer', 403],
    ];
    for (const [role, status] of roles) {
      expect((await it.post('/executions/bulk', { action: 'cancel', all: true }, { as: role })).status).toBe(status);
      expect((await it.get('/jobs', { as: role })).status).toBe(200);
      expect((await it.get(`/jobs/${body.id}`, { as: role })).status).toBe(200);
      expect((await it.post(`/jobs/${body.id}/cancel`, undefined, { as: role })).status).toBe(status === 202 ? 409 : 403);
    }
    expect((await it.get('/jobs', { as: null })).status).toBe(401);
  });
});

describe('bulk jobs', () => {
  it('are listed newest first, in pages', async () => {
    const { post, get } = await bench();
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.push((await post('/executions/bulk', { action: 'cancel', all: true })).body.id);
    const first = (await get('/jobs?limit=2')).body;
    expect(first).toMatchObject({ jobs: [{ id: ids[2] }, { id: ids[1] }], limit: 2 });
    const second = (await get(`/jobs?limit=2&cursor=${first.next_cursor}`)).body;
    expect(second).toMatchObject({ jobs: [{ id: ids[0] }], next_cursor: null });
    expect((await get('/jobs?cursor=x')).body.error).toBe('bad request: cursor must be the next_cursor of an earlier page');
    expect((await get('/jobs?limit=x')).body.error).toBe('bad request: limit must be an integer');
  });

  it('are cancelled once, before they have handled everything', async () => {
    const it = await bench({ background: false });
    const id = await start(it, 'review');
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true });
    const waiting = ended(it, body.id);
    expect(await it.post(`/jobs/${body.id}/cancel`)).toMatchObject({ status: 200, body: { id: body.id, status: 'cancelled' } });
    expect(await waiting).toMatchObject({ status: 'cancelled' });
    expect((await it.post(`/jobs/${body.id}/cancel`)).body).toMatchObject({
      error: `conflict: job ${body.id} has already ended: cancelled`,
      code: 'conflict',
    });
    await it.control.start();
    const next = await it.post('/executions/bulk', { action: 'pause', all: true });
    await ended(it, next.body.id);
    expect((await it.executions(`/executions/${id}`)).body.status).toBe('paused');
  });

  it('of a tenant that is refused more work do not delay others', async () => {
    const hang = () => new Promise<never>(() => {});
    const it = await bench({ maxPending: 2, tools: { hang } });
    await createTenant(it as unknown as Api, 'acme');
    const acme = await asTenant(it as unknown as Api, 'acme', 'operator');
    const hanging = { ...FAILING, workflow_id: 'hanging', nodes: { work: { kind: { type: 'tool', tool_ref: 'hang' } } } };
    for (const ir of [REVIEW, hanging]) await it.post('/workflows', { ir }, acme);
    const start = async (workflow_id: string) =>
      ((await it.post('/executions', { workflow_id }, acme)).body as unknown as { execution_id: string }).execution_id;
    const paused = await start('review');
    await it.post(`/executions/${paused}/pause`, {}, acme);
    const hangs = [await start('hanging'), await start('hanging'), await start('hanging')];
    const waits = (await it.post('/executions/bulk', { action: 'resume', all: true }, acme)).body.id;
    const status = async () => (await it.get(`/jobs/${waits}`, acme)).body.status;
    await eventually(() => it.errors.length > 0);

    const other = await it.post('/executions/bulk', { action: 'resume', all: true });
    // The stopped clock does not wake it.
    expect(await ended(it, other.body.id)).toMatchObject({ status: 'completed' });
    expect(await status()).toBe('running');
    for (const id of hangs) await it.post(`/executions/${id}/cancel`, {}, acme);
    await eventually(async () => {
      it.clock.advance(5_000);
      return (await status()) === 'completed';
    });
    expect(it.errors.splice(0).every((error) => (error as { code?: string }).code === 'overloaded')).toBe(true);
  });

  it('reply at once to a wait for progress that has been made', async () => {
    const it = await bench({ background: false });
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true });
    const wait = (after: string) => it.get(`/jobs/${body.id}?wait_ms=60000&updated_after=${encodeURIComponent(after)}`);
    const before = new Date(Date.parse(body.updated_at) - 1).toISOString();
    expect((await wait(before)).body).toMatchObject({ id: body.id, status: 'running' });
    expect(await wait('soon')).toMatchObject({ status: 400 });
  });

  it('reply to a wait for progress when it is made', async () => {
    const it = await bench();
    const hanging = await start(it, 'review');
    // Its progress is that it has counted, and then that it has ended.
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true });
    it.clock.advance(1);
    const replies = [body];
    for (let job = body; job.status === 'running'; replies.push(job))
      ({ body: job } = await it.get(`/jobs/${body.id}?wait_ms=60000&updated_after=${encodeURIComponent(job.updated_at)}`));
    expect(replies.at(-1)).toMatchObject({ status: 'completed', matched: 1, processed: 1 });
    expect(await it.settled(hanging)).toMatchObject({ status: 'cancelled' });
  });

  it('reply to a wait after its time, ended or not', async () => {
    const it = await bench({ background: false });
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true });
    let answered = false;
    const waiting = it.get(`/jobs/${body.id}?wait_ms=5000`).finally(() => {
      answered = true;
    });
    await eventually(async () => {
      it.clock.advance(100);
      return answered;
    });
    expect((await waiting).body).toMatchObject({ status: 'running' });
  });

  it.each([UNKNOWN_EXECUTION, 'job_0', `job_${'0'.repeat(32)}`, '%20'])('return 404 for %s', async (id) => {
    const { get, post } = await bench();
    for (const reply of [await get(`/jobs/${id}`), await post(`/jobs/${id}/cancel`)])
      expect([reply.status, reply.body.error]).toEqual([404, `not found: job ${decodeURIComponent(id)}`]);
  });

  it('belong to a tenant, and act on its executions only', async () => {
    const it = await bench();
    await createTenant(it as unknown as Api, 'acme');
    const acme = await asTenant(it as unknown as Api, 'acme');
    await it.call('POST', '/workflows', { ...acme, body: { ir: REVIEW } });
    const mine = await start(it, 'review');
    const theirs = await start(it, 'review', {}, acme);
    const { body } = await it.post('/executions/bulk', { action: 'cancel', all: true }, acme);
    await eventually(async () => (await it.get(`/jobs/${body.id}`, acme)).body.status === 'completed');
    expect((await it.get(`/jobs/${body.id}`, acme)).body).toMatchObject({ matched: 1, succeeded: 1 });
    expect((await it.executions(`/executions/${theirs}`, acme)).body.status).toBe('cancelled');
    expect((await it.executions(`/executions/${mine}`)).body.status).toBe('paused');
    expect((await it.get('/jobs')).body.jobs).toEqual([]);
    expect((await it.get(`/jobs/${body.id}`)).body.error).toBe(`not found: job ${body.id}`);
    expect((await it.post(`/jobs/${body.id}/cancel`)).body.error).toBe(`not found: job ${body.id}`);
  });
});
