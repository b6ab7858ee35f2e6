import { describe, expect, it } from 'vitest';
import type { DeliveryAttempt, DeliveryRow, NewDelivery, NewWebhook } from '../../../store/port/resources/webhooks.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, startExecution } from '../writes.ts';

const ACME = context({ tenantId: 'acme' });

function webhook(id: string, change: Partial<NewWebhook> = {}): NewWebhook {
  return {
    id,
    tenantId: 'default',
    url: 'https://example.com/hook?key=hidden',
    events: ['*'],
    workflowId: null,
    description: null,
    enabled: true,
    secret: 'whsec_c2VjcmV0',
    ...change,
  };
}

function delivery(id: string, executionId: string, seq: number, webhookId = 'w1'): NewDelivery {
  return { id, webhookId, executionId, seq, type: 'node_completed' };
}

function outcome(row: Pick<DeliveryRow, 'id' | 'executionId'>, change: Partial<DeliveryAttempt> = {}): DeliveryAttempt {
  const { id: deliveryId, executionId } = row;
  const delivered = { status: 'delivered', httpStatus: 200, error: null, nextAttemptAtMs: null } as const;
  return { webhookId: 'w1', deliveryId, executionId, atMs: AT_MS + 10, ...delivered, ...change };
}

async function enqueue(store: Store, ...deliveries: readonly NewDelivery[]): Promise<boolean> {
  const from = (await store.webhooks.cursor()) ?? '';
  return store.webhooks.enqueue({ from, to: await store.log.end(), deliveries, nowMs: AT_MS });
}

async function turns(store: Store): Promise<readonly string[]> {
  return (await store.webhooks.readyDeliveries('w1', 10)).map(({ executionId, seq }) => `${executionId} ${seq}`);
}

/** A webhook with deliveries of executions a (1, 2, 3) and b (1). */
async function withDeliveries(database: () => TestDatabase): Promise<Store> {
  const store = await database().open();
  await store.webhooks.create(webhook('w1'), 10, context());
  const rows = [delivery('d1', 'a', 1), delivery('d2', 'a', 2), delivery('d3', 'b', 1), delivery('d4', 'a', 3)];
  expect(await enqueue(store, ...rows)).toBe(true);
  return store;
}

export function webhookContract(database: () => TestDatabase): void {
  describe('webhooks', () => {
    it('are stored as given, for their tenant only', async () => {
      const store = await database().open();
      const given = webhook('w1', { events: ['node_failed'], workflowId: 'refund', description: 'alerts' });
      const row = await store.webhooks.create(given, 10, context());
      expect(row).toMatchObject({ ...given, createdAtMs: AT_MS, updatedAtMs: AT_MS, failures: 0, disabledReason: null });
      expect(await store.webhooks.get('default', 'w1')).toEqual(row);
      expect(await store.webhooks.get('acme', 'w1')).toBeNull();
      await store.webhooks.create(webhook('w2'), 10, ACME);
      expect((await store.webhooks.list('default')).map(({ id }) => id)).toEqual(['w1']);
      expect((await store.webhooks.enabled('acme')).map(({ id }) => id)).toEqual(['w2']);
    });

    it('are limited in number per tenant', async () => {
      const store = await database().open();
      await store.webhooks.create(webhook('w1'), 1, context());
      await expect(store.webhooks.create(webhook('w2'), 1, context())).rejects.toMatchObject({ code: 'too_many_webhooks' });
      await store.webhooks.create(webhook('w3'), 1, ACME);
      await store.webhooks.remove('w1', context());
      await store.webhooks.create(webhook('w2'), 1, context());
    });

    it('can be changed by their tenant only', async () => {
      const store = await database().open();
      await store.webhooks.create(webhook('w1'), 10, context());
      const later = context({ atMs: AT_MS + 5 });
      const changed = await store.webhooks.update('w1', { enabled: false, secret: 'whsec_bmV3' }, 'webhook_updated', later);
      expect(changed).toMatchObject({ enabled: false, secret: 'whsec_bmV3', events: ['*'], updatedAtMs: AT_MS + 5 });
      expect(await store.webhooks.enabled('default')).toEqual([]);
      const before = await store.verifyAudit();
      for (const attempt of [
        () => store.webhooks.update('w1', { enabled: true }, 'webhook_updated', ACME),
        () => store.webhooks.remove('w1', ACME),
        () => store.webhooks.recordTest('w1', { delivered: true }, ACME),
        () => store.webhooks.replay('w1', 'd1', ACME),
        () => store.webhooks.replayFailed('w1', 10, ACME),
        () => store.webhooks.remove('w9', context()),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'unknown_webhook' });
      }
      expect(await store.verifyAudit()).toEqual(before);
    });

    it('are logged without secrets', async () => {
      const store = await database().open();
      await store.webhooks.create(webhook('w1'), 10, context());
      await store.webhooks.update('w1', { secret: 'whsec_bmV3' }, 'webhook_updated', context());
      await store.webhooks.recordTest('w1', { delivered: false }, context());
      await store.webhooks.remove('w1', context());
      expect(await store.verifyAudit()).toMatchObject({ blocks: 4, fault: null });
    });

    it('receive events that are committed after the first webhook was created', async () => {
      const store = await database().open();
      expect(await store.webhooks.exists()).toBe(false);
      expect(await store.webhooks.cursor()).toBeNull();
      await store.commit(batch(startExecution('a')));
      await store.webhooks.create(webhook('w1'), 10, context());
      const first = await store.log.end();
      expect(await store.webhooks.cursor()).toBe(first);
      await store.commit(batch(startExecution('b')));
      await store.webhooks.create(webhook('w2'), 10, context());
      expect(await store.webhooks.cursor()).toBe(first);
      await store.webhooks.remove('w1', context());
      expect(await store.webhooks.exists()).toBe(true);
      await store.webhooks.remove('w2', context());
      expect(await store.webhooks.exists()).toBe(false);
      await store.webhooks.create(webhook('w3'), 10, context());
      expect(await store.webhooks.cursor()).toBe(await store.log.end());
    });
  });

  describe('deliveries', () => {
    it('are added together with the cursor move, or not at all', async () => {
      const store = await database().open();
      await store.webhooks.create(webhook('w1'), 10, context());
      const from = (await store.webhooks.cursor()) ?? '';
      await store.commit(batch(startExecution('a')));
      const to = await store.log.end();
      const matched = { from, to, deliveries: [delivery('d1', 'a', 1)], nowMs: AT_MS };
      expect(await store.webhooks.enqueue(matched)).toBe(true);
      expect(await store.webhooks.enqueue(matched)).toBe(false);
      expect(await store.webhooks.cursor()).toBe(to);
      expect(await store.webhooks.deliveries('w1', { limit: 10 })).toMatchObject([
        { id: 'd1', tenantId: 'default', executionId: 'a', seq: 1, status: 'pending', attempts: 0, nextAttemptAtMs: AT_MS },
      ]);
    });

    it('are attempted one at a time per execution', async () => {
      const store = await withDeliveries(database);
      expect(await turns(store)).toEqual(['a 1', 'b 1']);
      await store.webhooks.recordAttempts([outcome({ id: 'd1', executionId: 'a' })]);
      expect((await turns(store)).toSorted()).toEqual(['a 2', 'b 1']);
      const again = { status: 'pending', error: 'down', httpStatus: null, nextAttemptAtMs: AT_MS + 5_000 } as const;
      await store.webhooks.recordAttempts([
        outcome({ id: 'd2', executionId: 'a' }, again),
        outcome({ id: 'd3', executionId: 'b' }),
      ]);
      expect(await turns(store)).toEqual(['a 2']);
      const given = { status: 'failed', error: 'gone', httpStatus: 410 } as const;
      await store.webhooks.recordAttempts([outcome({ id: 'd2', executionId: 'a' }, given)]);
      expect(await turns(store)).toEqual(['a 3']);
      expect(await store.webhooks.delivery('w1', 'd2')).toMatchObject({
        status: 'failed',
        attempts: 2,
        lastStatus: 410,
        lastError: 'gone',
      });
    });

    it('update the last results of the webhook', async () => {
      const store = await withDeliveries(database);
      const failed = { status: 'pending', error: 'down', httpStatus: 503, nextAttemptAtMs: AT_MS + 5_000 } as const;
      await store.webhooks.recordAttempts([outcome({ id: 'd1', executionId: 'a' }, failed)]);
      await store.webhooks.recordAttempts([outcome({ id: 'd1', executionId: 'a' }, failed)]);
      expect(await store.webhooks.get('default', 'w1')).toMatchObject({
        failures: 2,
        lastFailure: 'down',
        lastFailedAtMs: AT_MS + 10,
      });
      await store.webhooks.recordAttempts([outcome({ id: 'd1', executionId: 'a' })]);
      expect(await store.webhooks.get('default', 'w1')).toMatchObject({ failures: 0, lastDeliveredAtMs: AT_MS + 10 });
    });

    it('are listed newest first, by status, in pages', async () => {
      const store = await withDeliveries(database);
      await store.webhooks.recordAttempts([outcome({ id: 'd3', executionId: 'b' })]);
      const ids = async (page: Parameters<Store['webhooks']['deliveries']>[1]) =>
        (await store.webhooks.deliveries('w1', page)).map(({ id }) => id);
      expect(await ids({ limit: 10 })).toEqual(['d4', 'd3', 'd2', 'd1']);
      expect(await ids({ limit: 2, before: 'd4' })).toEqual(['d3', 'd2']);
      expect(await ids({ limit: 10, status: 'pending' })).toEqual(['d4', 'd2', 'd1']);
      expect(await ids({ limit: 10, status: 'delivered' })).toEqual(['d3']);
      expect(await ids({ limit: 1, status: 'pending', before: 'd2' })).toEqual(['d1']);
    });

    it('that are replayed wait for the delivery being attempted', async () => {
      const store = await withDeliveries(database);
      const failed = { status: 'failed', error: 'no', httpStatus: 500 } as const;
      await store.webhooks.recordAttempts([
        outcome({ id: 'd1', executionId: 'a' }, failed),
        outcome({ id: 'd3', executionId: 'b' }, failed),
      ]);
      const later = context({ atMs: AT_MS + 20 });
      expect(await store.webhooks.replay('w1', 'd2', later)).toBe(false);
      expect(await store.webhooks.replay('w1', 'd9', later)).toBe(false);
      expect(await store.webhooks.replayFailed('w1', 10, later)).toBe(2);
      expect((await turns(store)).toSorted()).toEqual(['a 2', 'b 1']);
      await store.webhooks.recordAttempts([outcome({ id: 'd2', executionId: 'a' })]);
      expect((await turns(store)).toSorted()).toEqual(['a 1', 'b 1']);
      expect(await store.webhooks.delivery('w1', 'd1')).toMatchObject({ status: 'pending', attempts: 0, settledAtMs: null });
      expect(await store.webhooks.replayFailed('w1', 10, later)).toBe(0);
    });

    it('wait while their webhook is disabled', async () => {
      const store = await withDeliveries(database);
      const waiting = () => store.webhooks.withReadyDeliveries({ after: '', limit: 10 });
      expect(await waiting()).toEqual(['w1']);
      await store.webhooks.update('w1', { enabled: false }, 'webhook_disabled', context());
      expect(await waiting()).toEqual([]);
      expect(await store.webhooks.recipient('w1')).toMatchObject({ webhook: { enabled: false }, tenantStatus: 'active' });
      await store.webhooks.update('w1', { enabled: true }, 'webhook_updated', context());
      expect(await waiting()).toEqual(['w1']);
      expect(await store.webhooks.withReadyDeliveries({ after: 'w1', limit: 10 })).toEqual([]);
    });

    it('are swept with their webhook, and some time after they are settled', async () => {
      const store = await withDeliveries(database);
      const failed = { status: 'failed', error: 'no', httpStatus: 500 } as const;
      await store.webhooks.recordAttempts([
        outcome({ id: 'd1', executionId: 'a' }),
        outcome({ id: 'd3', executionId: 'b' }, failed),
      ]);
      const sweep = (deliveredMs: number, failedMs: number, limit = 10) => store.webhooks.sweep({ deliveredMs, failedMs }, limit);
      expect(await sweep(AT_MS + 10, AT_MS + 10)).toBe(0);
      expect(await sweep(AT_MS + 11, AT_MS + 10)).toBe(1);
      expect(await sweep(AT_MS + 11, AT_MS + 11)).toBe(1);
      await store.webhooks.remove('w1', context());
      expect(await store.webhooks.recipient('w1')).toBeNull();
      expect(await enqueue(store, delivery('d5', 'a', 4))).toBe(true);
      expect(await sweep(0, 0, 1)).toBe(1);
      expect(await sweep(0, 0)).toBe(2);
      expect(await sweep(0, 0)).toBe(0);
      expect(await store.webhooks.delivery('w1', 'd4')).toBeNull();
    });
  });
}
