import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

const MAX_FIRST_LOAD_BYTES = 300 * 1_024;
const HTML = { accept: 'text/html' };

describe('loading the console', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();
  let proxy: Server;

  beforeAll(async () => {
    proxy = createServer((incoming, outgoing) => {
      const path = /^\/runtime(\/.*)$/.exec(incoming.url ?? '')?.[1];
      if (path === undefined) {
        outgoing.writeHead(404).end();
        return;
      }
      const { method, headers } = incoming;
      const sent = forward(`${server().url}${path}`, { method, headers }, (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(outgoing);
      });
      outgoing.on('close', () => sent.destroy());
      sent.on('error', () => outgoing.destroy());
      incoming.pipe(sent);
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  });
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  it('takes less than 300 KB for the first page', async () => {
    const { url, token } = server();
    const page = await open({ url, token, context: {} });
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    // Chromium may have the icon in the cache of its process: that is no transfer.
    const sizes = await page.evaluate<number[]>(
      `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter((each) => each.deliveryType !== 'cache')
        .map((each) => each.transferSize)`,
    );
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_FIRST_LOAD_BYTES);
  });

  it('works behind the path prefix of a proxy', async () => {
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/runtime`;
    const page = await open({ url, token: server().token });
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  it('serves a page that runs its own files only and is checked at each load, and assets that are kept', async () => {
    const { url } = server();
    const page = await fetch(url, { headers: HTML });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const content = await page.text();
    expect(content).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);

    const [, script = ''] = /src="\.\/(console\/[\w.-]+\.js)"/.exec(content) ?? [];
    const [plain, compressed] = await Promise.all(
      ['identity', 'gzip'].map((encoding) => fetch(`${url}/${script}`, { headers: { 'accept-encoding': encoding } })),
    );
    expect(plain?.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect([plain, compressed].map((reply) => reply?.headers.get('content-encoding'))).toEqual([null, 'gzip']);
    expect(await compressed?.text()).toBe(await plain?.text());
  });

  it('tells a browser without JavaScript where the API is documented', async () => {
    expect(await (await fetch(server().url, { headers: HTML })).text()).toContain('<noscript>The console needs JavaScript.');
  });
});
