import { describe, expect, it } from 'vitest';
import type { CronJob, CronJobList } from '../../../src/api/operations/cron.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api, ECHO, ECHO_TOOLS, REVIEW } from '../support/api.ts';

const MINUTE = 60_000;
const NIGHTLY = { name: 'nightly', cron_expression: '0 2 * * *', workflow_id: 'echo' };

/** The clock is at 2026-03-12T10:00:00Z. */
async function withEcho(options: Parameters<typeof api>[0] = {}): Promise<Api> {
  const made = await api({ tools: ECHO_TOOLS, ...options });
  await made.post('/workflows', { ir: ECHO });
  await made.post('/workflows', { ir: REVIEW });
  return made;
}

async function job({ get }: Api, name: string): Promise<CronJob> {
  return (await get(`/cron/${name}`)).body as unknown as CronJob;
}

describe('POST /cron', () => {
  it('returns the job and its next run', async () => {
    const { post } = await withEcho();
    const { status, body } = await post('/cron', { ...NIGHTLY, input: { n: 1 }, timezone: 'Europe/Berlin' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      name: 'nightly',
      cron_expression: '0 2 * * *',
      timezone: 'Europe/Berlin',
      workflow_id: 'echo',
      workflow_version: null,
      input: { n: 1 },
      enabled: true,
      missed: 'skip',
      overlap: 'allow',
      next_run_at: '2026-03-13T01:00:00.000Z',
      last_run_at: null,
      last_execution_id: null,
      last_error: null,
      created_at: '2026-03-12T10:00:00.000Z',
    });
  });

  it('replaces the job of the same name', async () => {
    const made = await withEcho();
    const first = (await made.post('/cron', NIGHTLY)).body as unknown as CronJob;
    await made.post('/cron', { ...NIGHTLY, cron_expression: '@hourly', workflow_version: '1.0.0' });
    const { cron_jobs } = (await made.get('/cron')).body as unknown as CronJobList;
    expect(cron_jobs).toMatchObject([{ name: 'nightly', cron_expression: '@hourly', workflow_version: '1.0.0' }]);
    expect(cron_jobs[0]?.id).not.toBe(first.id);
  });

  it.each([
    [{ name: undefined }, 'name is required'],
    [{ name: '' }, 'name must not be empty'],
    [{ name: '..' }, 'name must not be "..": it cannot be used in a URL'],
    [{ name: 'a\u0000b' }, 'name must not be "a\\u0000b": it cannot be used in a URL'],
    [{ name: 'a\ud800' }, 'name has text that is not valid Unicode (an unpaired surrogate)'],
    [{ cron_expression: undefined }, 'cron_expression is required'],
    [{ cron_expression: 'x y z a b' }, 'invalid cron expression: configuration entry 1 (x) contains illegal characters.'],
    [
      { cron_expression: '* * * * * *' },
      'invalid cron expression: 6 fields instead of 5 (minute, hour, day of month, month, day of week; there are no seconds)',
    ],
    [{ cron_expression: '2030-01-01T00:00:00' }, expect.stringMatching(/^invalid cron expression: 1 fields instead of 5/)],
    [{ cron_expression: '61 * * * *' }, 'invalid cron expression: invalid value for the minute'],
    [{ cron_expression: '0 0 30 2 *' }, 'invalid cron expression: no date ever matches it'],
    [{ cron_expression: '@reboot' }, expect.stringMatching(/^invalid cron expression: @reboot is not supported/)],
    [{ timezone: 'Berlin' }, 'unknown time zone: Berlin (write an IANA name such as Europe/Berlin)'],
    [{ timezone: '+02:00' }, 'unknown time zone: +02:00 (write an IANA name such as Europe/Berlin)'],
    [{ workflow_id: 'nothing' }, 'workflow nothing is not registered'],
    [{ workflow_version: '9' }, 'workflow echo v9 is not registered'],
    [{ missed: 'run' }, 'missed must be one of skip, catch_up'],
    [{ overlap: 'kill' }, 'overlap must be one of allow, skip, cancel_running'],
    [{ enabled: 'yes' }, 'enabled must be true or false'],
  ])('refuses %j', async (change, error) => {
    const { post, get } = await withEcho();
    const { status, body } = await post('/cron', { ...NIGHTLY, ...change });
    expect(status).toBe(400);
    expect(body.error.replace(/^bad request: /, '')).toEqual(error);
    expect((await get('/cron')).body).toEqual({ cron_jobs: [] });
  });

  it('accepts null for optional fields, and an empty version as none', async () => {
    const { post } = await withEcho();
    const nulls = { timezone: null, missed: null, overlap: null, enabled: null, input: null };
    const { status, body } = await post('/cron', { ...NIGHTLY, ...nulls, workflow_version: '' });
    expect([status, body]).toEqual([201, expect.objectContaining({ timezone: 'UTC', workflow_version: null, enabled: true })]);
  });
});

describe('cron jobs', () => {
  it('are listed by name, and returned one by one', async () => {
    const made = await withEcho();
    for (const name of ['b', 'ä/ö', 'a']) await made.post('/cron', { ...NIGHTLY, name });
    const { cron_jobs } = (await made.get('/cron')).body as unknown as CronJobList;
    expect(cron_jobs.map((each) => each.name)).toEqual(['a', 'b', 'ä/ö']);
    expect(await job(made, encodeURIComponent('ä/ö'))).toMatchObject({ name: 'ä/ö' });
  });

  it('are listed to the last one', async () => {
    const made = await withEcho();
    const names = Array.from({ length: 120 }, (_, i) => `job ${String(i).padStart(3, '0')}`);
    for (const name of names) await made.post('/cron', { ...NIGHTLY, name });
    const { cron_jobs } = (await made.get('/cron')).body as unknown as CronJobList;
    expect(cron_jobs.map((each) => each.name)).toEqual(names);
  });

  it('are deleted once', async () => {
    const { post, call, get } = await withEcho();
    await post('/cron', NIGHTLY);
    expect((await call('DELETE', '/cron/nightly')).body).toEqual({ name: 'nightly', deleted: true });
    const again = await call('DELETE', '/cron/nightly');
    expect([again.status, again.body.error]).toEqual([404, 'not found: cron job nightly']);
    expect((await get('/cron')).body).toEqual({ cron_jobs: [] });
  });

  it('that do not exist are a 404 on every route', async () => {
    const { call } = await withEcho();
    for (const [method, path] of EACH) {
      const { status, body } = await call(method, `/cron/nightly${path}`);
      expect([method, path, status, body.error]).toEqual([method, path, 404, 'not found: cron job nightly']);
    }
  });

  it('belong to a tenant', async () => {
    const made = await withEcho();
    await made.post('/cron', { ...NIGHTLY, enabled: false });
    const before = await job(made, 'nightly');
    const headers = { authorization: `Bearer ${await foreign(made)}` };
    const asForeigner = { as: null, headers };
    for (const [method, path] of EACH) {
      const { status, body } = await made.call(method, `/cron/nightly${path}`, asForeigner);
      expect([method, path, status, body.error]).toEqual([method, path, 404, 'not found: cron job nightly']);
    }
    expect((await made.get('/cron', asForeigner)).body).toEqual({ cron_jobs: [] });
    const unregistered = await made.post('/cron', NIGHTLY, asForeigner);
    expect([unregistered.status, unregistered.body.error]).toEqual([400, 'bad request: workflow echo is not registered']);
    await made.post('/workflows', { ir: ECHO }, asForeigner);
    expect((await made.post('/cron', NIGHTLY, asForeigner)).status).toBe(201);
    await made.call('DELETE', '/cron/nightly', asForeigner);
    expect(await job(made, 'nightly')).toEqual(before);
  });

  it('are read by every role and changed by developers and operators', async () => {
    const { call, post } = await withEcho();
    for (const as of ['viewer', 'reviewer', 'developer', 'operator'] as const) {
      const writes = as === 'developer' || as === 'operator';
      expect([as, (await post('/cron', NIGHTLY, { as })).status]).toEqual([as, writes ? 201 : 403]);
    }
    for (const as of ['viewer', 'reviewer', 'developer', 'operator'] as const) {
      const writes = as === 'developer' || as === 'operator';
      expect((await call('GET', '/cron', { as })).status).toBe(200);
      expect((await call('GET', '/cron/nightly', { as })).status).toBe(200);
      for (const verb of ['pause', 'resume', 'trigger']) {
        const { status } = await call('POST', `/cron/nightly/${verb}`, { as });
        expect([as, verb, status]).toEqual([as, verb, writes ? (verb === 'trigger' ? 201 : 200) : 403]);
      }
      if (!writes) expect((await call('DELETE', '/cron/nightly', { as })).status).toBe(403);
    }
    expect((await call('GET', '/cron', { as: null })).status).toBe(401);
  });
});

const EACH = [
  ['GET', ''],
  ['POST', '/pause'],
  ['POST', '/resume'],
  ['POST', '/trigger'],
  ['DELETE', ''],
] as const;

async function foreign({ post, token }: Api): Promise<string> {
  await post('/tenants', { id: 'acme', name: 'Acme' }, { as: 'operator' });
  return token('developer', { tenantId: 'acme' });
}

describe('a job', () => {
  it('starts its workflow at its times, with its input and labels', async () => {
    const made = await withEcho({ background: true });
    await made.post('/cron', { ...NIGHTLY, cron_expression: '*/5 * * * *', input: { n: 7 } });
    expect((await job(made, 'nightly')).next_run_at).toBe('2026-03-12T10:05:00.000Z');
    made.clock.advance(5 * MINUTE);
    await eventually(async () => (await job(made, 'nightly')).last_run_at !== null);
    const ran = await job(made, 'nightly');
    expect(ran).toMatchObject({
      next_run_at: '2026-03-12T10:10:00.000Z',
      last_run_at: '2026-03-12T10:05:00.000Z',
      last_error: null,
    });
    const execution = await made.settled(ran.last_execution_id ?? '');
    expect(execution).toMatchObject({
      status: 'completed',
      input: { n: 7 },
      labels: { 'jamjet.cron': 'nightly', 'jamjet.cron.scheduled_at': '2026-03-12T10:05:00.000Z' },
    });
    expect((await made.log(execution.executionId))[0]).toMatchObject({ actorId: 'cron:nightly' });
    made.clock.advance(5 * MINUTE);
    await eventually(async () => (await job(made, 'nightly')).next_run_at === '2026-03-12T10:15:00.000Z');
    expect((await made.get('/executions')).body.executions).toHaveLength(2);
  });

  it('does not run while it is paused, and continues with the next time when it is resumed', async () => {
    const made = await withEcho({ background: true });
    await made.post('/cron', { ...NIGHTLY, cron_expression: '*/5 * * * *', missed: 'catch_up' });
    const paused = await made.post('/cron/nightly/pause');
    expect([paused.status, paused.body]).toEqual([200, expect.objectContaining({ enabled: false, next_run_at: null })]);
    expect((await made.post('/cron/nightly/pause')).status).toBe(200);
    made.clock.advance(61 * MINUTE);
    const resumed = await made.post('/cron/nightly/resume');
    expect(resumed.body).toMatchObject({ enabled: true, next_run_at: '2026-03-12T11:05:00.000Z' });
    expect((await made.get('/executions')).body.executions).toEqual([]);
    made.clock.advance(4 * MINUTE);
    await eventually(async () => (await job(made, 'nightly')).last_run_at === '2026-03-12T11:05:00.000Z');
    expect((await made.get('/executions')).body.executions).toHaveLength(1);
  });

  it('created with enabled: false has no next run', async () => {
    const { post } = await withEcho();
    expect((await post('/cron', { ...NIGHTLY, enabled: false })).body).toMatchObject({ enabled: false, next_run_at: null });
  });

  it('is triggered outside its schedule, once per idempotency key', async () => {
    const made = await withEcho();
    await made.post('/cron', { ...NIGHTLY, enabled: false, input: { n: 3 } });
    const headers = { 'idempotency-key': 'now' };
    const { status, body } = await made.post('/cron/nightly/trigger', undefined, { headers });
    expect(status).toBe(201);
    expect((await made.settled(body.execution_id)).input).toEqual({ n: 3 });
    const again = await made.post('/cron/nightly/trigger', undefined, { headers });
    expect([again.body.execution_id, again.headers['idempotency-replayed']]).toEqual([body.execution_id, 'true']);
    expect(await job(made, 'nightly')).toMatchObject({ last_execution_id: body.execution_id, next_run_at: null });
    expect((await made.log(body.execution_id))[0]).toMatchObject({ actorId: 'developer' });
  });

  it('leaves a sealed audit entry for every change', async () => {
    const made = await withEcho();
    await made.post('/cron', NIGHTLY);
    for (const verb of ['pause', 'resume', 'trigger']) await made.post(`/cron/nightly/${verb}`);
    await made.call('DELETE', '/cron/nightly');
    expect(await made.store.verifyAudit()).toMatchObject({ fault: null });
  });
});
