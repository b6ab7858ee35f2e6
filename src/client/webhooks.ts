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

/** How long a ping may take at the other end. */
const PING_MS = 10_000;

/** The webhooks of the token's tenant. */
export class WebhookClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The answer holds the secret: it is not told again. */
  create(webhook: CreateWebhook, options?: CallOptions): Promise<CreatedWebhook> {
    return this.#transport.call('POST', '/webhooks', { ...options, body: webhook });
  }

  list(options?: CallOptions): Promise<WebhookList> {
    return this.#transport.call('GET', '/webhooks', options);
  }

  get(id: string, options?: CallOptions): Promise<Webhook> {
    return this.#transport.call('GET', path(id), options);
  }

  /** What is absent stays as it is. */
  update(id: string, change: UpdateWebhook, options?: CallOptions): Promise<UpdatedWebhook> {
    return this.#transport.call('PUT', path(id), { ...options, body: change });
  }

  delete(id: string, options?: CallOptions): Promise<DeletedWebhook> {
    return this.#transport.call('DELETE', path(id), options);
  }

  deliveries(id: string, query: DeliveriesQuery = {}, options?: CallOptions): Promise<DeliveryList> {
    return this.#transport.call('GET', path(id, '/deliveries'), { ...options, query: { ...query } });
  }

  replayDelivery(id: string, deliveryId: string, options?: CallOptions): Promise<Delivery> {
    return this.#transport.call('POST', path(id, `/deliveries/${pathSegment(deliveryId)}/replay`), options);
  }

  /** All that have failed. */
  replay(id: string, options?: CallOptions): Promise<ReplayedDeliveries> {
    return this.#transport.call('POST', path(id, '/replay'), options);
  }

  test(id: string, options?: CallOptions): Promise<TestedWebhook> {
    return this.#transport.call('POST', path(id, '/test'), { ...options, waitMs: PING_MS });
  }
}

function path(id: string, rest = ''): string {
  return `/webhooks/${pathSegment(id)}${rest}`;
}
