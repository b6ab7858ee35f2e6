import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';

/** Passes connections on to a port of this machine, and counts what the clients send. */
export class CountingProxy {
  readonly #server: Server;
  #roundTrips = 0;
  #sentBytes = 0;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1').setNoDelay();
      let isAnswered = true;
      client.setNoDelay().on('data', (bytes) => {
        this.#sentBytes += bytes.length;
        if (isAnswered) this.#roundTrips += 1;
        isAnswered = false;
      });
      upstream.on('data', () => {
        isAnswered = true;
      });
      client.pipe(upstream).pipe(client);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const)
        socket.on('error', () => other.destroy());
    });
  }

  static async to(port: number): Promise<CountingProxy> {
    const proxy = new CountingProxy(port);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How often a client has sent something after an answer, or first. */
  get roundTrips(): number {
    return this.#roundTrips;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
