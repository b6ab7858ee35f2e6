import type { RequestListener } from 'node:http';
import Database from 'better-sqlite3';
import type {
  CreatedWebhook,
  DeliveryList,
  ReplayedDeliveries,
  TestedWebhook,
  WebhookList,
} from '../../../src/api/operations/webhooks.ts';
import { webServer } from '../../executors/web-server.ts';
import { eventually } from '../../support/runtimes.ts';
import { type ApiOptions, api, type CallOptions } from './api.ts';

type Bodies = CreatedWebhook & WebhookList & DeliveryList & ReplayedDeliveries & TestedWebhook & { readonly error: string };

interface Message {
  readonly type: string;
  readonly execution_id: string;
  readonly event: { readonly sequence: number };
}

/** A server with background services, and a receiver with this listener. */
export async function webhookServer(
  listener: RequestListener = (_request, response) => response.end(),
  options: ApiOptions = {},
) {
  const receiver = await webServer(listener);
  const server = await api({ background: true, config: { allowPrivateAddresses: true }, ...options });
  const call = async (method: string, url: string, body?: unknown, more: CallOptions = {}) => {
    const reply = await server.call(method, url, { body, ...more });
    return { status: reply.status, body: reply.body as unknown as Bodies };
  };
  const create = async (more: object = {}) => (await call('POST', '/webhooks', { url: receiver.url, ...more })).body;
  const deliveries = async (id: string, query = '') => {
    const { status, body } = await call('GET', `/webhooks/${id}/deliveries?${query}`);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body.deliveries;
  };
  const messages = () => receiver.requests.map(({ body }) => JSON.parse(body) as Message);
  const pay = (id: string) => server.post(`/executions/${id}/external-event`, { correlation_key: 'paid', payload: null });
  const addTenant = (id: string) => {
    const database = new Database(server.path);
    database
      .prepare("INSERT INTO tenants (id, name, status, created_at_ms, updated_at_ms) VALUES (?, ?, 'active', 0, 0)")
      .run(id, id);
    database.close();
  };
  /** Waits until every delivery is settled. */
  const settled = (id: string) => eventually(async () => (await deliveries(id, 'status=pending')).length === 0);
  return { ...server, receiver, request: call, create, deliveries, messages, pay, addTenant, settled };
}

/** A listener that replies with these statuses in turn, then with 200. */
export function answers(...statuses: readonly number[]): RequestListener {
  const left = [...statuses];
  return (_request, response) => response.writeHead(left.shift() ?? 200).end('as configured');
}
