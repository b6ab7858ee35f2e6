import { pascalCase } from '../../../machines/events/index.ts';
import type { DeliveryRow, WebhookRow } from '../../../store/port/resources/webhooks.ts';
import { eventTypes } from '../requests/event-filter.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import {
  CreatedWebhook,
  CreateWebhook,
  DELIVERIES_PAGE,
  DeletedWebhook,
  DeliveriesQuery,
  Delivery,
  DeliveryById,
  DeliveryList,
  ReplayedDeliveries,
  TestedWebhook,
  UpdatedWebhook,
  UpdateWebhook,
  Webhook,
  WebhookById,
  WebhookList,
} from '../schemas/webhooks.ts';
import { type Api, actionContext, identityOf, type Services } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

const ALL = '*';

const tags = ['Webhooks'];

export function webhookRoutes(app: Api, services: Services): void {
  const {
    control: { webhooks },
    nowMs,
  } = services;

  app.post(
    '/webhooks',
    {
      config: { access: 'write', addsStorage: true },
      schema: {
        summary: 'Create a webhook',
        description: 'Delivers events to a URL. The secret that signs deliveries is returned here and never again.',
        tags,
        operationId: 'createWebhook',
        body: CreateWebhook,
        response: { 201: CreatedWebhook },
      },
    },
    async (request, reply) => {
      const { url, events, workflow_id, description, enabled } = request.body;
      const definition = {
        url,
        events: kindsOf(events ?? [ALL]),
        workflowId: workflow_id ?? null,
        description: description ?? null,
        enabled: enabled ?? true,
      };
      const row = await webhooks.create(definition, actionContext(request, nowMs()));
      void reply.code(201);
      return { ...toWebhook(row), secret: row.secret };
    },
  );

  app.get(
    '/webhooks',
    {
      config: { access: 'read' },
      schema: { summary: 'List webhooks', tags, operationId: 'listWebhooks', response: { 200: WebhookList } },
    },
    async (request) => ({ webhooks: (await webhooks.list(identityOf(request).tenantId)).map(toWebhook) }),
  );

  app.get(
    '/webhooks/:id',
    {
      config: { access: 'read' },
      schema: { summary: 'Get a webhook', tags, operationId: 'getWebhook', params: WebhookById, response: { 200: Webhook } },
    },
    async (request) => toWebhook(await webhooks.get(identityOf(request).tenantId, request.params.id)),
  );

  app.put(
    '/webhooks/:id',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Change a webhook',
        description: 'What is absent is unchanged. Enabling a webhook continues with its pending deliveries.',
        tags,
        operationId: 'updateWebhook',
        params: WebhookById,
        body: UpdateWebhook,
        response: { 200: UpdatedWebhook },
      },
    },
    async (request) => {
      const { url, events, workflow_id, description, enabled, rotate_secret = false } = request.body;
      const change = {
        ...defined('url', url),
        ...defined('events', events === undefined ? null : kindsOf(events)),
        ...(workflow_id === undefined ? {} : { workflowId: workflow_id }),
        ...(description === undefined ? {} : { description }),
        ...defined('enabled', enabled),
      };
      const options = { rotateSecret: rotate_secret };
      const row = await webhooks.update(request.params.id, change, options, actionContext(request, nowMs()));
      return { ...toWebhook(row), ...(rotate_secret ? { secret: row.secret } : {}) };
    },
  );

  app.delete(
    '/webhooks/:id',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Delete a webhook and its pending deliveries',
        tags,
        operationId: 'deleteWebhook',
        params: WebhookById,
        response: { 200: DeletedWebhook },
      },
    },
    async (request) => {
      await webhooks.remove(request.params.id, actionContext(request, nowMs()));
      return { id: request.params.id, deleted: true as const };
    },
  );

  app.post(
    '/webhooks/:id/test',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Send a ping to a webhook',
        tags,
        operationId: 'testWebhook',
        params: WebhookById,
        response: { 200: TestedWebhook },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { delivered, status, error, durationMs } = await webhooks.test(id, actionContext(request, nowMs()));
      return { webhook_id: id, delivered, status, error, duration_ms: durationMs };
    },
  );

  deliveryRoutes(app, services);
}

function deliveryRoutes(app: Api, { control: { webhooks }, nowMs }: Services): void {
  app.get(
    '/webhooks/:id/deliveries',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the deliveries of a webhook, newest first',
        tags,
        operationId: 'listWebhookDeliveries',
        params: WebhookById,
        querystring: DeliveriesQuery,
        response: { 200: DeliveryList },
      },
    },
    async (request) => {
      const { status, cursor, limit } = request.query;
      const size = limitOf(limit, DELIVERIES_PAGE);
      const page = { ...defined('status', status), ...defined('before', cursor), limit: size + 1 };
      const rows = await webhooks.deliveries(identityOf(request).tenantId, request.params.id, page);
      const shown = rows.slice(0, size);
      return { deliveries: shown.map(toDelivery), next_cursor: rows.length > size ? (shown.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    '/webhooks/:id/deliveries/:delivery_id/replay',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Replay a delivery',
        description: 'Attempts a failed or successful delivery again, after the pending deliveries of its execution.',
        tags,
        operationId: 'replayWebhookDelivery',
        params: DeliveryById,
        response: { 200: Delivery },
      },
    },
    async (request) => {
      const { id, delivery_id } = request.params;
      return toDelivery(await webhooks.replay(id, delivery_id, actionContext(request, nowMs())));
    },
  );

  app.post(
    '/webhooks/:id/replay',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Replay all failed deliveries',
        tags,
        operationId: 'replayWebhook',
        params: WebhookById,
        response: { 200: ReplayedDeliveries },
      },
    },
    async (request) => {
      const { id } = request.params;
      return { webhook_id: id, replayed: await webhooks.replayFailed(id, actionContext(request, nowMs())) };
    },
  );
}

/** In stored form: snake_case, without duplicates, `*` alone. Throws `bad_request`. */
function kindsOf(kinds: readonly string[]): readonly string[] {
  const types = eventTypes(kinds.filter((kind) => kind !== ALL));
  return kinds.includes(ALL) ? [ALL] : [...types];
}

function toWebhook(row: WebhookRow): Webhook {
  return {
    id: row.id,
    url: row.url,
    events: row.events.map((type) => (type === ALL ? ALL : pascalCase(type))),
    workflow_id: row.workflowId,
    description: row.description,
    enabled: row.enabled,
    disabled_reason: row.disabledReason,
    created_at: timestamp(row.createdAtMs),
    updated_at: timestamp(row.updatedAtMs),
    last_delivered_at: timeOrNull(row.lastDeliveredAtMs),
    last_failed_at: timeOrNull(row.lastFailedAtMs),
    last_failure: row.lastFailure,
    failures_in_a_row: row.failures,
  };
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    webhook_id: row.webhookId,
    execution_id: row.executionId,
    sequence: row.seq,
    kind: pascalCase(row.type),
    status: row.status,
    attempts: row.attempts,
    next_attempt_at: timeOrNull(row.nextAttemptAtMs),
    last_attempt_at: timeOrNull(row.lastAttemptAtMs),
    last_status: row.lastStatus,
    last_error: row.lastError,
    created_at: timestamp(row.createdAtMs),
    settled_at: timeOrNull(row.settledAtMs),
  };
}
