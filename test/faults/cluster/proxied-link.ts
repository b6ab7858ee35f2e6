import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../support/random.ts';

/** A connection counts as active if it carried data within this time. */
const RECENTLY_ACTIVE_MS = 300;
/** Maximum wait for the bytes after which a connection is cut. */
const CUT_TIMEOUT_MS = 3_000;

interface DelayedChunk {
  readonly dueMs: number;
  readonly bytes: Buffer | 'end';
}

/** One direction of a connection: forwards bytes in order, delayed while the link is slow. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #link: ProxiedLink;
  readonly #queue: DelayedChunk[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Number of bytes to forward before both sides are cut. */
  #cutAfter: { bytes: number; readonly done: () => void } | null = null;
  /** Time of the last forwarded data. */
  activeMs = 0;

  constructor(link: ProxiedLink, from: Socket, to: Socket) {
    this.#link = link;
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes) => this.#receive(bytes));
    from.on('end', () => this.#receive('end'));
  }

  /** Returns a function that cancels the cut. */
  cutAfter(bytes: number, done: () => void): () => void {
    this.#cutAfter = { bytes, done };
    return () => {
      this.#cutAfter = null;
    };
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #receive(bytes: Buffer | 'end'): void {
    if (this.#link.isHanging) return;
    if (this.#link.delayMs === 0 && this.#queue.length === 0) {
      this.#forward(bytes);
      return;
    }
    this.#queue.push({ dueMs: performance.now() + this.#link.delayMs, bytes });
    this.#scheduleNext();
  }

  #scheduleNext(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#timer !== null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#queue.shift();
        this.#forward(first.bytes);
        this.#scheduleNext();
      },
      Math.max(0, first.dueMs - performance.now()),
    );
  }

  #forward(bytes: Buffer | 'end'): void {
    if (bytes === 'end') {
      this.#to.end();
      return;
    }
    this.activeMs = performance.now();
    if (this.#cutAfter === null) {
      this.#to.write(bytes);
      return;
    }
    if (bytes.length < this.#cutAfter.bytes) {
      this.#cutAfter.bytes -= bytes.length;
      this.#to.write(bytes);
      return;
    }
    this.#to.end(bytes.subarray(0, this.#cutAfter.bytes));
    this.#from.destroy();
    this.#cutAfter.done();
  }
}

interface ConnectionPair {
  readonly client: Socket;
  readonly target: Socket;
  readonly directions: readonly [up: Direction, down: Direction];
}

/** A TCP proxy on 127.0.0.1 whose connections can be cut, cut in the middle of a message, delayed, stalled and redirected. */
export class ProxiedLink {
  readonly port: number;
  delayMs = 0;
  /** Data is dropped without closing connections. */
  isHanging = false;
  readonly #server: Server;
  readonly #pairs = new Set<ConnectionPair>();
  /** Null = connections are refused. */
  #target: number | null;

  private constructor(server: Server, target: number | null) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#connected(client));
  }

  static async open(target: number | null = null): Promise<ProxiedLink> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ProxiedLink(server, target);
  }

  /** New connections go to that port. */
  redirect(port: number | null): void {
    this.#target = port;
  }

  /** Cuts every connection; returns their number. */
  cutAll(): number {
    const pairs = [...this.#pairs];
    for (const { client, target } of pairs) {
      client.resetAndDestroy();
      target.destroy();
    }
    return pairs.length;
  }

  /**
   * Cuts one active connection: immediately, or after some of the next bytes in one direction. False if those bytes did not arrive in time.
   */
  async cutOne(random: Random, within: 'now' | 'request' | 'response'): Promise<boolean> {
    const sinceMs = performance.now() - RECENTLY_ACTIVE_MS;
    const active = [...this.#pairs].filter(({ directions }) => directions.some(({ activeMs }) => activeMs >= sinceMs));
    if (active.length === 0) return false;
    const { client, target, directions } = random.pick(active);
    if (within === 'now') {
      client.resetAndDestroy();
      target.resetAndDestroy();
      return true;
    }
    const direction = directions[within === 'request' ? 0 : 1];
    return new Promise((resolve) => {
      const cancelCut = direction.cutAfter(random.between(1, 600), () => {
        clearTimeout(timeout);
        resolve(true);
      });
      const timeout = setTimeout(() => {
        cancelCut();
        resolve(false);
      }, CUT_TIMEOUT_MS);
    });
  }

  restore(): void {
    this.delayMs = 0;
    if (!this.isHanging) return;
    this.isHanging = false;
    // Dropped data is missing, so these connections are closed, as by a host that returns.
    this.cutAll();
  }

  close(): void {
    this.cutAll();
    this.#server.close();
  }

  #connected(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.#target === null) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    target.on('error', () => target.destroy());
    for (const socket of [client, target]) socket.setNoDelay(true);
    const pair: ConnectionPair = {
      client,
      target,
      directions: [new Direction(this, client, target), new Direction(this, target, client)],
    };
    this.#pairs.add(pair);
    const gone = (other: Socket): void => {
      this.#pairs.delete(pair);
      for (const direction of pair.directions) direction.stop();
      if (!this.isHanging) other.destroySoon();
    };
    client.on('close', () => gone(target));
    target.on('close', () => gone(client));
  }
}
