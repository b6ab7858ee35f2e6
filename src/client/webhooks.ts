import type {
  CreatedWebhook,
  CreateWebhook,
  DeletedWebhook,
  DeliveriesQuery,
  Delivery,
  DeliveryList,
  ReplayedDeliveries,
  TestedWebhook,
  UpdatedWebhook,
  UpdateWebhook,
  Webhook,
  WebhookList,
} from '../api/schemas/webhooks.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** Time the receiver may take to answer a ping. */
const PING_MS = 10_000;

/** The webhooks of the token's tenant. */
export class WebhookClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Creates a webhook. The reply contains the signing secret, which is not shown again. */
  create(webhook: CreateWebhook, options?: CallOptions): Promise<CreatedWebhook> {
    return this.#transport.call('POST', '/webhooks', { ...options, body: webhook });
  }

  /** Lists all webhooks. */
  list(options?: CallOptions): Promise<WebhookList> {
    return this.#transport.call('GET', '/webhooks', options);
  }

  /** Rejects with 404 if the webhook does not exist. */
  get(id: string, options?: CallOptions): Promise<Webhook> {
    return this.#transport.call('GET', path(id), options);
  }

  /** Changes the given fields. With `rotate_secret`, the reply contains the new secret. */
  update(id: string, change: UpdateWebhook, options?: CallOptions): Promise<UpdatedWebhook> {
    return this.#transport.call('PUT', path(id), { ...options, body: change });
  }

  /** Deletes a webhook and its pending deliveries. */
  delete(id: string, options?: CallOptions): Promise<DeletedWebhook> {
    return this.#transport.call('DELETE', path(id), options);
  }

  /** Lists deliveries, newest first; by default 50, at most 200. */
  deliveries(id: string, query: DeliveriesQuery = {}, options?: CallOptions): Promise<DeliveryList> {
    return this.#transport.call('GET', path(id, '/deliveries'), { ...options, query: { ...query } });
  }

  /** Queues one delivery again, whatever its status. */
  replayDelivery(id: string, deliveryId: string, options?: CallOptions): Promise<Delivery> {
    return this.#transport.call('POST', path(id, `/deliveries/${pathSegment(deliveryId)}/replay`), options);
  }

  /** Queues all failed deliveries again. */
  replay(id: string, options?: CallOptions): Promise<ReplayedDeliveries> {
    return this.#transport.call('POST', path(id, '/replay'), options);
  }

  /** Sends one signed ping, also to a disabled webhook; the reply tells whether it was delivered. */
  test(id: string, options?: CallOptions): Promise<TestedWebhook> {
    return this.#transport.call('POST', path(id, '/test'), { ...options, waitMs: PING_MS });
  }
}

function path(id: string, rest = ''): string {
  return `/webhooks/${pathSegment(id)}${rest}`;
}
