import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { editLog } from '../../support/edit-log.ts';
import { eventually } from '../../support/runtimes.ts';
import { temporaryFolder } from '../../support/stores.ts';
import { PAYMENT, REVIEW } from '../support/api.ts';
import { answers, webhookServer } from '../support/webhooks.ts';

/** Longer than the longest delay before the second attempt. */
const RETRY_MS = 6_000;
const DAY_MS = 86_400_000;

describe('a webhook', () => {
  it('receives events in order, with everything a receiver needs', async () => {
    const { create, started, pay, receiver, get, settled, messages, deliveries } = await webhookServer();
    await started(REVIEW);
    const { id } = await create();
    const execution = await started(PAYMENT);
    await pay(execution);
    const { events } = (await get(`/executions/${execution}/events`)).body;
    await eventually(() => receiver.requests.length === events.length);
    await settled(id);
    expect(messages()).toEqual(
      events.map((event) => ({
        type: event.kind,
        timestamp: event.created_at,
        tenant_id: 'default',
        execution_id: execution,
        workflow_id: 'payment',
        event,
      })),
    );
    const rows = await deliveries(id);
    expect(rows.map(({ sequence }) => sequence)).toEqual(events.map(({ sequence }) => sequence).toReversed());
    expect(rows[0]).toMatchObject({
      kind: 'WorkflowCompleted',
      status: 'delivered',
      attempts: 1,
      last_status: 200,
      last_error: null,
    });
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual(rows.map((row) => row.id).toReversed());
    expect(receiver.requests[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  });

  it('receives messages that the code in the documentation verifies', async () => {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/webhooks.md', 'utf8')) ?? [];
    const file = join(temporaryFolder(), 'verify.mjs');
    writeFileSync(file, code);
    const { verify } = await import(pathToFileURL(file).href);
    const { create, request, started, receiver, clock } = await webhookServer();
    const { id, secret } = await create({ events: ['WorkflowStarted'] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const check = async (key: string) => {
      const before = receiver.requests.length;
      await started(REVIEW);
      await eventually(() => receiver.requests.length > before);
      const { headers, body } = receiver.requests.at(-1) ?? { headers: {}, body: '' };
      expect(verify(key, headers, `${body} `, clock.nowMs())).toBe(false);
      expect(verify(key, headers, body, clock.nowMs() + 301_000)).toBe(false);
      return verify(key, headers, body, clock.nowMs());
    };
    expect(await check(secret)).toBe(true);
    const rotated = (await request('PUT', `/webhooks/${id}`, { rotate_secret: true })).body.secret;
    expect(rotated).not.toBe(secret);
    expect([await check(secret), await check(rotated)]).toEqual([true, true]);
    clock.advance(DAY_MS);
    expect([await check(secret), await check(rotated)]).toEqual([false, true]);
  });

  it('receives only the requested kinds and workflow', async () => {
    const { create, started, pay, messages, settled, deliveries } = await webhookServer();
    const some = await create({ events: ['workflow_started', 'WorkflowCompleted', 'WorkflowStarted'], workflow_id: 'payment' });
    expect(some.events).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    await started(REVIEW);
    await pay(await started(PAYMENT));
    await eventually(() => messages().length === 2);
    await settled(some.id);
    expect(messages().map(({ type }) => type)).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    expect((await create({ events: ['*', 'NodeFailed'] })).events).toEqual(['*']);
    expect(await deliveries(some.id)).toHaveLength(2);
  });

  it('that fails is retried; later events of the execution wait, other executions do not', async () => {
    const { create, started, messages, clock, deliveries, request, settled } = await webhookServer(answers(503));
    const { id } = await create();
    const first = await started(REVIEW);
    await eventually(async () => (await deliveries(id)).some(({ attempts }) => attempts === 1));
    const second = await started(REVIEW);
    await eventually(() => messages().filter(({ execution_id }) => execution_id === second).length === 3);
    expect(messages().filter(({ execution_id }) => execution_id === first)).toHaveLength(1);
    const [, waiting, head] = (await deliveries(id, 'status=pending')).filter(({ execution_id }) => execution_id === first);
    expect(head).toMatchObject({ attempts: 1, last_status: 503, last_error: 'answered 503: as configured', sequence: 1 });
    expect(Date.parse(head?.next_attempt_at ?? '')).toBeGreaterThan(clock.nowMs());
    expect(waiting).toMatchObject({ attempts: 0, next_attempt_at: null, sequence: 2 });
    expect((await request('GET', `/webhooks/${id}`)).body).toMatchObject({ last_failure: 'answered 503: as configured' });
    clock.advance(RETRY_MS);
    await settled(id);
    const ofFirst = messages().filter(({ execution_id }) => execution_id === first);
    expect(ofFirst.map(({ event }) => event.sequence)).toEqual([1, 1, 2, 3]);
    expect((await request('GET', `/webhooks/${id}`)).body.failures_in_a_row).toBe(0);
  });

  it('is given up after a day; later deliveries continue, and failed ones can be replayed', async () => {
    const { create, started, clock, deliveries, request, settled, receiver } = await webhookServer(
      answers(...Array(9).fill(500)),
    );
    const { id } = await create({ events: ['WorkflowStarted', 'InterruptRaised'] });
    await started(REVIEW);
    const began = clock.nowMs();
    for (let attempt = 1; attempt < 9; attempt += 1) {
      await eventually(async () => (await deliveries(id)).some(({ attempts }) => attempts === attempt));
      const [next] = (await deliveries(id)).flatMap(({ next_attempt_at }) => next_attempt_at ?? []);
      clock.advance(Date.parse(next ?? '') - clock.nowMs());
    }
    await settled(id);
    expect((clock.nowMs() - began) / DAY_MS).toBeGreaterThan(0.75);
    expect((clock.nowMs() - began) / DAY_MS).toBeLessThan(1.25);
    const failed = await deliveries(id, 'status=failed');
    expect(failed).toMatchObject([{ sequence: 1, attempts: 9, last_status: 500, next_attempt_at: null }]);
    const sent = receiver.requests.length;
    expect((await request('POST', `/webhooks/${id}/replay`)).body).toEqual({ webhook_id: id, replayed: 1 });
    await settled(id);
    expect(await deliveries(id, 'status=failed')).toEqual([]);
    expect(receiver.requests.length).toBe(sent + 1);
    const { status, body } = await request('POST', `/webhooks/${id}/deliveries/${failed[0]?.id}/replay`);
    expect([status, body]).toMatchObject([200, { id: failed[0]?.id }]);
    await eventually(() => receiver.requests.length === sent + 2);
    await settled(id);
    expect((await request('POST', `/webhooks/${id}/replay`)).body.replayed).toBe(0);
  });

  it('that replies 410 is disabled; once enabled, it continues with its pending deliveries', async () => {
    const { create, started, deliveries, request, settled, receiver, store } = await webhookServer(answers(410));
    const { id } = await create();
    await started(REVIEW);
    await eventually(async () => (await deliveries(id, 'status=failed')).length === 1);
    expect((await request('GET', `/webhooks/${id}`)).body).toMatchObject({
      enabled: false,
      disabled_reason: 'the endpoint answered 410 Gone',
    });
    await started(REVIEW);
    expect(await deliveries(id)).toHaveLength(3);
    expect(receiver.requests).toHaveLength(1);
    const { body } = await request('PUT', `/webhooks/${id}`, { enabled: true });
    expect(body).toMatchObject({ enabled: true, disabled_reason: null });
    await settled(id);
    expect(receiver.requests).toHaveLength(3);
    expect(await store.verifyAudit()).toMatchObject({ fault: null });
  });

  it('that does not reply in ten seconds is retried', async () => {
    const { create, started, clock, deliveries, receiver, settled } = await webhookServer((_request, response) => {
      if (receiver.requests.length > 1) response.end();
    });
    const { id } = await create({ events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(() => receiver.requests.length === 1);
    clock.advance(10_000);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1);
    expect((await deliveries(id))[0]).toMatchObject({
      last_status: null,
      last_error: expect.stringMatching(/no complete response in time/),
    });
    clock.advance(RETRY_MS);
    await settled(id);
  });

  it('that redirects has failed; one that cannot be reached has the reason', async () => {
    const { create, started, deliveries, receiver, request } = await webhookServer((_request, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end(),
    );
    const { id } = await create({ events: ['WorkflowStarted'] });
    const away = await create({ url: 'http://127.0.0.1:1/', events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1 && (await deliveries(away.id))[0]?.attempts === 1);
    expect((await deliveries(id))[0]).toMatchObject({ status: 'pending', last_status: 302 });
    expect((await deliveries(away.id))[0]?.last_error).toMatch(/ECONNREFUSED|refused/);
    expect(receiver.requests.map(({ url }) => url)).toEqual(['/']);
    expect((await request('GET', `/webhooks/${away.id}`)).body.failures_in_a_row).toBe(1);
  });

  it('at a private address fails at once if those are not allowed', async () => {
    const { create, started, deliveries, receiver } = await webhookServer(undefined, {
      config: { allowPrivateAddresses: false },
    });
    const { id } = await create({ events: ['WorkflowStarted'] });
    await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.status === 'failed');
    expect((await deliveries(id))[0]?.last_error).toMatch(/private address/);
    expect(receiver.requests).toEqual([]);
  });

  it('of a suspended tenant waits until the tenant is active again', async () => {
    const { create, request, token, receiver, clock, store, call } = await webhookServer(answers(503));
    await call('POST', '/tenants', { as: 'operator', body: { id: 'acme', name: 'Acme' } });
    const acme = { as: null, headers: { authorization: `Bearer ${await token('developer', { tenantId: 'acme' })}` } } as const;
    await create();
    const { id } = (await request('POST', '/webhooks', { url: receiver.url, events: ['WorkflowStarted'] }, acme)).body;
    await request('POST', '/workflows', { ir: REVIEW }, acme);
    await request('POST', '/executions', { workflow_id: 'review' }, acme);
    const only = async () => (await store.webhooks.deliveries(id, { limit: 2 }))[0];
    await eventually(async () => (await only())?.attempts === 1);
    expect((await call('PUT', '/tenants/acme', { as: 'operator', body: { status: 'suspended' } })).status).toBe(200);
    clock.advance(DAY_MS);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([receiver.requests.length, (await only())?.status]).toEqual([1, 'pending']);
    await call('PUT', '/tenants/acme', { as: 'operator', body: { status: 'active' } });
    await eventually(async () => (await only())?.status === 'delivered');
    expect(receiver.requests).toHaveLength(2);
  });

  it('fails clearly for an execution that has been removed', async () => {
    const { create, started, deliveries, clock, path, settled } = await webhookServer(answers(500));
    const { id } = await create({ events: ['WorkflowStarted'] });
    const execution = await started(REVIEW);
    await eventually(async () => (await deliveries(id))[0]?.attempts === 1);
    editLog(path, execution, () => null);
    clock.advance(RETRY_MS);
    await settled(id);
    expect((await deliveries(id))[0]).toMatchObject({ status: 'failed', last_error: 'the execution has been removed' });
  });
});
