import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOptions } from 'node:net';
import { readiness } from './readiness.ts';

const RETRY_AFTER_SECS = '1';

const NOT_READY = readiness({ database: 'unknown', migrations: 'pending', backlog: 'ok', shutdown: 'ok' });
const REFUSAL = { error: 'service unavailable: the server is starting', code: 'starting' };

export interface StartingListener {
  /** Frees the address. */
  close(): Promise<void>;
}

/**
 * Listens while the database is opened and migrated, which may take minutes: probes learn that the process is alive and not ready, every
 * other request gets 503. Rejects with the error of `listen`, before anything has been migrated.
 */
export async function listenWhileStarting(address: Pick<ListenOptions, 'host' | 'port'>): Promise<StartingListener> {
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => resolve());
  });
  return { close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answer({ url = '/' }: IncomingMessage, response: ServerResponse): void {
  const [path] = url.split('?', 1);
  const isLive = path === '/health/live';
  const body = isLive ? { status: 'ok' } : path === '/health/ready' ? NOT_READY : REFUSAL;
  response.writeHead(isLive ? 200 : 503, {
    'content-type': 'application/json; charset=utf-8',
    ...(isLive ? {} : { 'retry-after': RETRY_AFTER_SECS }),
  });
  response.end(JSON.stringify(body));
}
