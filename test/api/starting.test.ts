import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenWhileStarting } from '../../src/api/starting.ts';

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a server that starts', () => {
  it('is alive, not ready, and refuses requests until it has migrated its database', async () => {
    const port = await freePort();
    const listener = await listenWhileStarting({ host: '127.0.0.1', port });
    onTestFinished(() => listener.close());
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() };
    };
    expect(await get('/health/live?probe=1')).toEqual({ status: 200, retryAfter: null, body: { status: 'ok' } });
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      retryAfter: '1',
      body: { status: 'not_ready', code: 'not_ready', failed: ['migrations'], checks: { migrations: 'pending' } },
    });
    expect(await get('/executions')).toEqual({
      status: 503,
      retryAfter: '1',
      body: { error: 'service unavailable: the server is starting', code: 'starting' },
    });
    await listener.close();
    await expect(get('/health/live')).rejects.toThrow('fetch failed');
  });

  it('reports a port in use before it opens the database', async () => {
    const port = await freePort();
    const first = await listenWhileStarting({ host: '127.0.0.1', port });
    onTestFinished(() => first.close());
    await expect(listenWhileStarting({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
