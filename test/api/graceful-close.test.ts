import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/runtimes.ts';
import { api } from './support/api.ts';

describe('a closing server', () => {
  it('does not wait for clients that disconnected before the reply', async () => {
    const { app, token } = await api();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const authorization = `Bearer ${await token('viewer')}`;
    const left = http.get({ port, path: '/events/stream', headers: { authorization, accept: 'text/event-stream' } });
    await new Promise((resolve) => left.once('response', resolve));
    // A connection without a request, such as browsers open in advance.
    connect(port, '127.0.0.1').on('error', () => {});
    await once(app.server, 'connection');
    left.destroy();
    await eventually(async () => (await promisify(app.server.getConnections).call(app.server)) === 1);
    const startedMs = performance.now();
    await app.close();
    expect(app.server.listening).toBe(false);
    // Requests in flight may take eight seconds.
    expect(performance.now() - startedMs).toBeLessThan(7_000);
  });
});
