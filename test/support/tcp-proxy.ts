import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP proxy to a database or a server whose connections can be cut. */
export interface TcpProxy {
  /** The given URL, through this proxy. */
  via(url: string): string;
  /** Closes all connections and refuses new ones. */
  cut(): void;
  /** Drops all data without closing connections, like a host that hangs. */
  hang(): void;
  restore(): void;
  /** New connections go to that port. */
  redirect(port: number): void;
  /** Number of refused connections. */
  readonly refused: () => number;
}

export async function openTcpProxy(port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isHushed = false;
  let refused = 0;
  let targetPort = port;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isCut) {
      refused += 1;
      client.destroy();
      return;
    }
    const target = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (!isHushed) to.destroy();
      });
      from.on('data', (data) => {
        if (!isHushed) to.write(data);
      });
      from.on('end', () => {
        if (!isHushed) to.end();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return {
    via: (url) => url.replace(/:\d+\//, `:${own}/`),
    cut,
    hang: () => {
      isHushed = true;
    },
    refused: () => refused,
    redirect: (other) => {
      targetPort = other;
    },
    restore: () => {
      isCut = false;
      isHushed = false;
    },
  };
}
