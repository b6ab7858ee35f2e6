import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Passes connections on to a port of this machine, and counts what the clients send. */
export class CountingProxy {
  readonly #server: Server;
  #roundTrips = 0;
  #sentBytes = 0;

  private constructor(port: number, delayMs: number) {
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
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on('error', () => to.destroy());
        if (delayMs === 0) from.pipe(to);
        else passOnLater(from, to, delayMs);
      }
    });
  }

  /** `delayMs`: how long what is sent takes, in each direction. */
  static async to(port: number, { delayMs = 0 } = {}): Promise<CountingProxy> {
    const proxy = new CountingProxy(port, delayMs);
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

/** Timers of the same duration end in the order in which they began. */
function passOnLater(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
}
