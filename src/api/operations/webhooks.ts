import { type Static, Type } from 'typebox';
import { DELIVERY_STATUSES } from '../../../store/port/resources/webhooks.ts';
import { byId, flag, integer, limit, listOf, name, nullable, optional, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const DELIVERIES_PAGE = { defaultLimit: 50, maxLimit: 200 };

const url = text('URL that receives the events, by POST.', { minLength: 1, maxLength: 2_048 });
const Kinds = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 64 });
const Description = Type.String({ maxLength: 1_024 });

export const CreateWebhook = Type.Object(
  {
    url,
    events: optional(Kinds, 'Kinds of event to deliver, in PascalCase or snake_case; `*` = all. Default: all.'),
    workflow_id: optional(name('A workflow.'), 'Only events of executions of this workflow. Default: of all.'),
    description: optional(Description, 'What the webhook is for.'),
    enabled: optional(Type.Boolean(), 'Whether events are delivered. Default true.'),
  },
  { description: 'A new webhook.' },
);
export type CreateWebhook = Static<typeof CreateWebhook>;

export const UpdateWebhook = Type.Object(
  {
    url: Type.Optional(url),
    events: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 64,
        description: 'Kinds of event to deliver, in PascalCase or snake_case; `*` = all.',
      }),
    ),
    workflow_id: optional(name('A workflow.'), 'Only events of executions of this workflow; null = of all.'),
    description: optional(Description, 'What the webhook is for; null = nothing.'),
    enabled: Type.Optional(flag('Whether events are delivered.')),
    rotate_secret: Type.Optional(flag('Create a new secret, which the reply contains. The old one signs as well for 24 hours.')),
  },
  { description: 'Changes of a webhook. What is absent is unchanged.' },
);
export type UpdateWebhook = Static<typeof UpdateWebhook>;

export const Webhook = Type.Object(
  {
    id: text('Id of the webhook.'),
    url: text('URL that receives the events.'),
    events: listOf(Type.String(), 'Kinds of event that are delivered, in PascalCase; `*` alone = all.'),
    workflow_id: nullable(Type.String(), 'Only events of executions of this workflow; null = of all.'),
    description: nullable(Type.String(), 'What the webhook is for; null if not given.'),
    enabled: flag('Whether events are delivered.'),
    disabled_reason: nullable(Type.String(), 'Why the runtime disabled the webhook; null if it did not.'),
    created_at: timestamp('When the webhook was created.'),
    updated_at: timestamp('When the webhook was last changed.'),
    last_delivered_at: nullable(timestamp('A time.'), 'When a delivery last succeeded; null if never.'),
    last_failed_at: nullable(timestamp('A time.'), 'When an attempt last failed; null if never.'),
    last_failure: nullable(Type.String(), 'Why that attempt failed; null if none has.'),
    failures_in_a_row: integer('Attempts that failed since the last successful one.'),
  },
  { description: 'A webhook, without its secret.' },
);
export type Webhook = Static<typeof Webhook>;

export const CreatedWebhook = Type.Object(
  { ...Webhook.properties, secret: text('Secret that signs deliveries; returned here and never again.') },
  { description: 'A new webhook with its secret.' },
);
export type CreatedWebhook = Static<typeof CreatedWebhook>;

export const UpdatedWebhook = Type.Object(
  { ...Webhook.properties, secret: Type.Optional(text('The new secret; absent if it was not rotated.')) },
  { description: 'A webhook was changed.' },
);
export type UpdatedWebhook = Static<typeof UpdatedWebhook>;

export const WebhookList = Type.Object(
  { webhooks: listOf(Webhook, 'Oldest first.') },
  { description: 'The webhooks of the tenant.' },
);
export type WebhookList = Static<typeof WebhookList>;

const ById = byId('Id of the webhook.');

export const DeletedWebhook = Type.Object(
  { id: text('Id of the webhook.'), deleted: Type.Literal(true, { description: 'Always true.' }) },
  { description: 'A webhook was deleted.' },
);
export type DeletedWebhook = Static<typeof DeletedWebhook>;

export const DeliveriesQuery = Type.Object({
  status: Type.Optional(Type.Enum(DELIVERY_STATUSES, { description: 'Only deliveries with this status.' })),
  limit: limit(DELIVERIES_PAGE),
  cursor: Type.Optional(text('`next_cursor` of the previous page.', { minLength: 1, maxLength: 64 })),
});
/** Which deliveries of a webhook are listed. */
export type DeliveriesQuery = Static<typeof DeliveriesQuery>;

export const Delivery = Type.Object(
  {
    id: text('Id of the delivery: the header `webhook-id` of every attempt.'),
    webhook_id: text('Webhook to which the event is delivered.'),
    execution_id: text('Execution of the event.'),
    sequence: integer('Sequence of the event.'),
    kind: text('Kind of the event, in PascalCase.'),
    status: Type.Enum(DELIVERY_STATUSES, { description: 'Status of the delivery.' }),
    attempts: integer('Number of attempts since the delivery was created or last replayed.'),
    next_attempt_at: nullable(
      timestamp('A time.'),
      'When the next attempt is due; null if the delivery is settled or waits for an earlier one of its execution.',
    ),
    last_attempt_at: nullable(timestamp('A time.'), 'When the last attempt was made; null if none was.'),
    last_status: nullable(Type.Integer(), 'HTTP status of the last attempt; null if there was no response.'),
    last_error: nullable(Type.String(), 'Why the last attempt failed; null if it did not.'),
    created_at: timestamp('When the delivery was created.'),
    settled_at: nullable(timestamp('A time.'), 'When the delivery succeeded or was given up; null until then.'),
  },
  { description: 'An event that is delivered to a webhook.' },
);
export type Delivery = Static<typeof Delivery>;

export const DeliveryList = Type.Object(
  {
    deliveries: listOf(Delivery, 'Newest first.'),
    next_cursor: nullable(Type.String(), 'Cursor of the next page; null if there is none.'),
  },
  { description: 'A page of deliveries.' },
);
export type DeliveryList = Static<typeof DeliveryList>;

export const ReplayedDeliveries = Type.Object(
  { webhook_id: text('Id of the webhook.'), replayed: integer('Number of failed deliveries that are attempted again.') },
  { description: 'Failed deliveries are attempted again.' },
);
export type ReplayedDeliveries = Static<typeof ReplayedDeliveries>;

export const TestedWebhook = Type.Object(
  {
    webhook_id: text('Id of the webhook.'),
    delivered: flag('Whether the receiver answered with a 2xx status.'),
    status: nullable(Type.Integer(), 'HTTP status of the answer; null if there was none.'),
    error: nullable(Type.String(), 'Why the ping failed; null if it did not.'),
    duration_ms: integer('Milliseconds until the answer or the failure.'),
  },
  { description: 'The result of a ping.' },
);
export type TestedWebhook = Static<typeof TestedWebhook>;

export const WEBHOOKS = {
  tag: 'Webhooks',
  operations: {
    'POST /webhooks': {
      id: 'createWebhook',
      access: 'write',
      addsStorage: true,
      summary: 'Create a webhook',
      description: 'Delivers events to a URL. The secret that signs deliveries is returned here and never again.',
      body: CreateWebhook,
      status: 201,
      reply: CreatedWebhook,
    },
    'GET /webhooks': { id: 'listWebhooks', access: 'read', summary: 'List webhooks', reply: WebhookList },
    'GET /webhooks/:id': { id: 'getWebhook', access: 'read', summary: 'Get a webhook', params: ById, reply: Webhook },
    'PUT /webhooks/:id': {
      id: 'updateWebhook',
      access: 'write',
      summary: 'Change a webhook',
      description: 'What is absent is unchanged. Enabling a webhook continues with its pending deliveries.',
      params: ById,
      body: UpdateWebhook,
      reply: UpdatedWebhook,
    },
    'DELETE /webhooks/:id': {
      id: 'deleteWebhook',
      access: 'write',
      summary: 'Delete a webhook and its pending deliveries',
      params: ById,
      reply: DeletedWebhook,
    },
    'POST /webhooks/:id/test': {
      id: 'testWebhook',
      access: 'write',
      summary: 'Send a ping to a webhook',
      params: ById,
      reply: TestedWebhook,
    },
    'GET /webhooks/:id/deliveries': {
      id: 'listWebhookDeliveries',
      access: 'read',
      summary: 'List the deliveries of a webhook, newest first',
      params: ById,
      query: DeliveriesQuery,
      reply: DeliveryList,
    },
    'POST /webhooks/:id/deliveries/:delivery_id/replay': {
      id: 'replayWebhookDelivery',
      access: 'write',
      summary: 'Replay a delivery',
      description: 'Attempts a failed or successful delivery again, after the pending deliveries of its execution.',
      params: Type.Object({ id: text('Id of the webhook.'), delivery_id: text('Id of the delivery.') }),
      reply: Delivery,
    },
    'POST /webhooks/:id/replay': {
      id: 'replayWebhook',
      access: 'write',
      summary: 'Replay all failed deliveries',
      params: ById,
      reply: ReplayedDeliveries,
    },
  },
} satisfies Resource;
