import { type Static, Type } from 'typebox';
import { DELIVERY_STATUSES } from '../../../store/port/resources/webhooks.ts';
import { Limit, Name, optional, Timestamp } from './fields.ts';

const Url = Type.String({ minLength: 1, maxLength: 2_048 });
/** Kinds of events in PascalCase or snake_case; `*` = all. */
const Kinds = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 64 });
const Description = Type.String({ maxLength: 1_024 });

export const CreateWebhook = Type.Object({
  url: Url,
  /** Absent = all. */
  events: optional(Kinds),
  /** Only executions of this workflow; absent = of any. */
  workflow_id: optional(Name),
  description: optional(Description),
  /** Absent = true. */
  enabled: optional(Type.Boolean()),
});
export type CreateWebhook = Static<typeof CreateWebhook>;

/** What is absent stays as it is. */
export const UpdateWebhook = Type.Object({
  url: Type.Optional(Url),
  events: Type.Optional(Kinds),
  /** Null = executions of any workflow. */
  workflow_id: optional(Name),
  description: optional(Description),
  enabled: Type.Optional(Type.Boolean()),
  /** A new secret, which the answer holds; the old one signs as well for 24 hours. */
  rotate_secret: Type.Optional(Type.Boolean()),
});
export type UpdateWebhook = Static<typeof UpdateWebhook>;

export const Webhook = Type.Object({
  id: Type.String(),
  url: Type.String(),
  /** In PascalCase; `*` alone = all. */
  events: Type.Array(Type.String()),
  workflow_id: Type.Union([Type.String(), Type.Null()]),
  description: Type.Union([Type.String(), Type.Null()]),
  enabled: Type.Boolean(),
  /** Why the runtime turned it off. */
  disabled_reason: Type.Union([Type.String(), Type.Null()]),
  created_at: Timestamp,
  updated_at: Timestamp,
  last_delivered_at: Type.Union([Timestamp, Type.Null()]),
  last_failed_at: Type.Union([Timestamp, Type.Null()]),
  last_failure: Type.Union([Type.String(), Type.Null()]),
  /** Attempts that failed since the last that did not. */
  failures_in_a_row: Type.Integer(),
});
export type Webhook = Static<typeof Webhook>;

/** The only time a secret is seen. */
export const CreatedWebhook = Type.Object({ ...Webhook.properties, secret: Type.String() });
export type CreatedWebhook = Static<typeof CreatedWebhook>;

/** With the secret when it is a new one. */
export const UpdatedWebhook = Type.Object({ ...Webhook.properties, secret: Type.Optional(Type.String()) });
export type UpdatedWebhook = Static<typeof UpdatedWebhook>;

export const WebhookList = Type.Object({ webhooks: Type.Array(Webhook) });
export type WebhookList = Static<typeof WebhookList>;

export const DeletedWebhook = Type.Object({ id: Type.String(), deleted: Type.Literal(true) });
export type DeletedWebhook = Static<typeof DeletedWebhook>;

export const DeliveriesQuery = Type.Object({
  status: Type.Optional(Type.Enum(DELIVERY_STATUSES)),
  limit: Type.Optional(Limit),
  /** `next_cursor` of the page before. */
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
});
export type DeliveriesQuery = Static<typeof DeliveriesQuery>;

export const Delivery = Type.Object({
  /** The header `webhook-id` of every attempt. */
  id: Type.String(),
  webhook_id: Type.String(),
  execution_id: Type.String(),
  sequence: Type.Integer(),
  kind: Type.String(),
  status: Type.Enum(DELIVERY_STATUSES),
  /** Since it was made, or put back. */
  attempts: Type.Integer(),
  /** Null when it is settled, or waits for an earlier one of its execution. */
  next_attempt_at: Type.Union([Timestamp, Type.Null()]),
  last_attempt_at: Type.Union([Timestamp, Type.Null()]),
  /** HTTP status; null when there was no answer. */
  last_status: Type.Union([Type.Integer(), Type.Null()]),
  last_error: Type.Union([Type.String(), Type.Null()]),
  created_at: Timestamp,
  settled_at: Type.Union([Timestamp, Type.Null()]),
});
export type Delivery = Static<typeof Delivery>;

export const DeliveryList = Type.Object({
  deliveries: Type.Array(Delivery),
  /** Null = there are no older ones. */
  next_cursor: Type.Union([Type.String(), Type.Null()]),
});
export type DeliveryList = Static<typeof DeliveryList>;

export const ReplayedDeliveries = Type.Object({ webhook_id: Type.String(), replayed: Type.Integer() });
export type ReplayedDeliveries = Static<typeof ReplayedDeliveries>;

export const TestedWebhook = Type.Object({
  webhook_id: Type.String(),
  /** It answered with 2xx. */
  delivered: Type.Boolean(),
  /** HTTP status; null when there was no answer. */
  status: Type.Union([Type.Integer(), Type.Null()]),
  error: Type.Union([Type.String(), Type.Null()]),
  duration_ms: Type.Integer(),
});
export type TestedWebhook = Static<typeof TestedWebhook>;
