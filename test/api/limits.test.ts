import { describe, expect, it } from 'vitest';
import type { ToolContext, Tools } from '../../src/runtime/types/work.ts';
import { api, ECHO, EXTERNAL, REVIEW } from './support/api.ts';
import { asTenant, createTenant, OPERATOR, updateTenant } from './support/tenants.ts';

/** A tenant with these limits, and how to call as its developer. */
async function limited(limits: object, tools: Tools = {}) {
  const it = await api({ tools });
  await createTenant(it, 'acme', { limits });
  const acme = await asTenant(it, 'acme', 'developer');
  const register = (workflow_id: string, version = '1.0.0') =>
    it.post('/workflows', { ir: { ...REVIEW, workflow_id, version } }, acme);
  const start = (headers: Readonly<Record<string, string>> = {}) =>
    it.post('/executions', { workflow_id: 'review' }, { ...acme, headers: { ...acme.headers, ...headers } });
  return { ...it, it, acme, register, start };
}

describe('max_concurrent_executions', () => {
  it('refuses another one with 429 until one has ended', async () => {
    const { register, start, post, acme } = await limited({ max_concurrent_executions: 2 });
    await register('review');
    const first = await start();
    expect((await start()).status).toBe(201);
    const refused = await start();
    expect([refused.status, refused.body]).toEqual([
      429,
      {
        error: 'too many requests: tenant acme has 2 of at most 2 live executions (max_concurrent_executions)',
        code: 'limit_exceeded_concurrency',
      },
    ]);
    expect(refused.headers['retry-after']).toBe('1');
    await post(`/executions/${first.body.execution_id}/cancel`, {}, acme);
    expect((await start()).status).toBe(201);
    expect((await start()).status).toBe(429);
  });

  it('is exact when many start at once', async () => {
    const { register, start } = await limited({ max_concurrent_executions: 7 });
    await register('review');
    const statuses = (await Promise.all(Array.from({ length: 40 }, () => start()))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(7);
    expect(statuses.filter((status) => status === 429)).toHaveLength(33);
  });

  it('repeats the reply to an earlier start, even at the limit', async () => {
    const { register, start } = await limited({ max_concurrent_executions: 1 });
    await register('review');
    const first = await start({ 'idempotency-key': 'k' });
    expect((await start()).status).toBe(429);
    const again = await start({ 'idempotency-key': 'k' });
    expect([again.status, again.body]).toEqual([201, first.body]);
  });

  it('counts executions from before the limit was set, and changes of it apply at once', async () => {
    const { it, register, start } = await limited({});
    await register('review');
    for (let n = 0; n < 3; n += 1) await start();
    await updateTenant(it, 'acme', { limits: { max_concurrent_executions: 3 } });
    expect((await start()).status).toBe(429);
    await updateTenant(it, 'acme', { limits: { max_concurrent_executions: 4 } });
    expect((await start()).status).toBe(201);
    await updateTenant(it, 'acme', { limits: null });
    for (let n = 0; n < 3; n += 1) expect((await start()).status).toBe(201);
    await updateTenant(it, 'acme', { limits: { max_concurrent_executions: 8 } });
    expect([(await start()).status, (await start()).status]).toEqual([201, 429]);
  });

  it('does not count a start that fails', async () => {
    const { register, start, post, acme } = await limited({ max_concurrent_executions: 1 });
    await register('review');
    expect((await post('/executions', { workflow_id: 'none' }, acme)).status).toBe(404);
    const both = await Promise.all([start({ 'idempotency-key': 'k' }), start({ 'idempotency-key': 'k' })]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 429]);
    const { execution_id } = both.find(({ status }) => status === 201)?.body ?? {};
    await post(`/executions/${execution_id}/cancel`, {}, acme);
    expect((await start()).status).toBe(201);
  });

  it('applies to one tenant only', async () => {
    const { it, register, start } = await limited({ max_concurrent_executions: 1 });
    await register('review');
    expect([(await start()).status, (await start()).status]).toEqual([201, 429]);
    await it.started(REVIEW);
    await it.started(REVIEW);
  });
});

describe('max_workflows', () => {
  it('refuses another id with 403, but no version of a known one', async () => {
    const { register } = await limited({ max_workflows: 2 });
    expect((await register('a')).status).toBe(201);
    expect((await register('b')).status).toBe(201);
    expect((await register('b', '2.0.0')).status).toBe(201);
    const { status, body, headers } = await register('c');
    expect([status, body.error, body.code]).toEqual([
      403,
      'tenant acme has 2 of at most 2 workflows (max_workflows)',
      'limit_exceeded_workflows',
    ]);
    expect(headers['retry-after']).toBeUndefined();
    expect((await register('a', '2.0.0')).status).toBe(201);
  });

  it('is exact when many register at once', async () => {
    const { register } = await limited({ max_workflows: 3 });
    const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => register(`flow-${n}`)));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 201, 201, 403, 403, 403, 403, 403, 403, 403]);
  });

  it('does not count a registration that failed', async () => {
    const { register, post, acme } = await limited({ max_workflows: 1 });
    expect((await post('/workflows', { ir: { workflow_id: 'broken' } }, acme)).status).toBe(400);
    expect((await register('a')).status).toBe(201);
    expect((await register('b')).status).toBe(403);
  });
});

describe('max_requests_per_minute', () => {
  it('refuses any request with 429 until the minute is over', async () => {
    const { get, post, clock, acme } = await limited({ max_requests_per_minute: 3 });
    expect((await get('/executions', acme)).status).toBe(200);
    expect((await get('/executions/none', acme)).status).toBe(404);
    clock.advance(20_000);
    expect((await get('/tokens', acme)).status).toBe(403);
    const refused = await post('/executions', {}, acme);
    expect([refused.status, refused.body.error, refused.body.code]).toEqual([
      429,
      'too many requests: tenant acme has made 3 of at most 3 requests in a minute (max_requests_per_minute)',
      'limit_exceeded_requests',
    ]);
    expect(refused.headers['retry-after']).toBe('40');
    clock.advance(39_999);
    expect((await get('/executions', acme)).headers['retry-after']).toBe('1');
    clock.advance(1);
    expect((await get('/executions', acme)).status).toBe(200);
  });

  it('admits requests that reduce load beyond the limit, and counts them', async () => {
    const { get, post, register, start, clock, acme } = await limited({ max_requests_per_minute: 4 });
    await register('review');
    const ids = [(await start()).body.execution_id, (await start()).body.execution_id];
    const approve = (id: string, decision: string) => post(`/executions/${id}/approve`, { decision }, acme);
    expect((await get('/executions', acme)).status).toBe(200);
    expect((await approve(ids[0] ?? '', 'approved')).status).toBe(429);
    expect((await post('/executions/bulk', { action: 'resume', all: true }, acme)).status).toBe(429);
    expect((await post(`/executions/${ids[1]}/pause`, {}, acme)).status).toBe(200);
    expect((await approve(ids[0] ?? '', 'rejected')).status).toBe(200);
    expect((await post(`/executions/${ids[1]}/cancel`, undefined, acme)).status).toBe(200);
    const job = await post('/executions/bulk', { action: 'cancel', all: true }, acme);
    expect(job.status).toBe(202);
    expect((await post('/executions/bulk', 'cancel', acme)).status).toBe(429);
    clock.advance(60_000);
    for (let n = 0; n < 4; n += 1) expect((await post(`/executions/${ids[1]}/cancel`, {}, acme)).status).toBe(400);
    expect((await get('/executions', acme)).status).toBe(429);
  });

  it('counts neither open routes nor other tenants nor bad tokens', async () => {
    const { get, acme } = await limited({ max_requests_per_minute: 1 });
    for (let n = 0; n < 3; n += 1) {
      expect((await get('/health', acme)).status).toBe(200);
      expect((await get('/nothing/here', acme)).status).toBe(404);
      expect((await get('/executions', { as: null })).status).toBe(401);
      expect((await get('/executions')).status).toBe(200);
    }
    expect([(await get('/executions', acme)).status, (await get('/executions', acme)).status]).toEqual([200, 429]);
  });
});

describe('a month’s tokens and cost', () => {
  /** Runs one execution whose only node reports that usage. */
  async function spending({ post, acme }: Awaited<ReturnType<typeof limited>>, usage: object) {
    await post('/workflows', { ir: EXTERNAL }, acme);
    const started = await post('/executions', { workflow_id: 'external' }, acme);
    if (started.status !== 201) return started;
    const { work_item } = (await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] }, acme)).body;
    await post(`/work-items/${work_item.id}/complete`, { output: {}, ...usage }, acme);
    return started;
  }

  it('used up refuse new starts until the next month', async () => {
    const tenant = await limited({ max_tokens_per_month: 100 });
    expect((await spending(tenant, { input_tokens: 60, output_tokens: 39 })).status).toBe(201);
    expect((await spending(tenant, { output_tokens: 1 })).status).toBe(201);
    const refused = await spending(tenant, {});
    expect([refused.status, refused.body.error, refused.body.code]).toEqual([
      429,
      'too many requests: tenant acme has used 100 of at most 100 tokens in 2026-03 (max_tokens_per_month)',
      'limit_exceeded_tokens',
    ]);
    const leftMs = Date.UTC(2026, 3, 1) - tenant.clock.nowMs();
    expect(refused.headers['retry-after']).toBe(String(leftMs / 1_000));
    tenant.clock.advance(leftMs - 1);
    expect((await spending(tenant, {})).status).toBe(429);
    tenant.clock.advance(1);
    expect((await spending(tenant, {})).status).toBe(201);
  });

  it('count what in-process tools report, also of failed attempts', async () => {
    const echo = (_input: unknown, { reportUsage }: ToolContext) => {
      reportUsage({ inputTokens: 60, outputTokens: 40, costUsd: 0.01 });
      throw Object.assign(new Error('no'), { retryable: false });
    };
    const { post, acme, runtime } = await limited({ max_tokens_per_month: 100 }, { echo });
    await post('/workflows', { ir: ECHO }, acme);
    const started = await post('/executions', { workflow_id: 'echo' }, acme);
    expect(started.status).toBe(201);
    expect((await runtime.settled('acme', started.body.execution_id)).status).toBe('failed');
    const refused = await post('/executions', { workflow_id: 'echo' }, acme);
    expect([refused.status, refused.body.code]).toEqual([429, 'limit_exceeded_tokens']);
  });

  it('are limited by cost too', async () => {
    const tenant = await limited({ max_cost_per_month_usd: 0.5 });
    expect((await spending(tenant, { cost_usd: 0.4 })).status).toBe(201);
    expect((await spending(tenant, { cost_usd: 0.35 })).status).toBe(201);
    const { status, body } = await spending(tenant, {});
    expect([status, body.error, body.code]).toEqual([
      429,
      'too many requests: tenant acme has used 0.75 of at most 0.5 USD in 2026-03 (max_cost_per_month_usd)',
      'limit_exceeded_cost',
    ]);
  });

  it('do not stop active executions', async () => {
    const tenant = await limited({ max_tokens_per_month: 10 });
    const { post, get, acme } = tenant;
    await post('/workflows', { ir: EXTERNAL }, acme);
    const { execution_id } = (await post('/executions', { workflow_id: 'external' }, acme)).body;
    await updateTenant(tenant.it, 'acme', { limits: { max_tokens_per_month: 0 } });
    const { work_item } = (await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] }, acme)).body;
    expect((await post(`/work-items/${work_item.id}/complete`, { output: {}, input_tokens: 50 }, acme)).status).toBe(200);
    expect((await get(`/executions/${execution_id}`, acme)).body.status).toBe('completed');
    expect((await get('/tenants/acme', OPERATOR)).body).toMatchObject({ usage: { tokens: 50 } });
  });
});
