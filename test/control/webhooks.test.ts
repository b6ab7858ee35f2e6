import { describe, expect, it, vi } from 'vitest';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { backoffMs } from '../../src/control/webhooks/backoff.ts';
import { EndpointPacing } from '../../src/control/webhooks/endpoint-pacing.ts';
import { Outbound } from '../../src/executors/outbound.ts';
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

/** `execution sequence` of each message, in the order of arrival. */
function receivedEvents(seen: readonly { readonly body: string }[]): readonly string[] {
  return seen.map(({ body }) => {
    const { execution_id, event } = JSON.parse(body) as { execution_id: string; event: { sequence: number } };
    return `${execution_id} ${event.sequence}`;
  });
}

describe('webhooks from one process to the next', () => {
  it('hear of what was committed while nobody delivered', async () => {
    const { url, requests: seen } = await webServer((_request, response) => response.end());
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
    await eventually(() => seen.length === log.length);
    expect(receivedEvents(seen)).toEqual(log.map(({ sequence }) => `${id} ${sequence}`));
    await control.close();
    expect(second.errors).toEqual([]);
  });

  it('get again what was under way when the process ended, and go on in order', async () => {
    let open = false;
    const { url, requests: seen } = await webServer((_request, response) => {
      if (open) response.end();
    });
    const path = databasePath();
    const first = await openTestRuntime({ path });
    const begun = controlOf(first);
    await begun.start();
    const { id: webhookId } = await begun.webhooks.create({ ...DEFINITION, url }, action(first));
    const id = await first.run(PAYMENT);
    await eventually(() => seen.length === 1);
    await begun.close();
    await first.close();
    open = true;

    const second = await openTestRuntime({ path, clock: first.clock });
    const control = controlOf(second);
    await control.start();
    await second.runtime.sendEvent(CALLER, id, { key: 'paid', payload: null });
    const log = await second.log(id);
    await eventually(() => seen.length === log.length + 1);
    expect(receivedEvents(seen)).toEqual([`${id} 1`, ...log.map(({ sequence }) => `${id} ${sequence}`)]);
    await eventually(async () => (await second.store.webhooks.readyDeliveries(webhookId, 1)).length === 0);
    await control.close();
  });

  it('take many executions side by side, each in order', async () => {
    const { url, requests: seen } = await webServer((_request, response) => setImmediate(() => response.end()));
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
      async () => seen.length >= logs.length && (await bench.store.webhooks.readyDeliveries(webhookId, 1)).length === 0,
    );
    const messages = receivedEvents(seen);
    expect(messages.toSorted()).toEqual(logs.map(({ executionId, sequence }) => `${executionId} ${sequence}`).toSorted());
    for (const id of ids) {
      const own = messages.filter((message) => message.startsWith(id));
      expect(own).toEqual(own.map((_, i) => `${id} ${i + 1}`));
    }
    expect(bench.errors).toEqual([]);
    await control.close();
  });

  it('hear of what is committed after they were made, whatever the clock says, and of nothing before', async () => {
    const { url, requests: seen } = await webServer((_request, response) => response.end());
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    // An earlier one, of which nothing is matched yet.
    await control.webhooks.create({ ...DEFINITION, url: 'http://127.0.0.1:1/' }, action(bench));
    await bench.run(REVIEW);
    await control.webhooks.create({ ...DEFINITION, url }, action(bench));
    bench.clock.advance(-90_000);
    const id = await bench.run(REVIEW);
    await control.start();
    const log = await bench.log(id);
    await eventually(() => seen.length >= log.length);
    expect(receivedEvents(seen)).toEqual(log.map(({ sequence }) => `${id} ${sequence}`));
    await control.close();
  });

  it('are swept: what was delivered a week ago, and what belonged to a removed one', async () => {
    const { url, requests: seen } = await webServer((_request, response) => response.end());
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    await control.start();
    const webhook = await control.webhooks.create({ ...DEFINITION, url }, action(bench));
    const other = await control.webhooks.create({ ...DEFINITION, url: 'http://127.0.0.1:1/' }, action(bench));
    await bench.run(REVIEW);
    const { webhooks } = bench.store;
    await eventually(async () => seen.length === 3 && (await webhooks.readyDeliveries(webhook.id, 1)).length === 0);
    await control.webhooks.remove(other.id, action(bench));
    await eventually(async () => (await webhooks.deliveries(other.id, { limit: 1 })).length === 0);
    bench.clock.advance(6 * 86_400_000);
    expect(await webhooks.deliveries(webhook.id, { limit: 10 })).toHaveLength(3);
    // The hour strikes once in an advance: the next is set when the sweep is through.
    for (let hour = 0; hour < 30; hour += 1) {
      bench.clock.advance(3_600_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(async () => (await webhooks.deliveries(webhook.id, { limit: 1 })).length === 0);
    await control.close();
  });
});

describe('the delay before another attempt', () => {
  it('grows to a day in all, differs from delivery to delivery, and is the same for the same', () => {
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

describe('webhooks that never answer', () => {
  it('delay nobody else, are asked for little, and less often', async () => {
    const bench = await openTestRuntime();
    const control = controlOf(bench);
    await control.start();
    const tarpit = await webServer(() => {});
    const quick = await webServer((_request, response) => response.end());
    for (let i = 0; i < 20; i += 1) await control.webhooks.create({ ...DEFINITION, url: tarpit.url }, action(bench));
    await bench.runtime.register(CALLER, REVIEW);
    for (let i = 0; i < 20; i += 1) await bench.runtime.start(CALLER, { workflowId: REVIEW.workflow_id });
    // No tenant has more than 48 attempts under way, nor a webhook more than 4 before it has shown to be quick.
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

  it('keep tests of webhooks from their own tenant alone', async () => {
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
    expect(ends.filter((end) => end === '16 tests of webhooks of tenant default are under way')).not.toHaveLength(0);
  });

  it('are written down a bounded number of deliveries at a time, however many they are', async () => {
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

  it('are asked for one thing at a time, after a pause', () => {
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
