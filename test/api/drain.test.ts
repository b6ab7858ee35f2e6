import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { api } from './api.ts';

describe('a server that closes', () => {
  it('does not wait for clients that left before they had their answer', async () => {
    const { app, token } = await api();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const authorization = `Bearer ${await token('viewer')}`;
    const left = http.get({ port, path: '/events/stream', headers: { authorization, accept: 'text/event-stream' } });
    await new Promise((resolve) => left.once('response', resolve));
    // A connection without a request, such as browsers open in advance.
    const idle = http.request({ port, headers: { connection: 'keep-alive' } });
    idle.on('error', () => {});
    idle.flushHeaders();
    left.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await app.close();
    expect(app.server.listening).toBe(false);
  }, 6_000);
});
