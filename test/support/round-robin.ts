import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Longer than any long poll of the tests that use it. */
const ANSWERS_WITHIN_MS = 8_000;
const LEFT_OUT_MS = 5_000;

/**
 * A load balancer as plain as they come: each request goes to the next server. One that refuses the connection is passed over, one that
 * falls silent is left out for a while. What broke off is not repeated, as nobody but the client knows whether it may be: its connection
 * breaks, too.
 */
export class RoundRobin {
  readonly url: string;
  readonly #server: Server;
  readonly #silentUntilMs = new Map<string, number>();
  #servers: readonly string[] = [];
  #turn = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, outgoing) => void this.#pass(incoming, outgoing));
  }

  static open(): Promise<RoundRobin> {
    const server = createServer();
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(new RoundRobin(server))));
  }

  /** The servers from now on, by their URLs. */
  serve(urls: readonly string[]): void {
    this.#servers = urls;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const broken = (): void => void outgoing.destroy();
    const body = await buffer(incoming).catch(() => null);
    if (body === null) return broken();
    for (const url of this.#inTurn()) {
      const outcome = await this.#forward(url, incoming, body, outgoing);
      if (outcome === 'answered') return;
      if (outcome === 'broken') return broken();
    }
    broken();
  }

  #inTurn(): readonly string[] {
    const first = this.#turn++ % Math.max(1, this.#servers.length);
    const all = [...this.#servers.slice(first), ...this.#servers.slice(0, first)];
    const now = Date.now();
    return all.filter((url) => (this.#silentUntilMs.get(url) ?? 0) <= now);
  }

  #forward(
    url: string,
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
  ): Promise<'answered' | 'refused' | 'broken'> {
    return new Promise((resolve) => {
      const options = { method: incoming.method, headers: incoming.headers, timeout: ANSWERS_WITHIN_MS, agent: false } as const;
      const forwarded = request(new URL(incoming.url ?? '/', url), options, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.once('error', () => resolve('broken'));
        outgoing.once('finish', () => resolve('answered'));
        answer.pipe(outgoing);
      });
      forwarded.once('timeout', () => {
        this.#silentUntilMs.set(url, Date.now() + LEFT_OUT_MS);
        forwarded.destroy(new Error('no answer in time'));
      });
      forwarded.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'broken'));
      outgoing.once('close', () => {
        forwarded.destroy();
        resolve('broken');
      });
      forwarded.end(body);
    });
  }
}
