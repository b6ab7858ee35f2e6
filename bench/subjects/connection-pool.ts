import { HttpConnection, type Reply } from './http-connection.ts';

/**
 * Keep-alive connections that were opened in advance, as clients have them: Node accepts one new connection in each turn of its event loop. A
 * request waits for a free one.
 */
export class ConnectionPool {
  readonly #connections: readonly HttpConnection[];
  readonly #free: HttpConnection[];
  readonly #waiting: ((connection: HttpConnection) => void)[] = [];

  private constructor(connections: readonly HttpConnection[]) {
    this.#connections = connections;
    this.#free = [...connections];
  }

  static async open(url: string, token: string, count: number): Promise<ConnectionPool> {
    return new ConnectionPool(await Promise.all(Array.from({ length: count }, () => HttpConnection.open(url, token))));
  }

  async send(method: 'GET' | 'POST', path: string, body = ''): Promise<Reply> {
    const connection = this.#free.pop() ?? (await new Promise<HttpConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      return await connection.send(method, path, body);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(connection);
      else next(connection);
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
