import { describe, expect, it, vi } from 'vitest';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { backoffMs } from '../../src/control/webhooks/backoff.ts';
import { EndpointPacing } from '../../src/control/webhooks/endpoint-pacing.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { PAYMENT, REVIEW } from '../api/support/api.ts';
import { webServer } from '../executors/web-server.ts';
import { CALLER, databasePath, eventually, openTestRuntime, type TestRuntime } from '../support/runtimes.ts';

const DEFINITION = { events: ['*'], workflowId: null, description: null, enabled: true };

function controlOf({ store, runtime, clock, errors }: TestRuntime): ControlPlane {
  const outbound = new Outbound({ allowPrivateAddresses: true });
  return new ControlPlane({ store, runtime, outbound, clock, onError: (error) => errors.push(error) });
}

function action(bench: TestRuntime) {
  return { tenantId: 'default', atMs: bench.clock.nowMs(), actorId: 'root', actorType: 'human', request: null } as const;
}

/** Execution and sequence of each message, in order of arrival. */
function receivedEvents(requests: readonly { readonly body: string }[]): readonly string[] {
  return requests.map(({ body }) => {
    const { execution_id, event } = JSON.parse(body) as { execution_id: string; event: { sequence: number } };
    return `${execution_id} ${event.sequence}`;
  });
}

describe('webhooks across restarts', () => {
  it('receive events committed while no process delivered', async () => {
    const { url, requests } = await webServer((_request, response) => response.end());
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const begun = controlOf(first);
    await begun.webhooks.create({ ...DEFINITION, url }, action(first));
    await begun.close();
    const id = await first.run(REVIEW);
    await first.close();

    const second = await openTestRuntime({ path, clock: first.clock });
    const control = controlOf(second);
    await control.start();
    const log = await second.log(id);
    await eventually(() => requests.length === log.length);
    expect(receivedEvents(requests)).toEqual(log.map(({ sequence }) => `${id} ${sequence}`));
    await control.close();
    expect(second.errors).toEqual([]);
  });

  it('receive deliveries in flight at shutdown again, and then the rest in order', async () => {
    let open = false;
    const { url, requests } = await webServer((_request, response) => {
      if (open) response.end();
    });
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const begun = controlOf(first);
    await begun.start();
    const { id: webhookId } = await begun.webhooks.create({ ...DEFINITION, url }, action(first));
    const id = await first.run(PAYMENT);
    await eventually(() => requests.length === 1);
    await begun.close();
    await first.close();
    open = true;

    const second = await openTestRuntime({ path, clock: first.clock });
    const control = controlOf(second);
    await control.start();
    await second.runtime.sendEvent(CALLER, id, { key: 'paid', payload: null });
    const log = await second.log(id);
    await eventually(() => requests.length === log.length + 1);
    expect(receivedEvents(requests)).toEqual([`${id} 1`, ...log.map(({ sequence }) => `${id} ${sequence}`)]);
    await eventually(async () => (await second.store.webhooks.readyDeliveries(webhookId, 1)).length === 0);
    await control.close();
  });

  it('receive many executions concurrently, each in order', async () => {
    const { url, requests } = await webServer((_request, response) => setImmediate(() => response.end()));
    const bench = await openTestRuntime({ tools: { echo: () => ({}) } });
    const control = controlOf(bench);
    await control.start();
    const { id: webhookId } = await control.webhooks.create({ ...DEFINITION, url }, action(bench));
    const node = { kind: { type: 'tool', tool_ref: 'echo' } };
    const document = { workflow_id: 'two', version: '1', nodes: { a: node, b: node }, edges: [{ from: 'a', to: 'b' }] };
    const ids = await Promise.all(Array.from({ length: 40 }, () => bench.run(document)));
    for (const id of ids) await bench.settled(id);
    const logs = (await Promise.all(ids.map((id) => bench.log(id)))).flat();
    await eventually(
      async () => requests.length >= logs.length && (await bench.store.webhooks.readyDeliveries(webhookId, 1)).length === 0,
    );
    const messages = receivedEvents(requests);
    expect(messages.toSorted()).toEqual(logs.map(({ executionId, sequence }) => `${executionId} ${sequence}`).toSorted());
    for (const id of ids) {
      const own = messages.filter((message) => message.startsWith(id));
      expect(own).toEqual(own.map((_, i) => `${id} ${i + 1}`));
    }
    expect(bench.errors).toEqual([]);
    await control.close();
  });

  it('receive exactly the events committed after they were created, whatever the clock says', async () => {
    const { url, requests } = await webServer((_request, response) => response.end());
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    // An earlier webhook for which nothing has been matched yet.
    await control.webhooks.create({ ...DEFINITION, url: 'http://127.0.0.1:1/' }, action(bench));
    await bench.run(REVIEW);
    await control.webhooks.create({ ...DEFINITION, url }, action(bench));
    bench.clock.advance(-90_000);
    const id = await bench.run(REVIEW);
    await control.start();
    const log = await bench.log(id);
    await eventually(() => requests.length >= log.length);
    expect(receivedEvents(requests)).toEqual(log.map(({ sequence }) => `${id} ${sequence}`));
    await control.close();
  });

  it('lose deliveries that are a week old, and those of a removed webhook', async () => {
    const { url, requests } = await webServer((_request, response) => response.end());
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    await control.start();
    const webhook = await control.webhooks.create({ ...DEFINITION, url }, action(bench));
    const other = await control.webhooks.create({ ...DEFINITION, url: 'http://127.0.0.1:1/' }, action(bench));
    await bench.run(REVIEW);
    const { webhooks } = bench.store;
    await eventually(async () => requests.length === 3 && (await webhooks.readyDeliveries(webhook.id, 1)).length === 0);
    await control.webhooks.remove(other.id, action(bench));
    await eventually(async () => (await webhooks.deliveries(other.id, { limit: 1 })).length === 0);
    bench.clock.advance(6 * 86_400_000);
    expect(await webhooks.deliveries(webhook.id, { limit: 10 })).toHaveLength(3);
    // Advanced hour by hour: the timer of the next hour is set when a cleanup has ended.
    for (let hour = 0; hour < 30; hour += 1) {
      bench.clock.advance(3_600_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(async () => (await webhooks.deliveries(webhook.id, { limit: 1 })).length === 0);
    await control.close();
  });
});

describe('the delay before a retry', () => {
  it('adds up to a day, with jitter that is deterministic per delivery', () => {
    const delays = (id: string) => Array.from({ length: 9 }, (_, i) => backoffMs(id, i + 1));
    expect(delays('a')).toEqual(delays('a'));
    expect(delays('a')).not.toEqual(delays('b'));
    const [first = 0, ...rest] = delays('a');
    expect(first).toBeGreaterThanOrEqual(4_000);
    expect(first).toBeLessThanOrEqual(6_000);
    expect(rest.at(-1)).toBeNull();
    const hours = delays('a').reduce((sum: number, ms) => sum + (ms ?? 0), 0) / 3_600_000;
    expect(hours).toBeGreaterThan(18);
    expect(hours).toBeLessThan(30);
  });
});

describe('webhooks whose endpoint never answers', () => {
  it('do not delay others, and get fewer and less frequent attempts', async () => {
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    await control.start();
    const tarpit = await webServer(() => {});
    const quick = await webServer((_request, response) => response.end());
    for (let i = 0; i < 20; i += 1) await control.webhooks.create({ ...DEFINITION, url: tarpit.url }, action(bench));
    await bench.runtime.register(CALLER, REVIEW);
    for (let i = 0; i < 20; i += 1) await bench.runtime.start(CALLER, { workflowId: REVIEW.workflow_id });
    // A tenant has at most 48 attempts in flight, and a webhook at most 4 until it has answered quickly.
    await eventually(() => tarpit.requests.length === 48);

    const other = { ...CALLER, tenantId: 'other' };
    const row = { id: 'other', name: 'Other', status: 'active', policy: null, limits: null } as const;
    await bench.store.tenants.create({ ...row, createdAtMs: bench.clock.nowMs() }, action(bench));
    await control.webhooks.create({ ...DEFINITION, url: quick.url }, { ...action(bench), tenantId: 'other' });
    await bench.runtime.register(other, REVIEW);
    const { executionId } = await bench.runtime.start(other, { workflowId: REVIEW.workflow_id });
    const { sequence } = await bench.runtime.execution('other', executionId);
    await eventually(() => quick.requests.length === sequence);
    expect(tarpit.requests).toHaveLength(48);
    await control.close();
  });

  it('block webhook tests only of their own tenant', async () => {
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    const tarpit = await webServer(() => {});
    const quick = await webServer((_request, response) => response.end());
    const slow = [];
    for (let i = 0; i < 2; i += 1) slow.push(await control.webhooks.create({ ...DEFINITION, url: tarpit.url }, action(bench)));
    const outcomes = slow.flatMap(({ id }) =>
      Array.from({ length: 20 }, () =>
        control.webhooks.test(id, action(bench)).then(
          () => 'sent',
          ({ message }: Error) => message,
        ),
      ),
    );
    await eventually(() => tarpit.requests.length === 16);
    const row = { id: 'other', name: 'Other', status: 'active', policy: null, limits: null } as const;
    await bench.store.tenants.create({ ...row, createdAtMs: bench.clock.nowMs() }, action(bench));
    const other = { ...action(bench), tenantId: 'other' };
    const { id } = await control.webhooks.create({ ...DEFINITION, url: quick.url }, other);
    expect(await control.webhooks.test(id, other)).toMatchObject({ delivered: true });
    await control.close();
    const ends = await Promise.all(outcomes);
    expect(ends.filter((end) => end === 'sent')).toHaveLength(16);
    expect(ends.filter((end) => end === '16 webhook tests of tenant default are already running')).not.toHaveLength(0);
  });

  it('get their deliveries stored in bounded transactions', async () => {
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    await control.start();
    const quick = await webServer((_request, response) => response.end());
    for (let i = 0; i < 100; i += 1) await control.webhooks.create({ ...DEFINITION, url: quick.url }, action(bench));
    await bench.runtime.register(CALLER, REVIEW);
    const enqueue = vi.spyOn(bench.store.webhooks, 'enqueue');
    const starts = Array.from({ length: 12 }, () => bench.runtime.start(CALLER, { workflowId: REVIEW.workflow_id }));
    const ids = (await Promise.all(starts)).map(({ executionId }) => executionId);
    let events = 0;
    for (const id of ids) events += (await bench.runtime.execution('default', id)).sequence;
    expect(events).toBeGreaterThan(20);
    const sizes = () => enqueue.mock.calls.map(([{ deliveries }]) => deliveries.length);
    await eventually(() => sizes().reduce((sum, size) => sum + size, 0) === 100 * events);
    expect(Math.max(...sizes())).toBe(1_000);
    await control.close();
  });

  it('get one attempt at a time, after a pause', () => {
    const endpoints = new EndpointPacing();
    expect(endpoints.concurrency('w')).toBe(4);
    for (let i = 0; i < 3; i += 1) endpoints.answered('w', 10_000, 50_000);
    expect(endpoints.concurrency('w')).toBe(1);
    expect(endpoints.notBeforeMs('w')).toBe(51_000);
    for (let i = 0; i < 20; i += 1) endpoints.answered('w', 10_000, 50_000);
    expect(endpoints.notBeforeMs('w')).toBe(110_000);
    endpoints.answered('w', 20, 120_000);
    expect([endpoints.concurrency('w'), endpoints.notBeforeMs('w')]).toEqual([2, 0]);
    for (let i = 0; i < 20; i += 1) endpoints.answered('w', 20, 120_000);
    expect(endpoints.concurrency('w')).toBe(16);
  });
});
