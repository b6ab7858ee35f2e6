import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Where a connection to a database is cut: `before` the commit is sent · `after`: the reply is dropped · `within`: after a share of the bytes of
 * the packet with the commit · `late`: as `before`, but the commit reaches the server after `commitsLater` other commits.
 */
export type Cut =
  | { readonly at: 'before' | 'after' }
  | { readonly at: 'within'; readonly share: number }
  | { readonly at: 'late'; readonly commitsLater: number };

/** A TCP proxy that cuts connections at chosen commits. */
export class CuttingProxy {
  /** Number of connections cut so far. */
  cuts = 0;
  readonly #server: Server;
  readonly #port: number;
  readonly #commitMarkers: readonly string[];
  readonly #nextCut: () => Cut | null;
  readonly #sockets = new Set<Socket>();
  /** Number of commits seen so far. */
  #commits = 0;
  #late: { readonly atCommits: number; readonly server: Socket; readonly packet: Buffer }[] = [];

  /** `marks`: texts that identify the packet of a commit. `next` is called for every commit; null lets it pass. */
  constructor(port: number, marks: readonly string[], next: () => Cut | null) {
    this.#port = port;
    this.#commitMarkers = marks;
    this.#nextCut = next;
    this.#server = createServer((client) => this.#connected(client));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Sends withheld commits to the server; resolves when the server has processed them. */
  async release(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    await Promise.all(
      late.map(async ({ server, packet }) => {
        server.end(packet);
        await once(server, 'close');
      }),
    );
  }

  #connected(client: Socket): void {
    const server = connect(this.#port, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let isCut = false;
    client.on('data', (packet) => {
      if (isCut) return;
      const at = Math.max(...this.#commitMarkers.map((mark) => packet.indexOf(mark)));
      const cut = at === -1 ? null : this.#onCommit();
      if (cut === null) {
        server.write(packet);
        return;
      }
      isCut = true;
      this.cuts += 1;
      this.#cut(cut, server, packet, at);
      client.destroy();
    });
    server.on('data', (answer) => {
      if (!isCut) client.write(answer);
    });
    client.on('close', () => {
      if (!isCut) server.end();
    });
    server.on('close', () => client.destroy());
  }

  #onCommit(): Cut | null {
    this.#commits += 1;
    const due = this.#late.filter((late) => late.atCommits <= this.#commits);
    this.#late = this.#late.filter((late) => late.atCommits > this.#commits);
    for (const { server, packet } of due) server.end(packet);
    return this.#nextCut();
  }

  /** The server processes the bytes that it received, and then finds the connection closed. */
  #cut(cut: Cut, server: Socket, packet: Buffer, at: number): void {
    switch (cut.at) {
      case 'before':
        server.end(packet.subarray(0, at));
        return;
      case 'after':
        server.end(packet);
        return;
      case 'within':
        server.end(packet.subarray(0, Math.round(cut.share * packet.length)));
        return;
      case 'late':
        this.#late.push({ atCommits: this.#commits + cut.commitsLater, server, packet });
    }
  }
}
