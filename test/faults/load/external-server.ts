import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Random } from '../../support/random.ts';

/** An external server: receives webhooks, and replies to `http` nodes. It is always up, but refuses some requests. */
export class ExternalServer {
  readonly url: string;
  /** Delivered sequences by execution, in the order of their first delivery. */
  readonly delivered = new Map<string, number[]>();
  /** Number of deliveries with a wrong signature. */
  badSignatures = 0;
  /** Number of duplicate deliveries. */
  duplicates = 0;
  /** Replies to `http` nodes by execution, with their idempotency keys. */
  readonly answers = new Map<string, { readonly nonce: string; readonly idempotencyKey: string }[]>();
  /** Accepts every request from now on. */
  acceptsEverything = false;
  secret = '';
  readonly #server: Server;
  readonly #random: Random;
  readonly #deliveredKeys = new Set<string>();
  #nonces = 0;

  private constructor(server: Server, random: Random) {
    this.#server = server;
    this.#random = random;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async open(random: Random): Promise<ExternalServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ExternalServer(server, random);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request).catch(() => null);
    if (body === null) return;
    const refuses = !this.acceptsEverything && this.#random.chance(0.02);
    if (request.url === '/sink') this.#answer(request, body, refuses, response);
    else {
      // Recorded before the reply, also if the delivery is refused.
      this.#recordDelivery(request, body);
      response.writeHead(refuses ? 500 : 204).end();
    }
  }

  #answer(request: IncomingMessage, body: string, refuses: boolean, response: ServerResponse): void {
    if (refuses) {
      response.writeHead(503).end();
      return;
    }
    this.#nonces += 1;
    const nonce = `answer-${this.#nonces}`;
    const { execution } = JSON.parse(body) as { readonly execution: string };
    const answers = this.answers.get(execution) ?? [];
    answers.push({ nonce, idempotencyKey: String(request.headers['idempotency-key']) });
    this.answers.set(execution, answers);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ nonce }));
  }

  #recordDelivery({ headers }: IncomingMessage, body: string): void {
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(this.secret.slice('whsec_'.length), 'base64');
    const expected = createHmac('sha256', key).update(signed).digest();
    const given = Buffer.from(String(headers['webhook-signature']).slice('v1,'.length), 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) this.badSignatures += 1;
    const { execution_id: id, event } = JSON.parse(body) as {
      readonly execution_id: string;
      readonly event: { readonly sequence: number };
    };
    const name = `${id} ${event.sequence}`;
    if (this.#deliveredKeys.has(name)) {
      this.duplicates += 1;
      return;
    }
    this.#deliveredKeys.add(name);
    const delivered = this.delivered.get(id) ?? [];
    delivered.push(event.sequence);
    this.delivered.set(id, delivered);
  }
}
