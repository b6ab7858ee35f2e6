import type { Client } from 'pg';
import { Connections } from './connections.ts';
import { asStoreError } from './errors.ts';
import { CONNECT_TIMEOUT_MS, located, onceStarted, READ_TIMEOUT_MS } from './open.ts';

/** Opens a connection without a statement timeout for an administrative task. Errors of the database reject as a `StoreError`. */
export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const timeouts = { statementTimeoutMs: 0, readTimeoutMs: READ_TIMEOUT_MS, connectTimeoutMs: CONNECT_TIMEOUT_MS };
  const settings = { url, listenUrl: url, poolSize: 1, ...timeouts };
  const connections = new Connections(settings, () => {});
  try {
    const client = await onceStarted(() => connections.dedicated(false));
    // When the connection breaks, the running query fails; without a handler, the error would end the process.
    client.on('error', () => {});
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  } catch (error) {
    throw located(asStoreError(error), url);
  } finally {
    await connections.close();
  }
}
