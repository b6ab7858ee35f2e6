import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The way to a database or a server, which may be cut. */
export interface TcpProxy {
  /** The given URL, this way. */
  via(url: string): string;
  /** Connections break, and no others are made. */
  cut(): void;
  /** What is sent does not arrive any more, and nobody is told: as when a host hangs. */
  hang(): void;
  restore(): void;
  /** Connections made from now on go to that port. */
  redirect(port: number): void;
  /** How many connections were refused. */
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
