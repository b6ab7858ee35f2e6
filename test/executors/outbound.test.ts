import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Outbound, type OutboundRequest } from '../../src/executors/outbound.ts';
import { webServer } from './web-server.ts';
import { failure } from './work.ts';

const open = new Outbound({ allowPrivateAddresses: true });
const guarded = new Outbound({ allowPrivateAddresses: false });

const get = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  url,
  method: 'GET',
  headers: {},
  body: null,
  signal: AbortSignal.timeout(10_000),
  ...more,
});

describe('the guarded HTTP client', () => {
  it('sends method, headers and body, and gives status, headers and text', async () => {
    const { url, requests: seen } = await webServer((_, response) => response.writeHead(201, { 'x-kind': 'test' }).end('größer'));
    const response = await open.request(get(`${url}/a?b=1`, { method: 'POST', headers: { 'X-One': '1' }, body: 'hällo' }));
    expect(response).toMatchObject({ status: 201, text: 'größer', headers: { 'x-kind': 'test' } });
    expect(seen).toMatchObject([
      { method: 'POST', url: '/a?b=1', body: 'hällo', headers: { 'x-one': '1', 'content-length': '6' } },
    ]);
  });

  it('decompresses and decodes by charset', async () => {
    const { url } = await webServer(({ url: path }, response) => {
      if (path === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('zipped'));
      else response.writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' }).end(Buffer.from('gr\xfcn', 'latin1'));
    });
    expect((await open.request(get(`${url}/gzip`))).text).toBe('zipped');
    expect((await open.request(get(`${url}/latin`))).text).toBe('grün');
  });

  describe('refuses', () => {
    it.each([
      'http://127.0.0.1/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://0177.0.0.1/',
      'http://127.1/',
      'http://[::1]/',
      'http://[::ffff:127.0.0.1]/',
      'http://10.0.0.1/',
      'http://169.254.169.254/latest/meta-data/',
      'http://localhost:1/',
      'http://0/',
    ])('%s when private addresses are closed', async (url) => {
      expect(await failure(guarded.request(get(url)))).toMatchObject({ errorClass: 'blocked_address', retryable: false });
    });

    it('a name that leads to a private address without naming that', async () => {
      const { message } = await failure(guarded.request(get('http://localhost:1/')));
      expect(message).toBe('localhost leads to a private address, which this runtime may not reach');
      const refused = await failure(open.request(get('http://localhost:1/')));
      expect(refused.message).toMatch(/^http:\/\/localhost:1\/: connect ECONNREFUSED localhost:1/);
      expect(refused.message).not.toMatch(/127\.0\.0\.1|::1/);
    });

    it.each(['http://169.254.169.254/', 'http://[fe80::1]/', 'http://0.0.0.0/', 'http://[fd00:ec2::254]/'])(
      '%s even when they are open',
      async (url) => {
        expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'blocked_address', retryable: false });
      },
    );

    it.each([
      ['nonsense', /"nonsense" is not a URL/],
      ['', /"" is not a URL/],
      ['file:///etc/passwd', /neither http nor https/],
      ['ftp://example.com/', /neither http nor https/],
      ['http://user:secret@example.com/', /^the URL for example.com holds a user name or password: /],
    ])('the URL %s', async (url, message) => {
      expect(await failure(open.request(get(url)))).toMatchObject({
        message: expect.stringMatching(message),
        errorClass: 'validation',
        retryable: false,
      });
    });

    it.each([
      [{ Host: 'elsewhere' }, 'header "Host" is set by the runtime itself'],
      [{ 'Transfer-Encoding': 'chunked' }, 'header "Transfer-Encoding" is set by the runtime itself'],
      [{ 'x-split': 'a\r\nx-evil: 1' }, 'header "x-split" has a character that headers may not have'],
      [{ 'x bad': '1' }, 'header "x bad" has a character that headers may not have'],
    ])('the headers %o', async (headers, message) => {
      const { url, requests: seen } = await webServer((_, response) => response.end());
      expect(await failure(open.request(get(url, { headers })))).toMatchObject({
        message,
        errorClass: 'validation',
        retryable: false,
      });
      expect(seen).toEqual([]);
    });
  });

  describe('follows redirects', () => {
    it('within an origin with all headers, and changes POST into GET where browsers do', async () => {
      const { url, requests: seen } = await webServer(({ url: path }, response) => {
        if (path === '/303') response.writeHead(303, { location: '/end' });
        else if (path === '/307') response.writeHead(307, { location: 'end' });
        response.end();
      });
      const headers = { authorization: 'Bearer s', 'content-type': 'text/plain' };
      await open.request(get(`${url}/303`, { method: 'POST', body: 'b', headers }));
      await open.request(get(`${url}/307`, { method: 'PUT', body: 'b', headers }));
      expect(seen.filter((request) => request.url === '/end')).toMatchObject([
        { method: 'GET', body: '', headers: { authorization: 'Bearer s' } },
        { method: 'PUT', body: 'b', headers: { authorization: 'Bearer s', 'content-type': 'text/plain' } },
      ]);
    });

    it('to another origin without anything that may be a credential', async () => {
      const there = await webServer((_, response) => response.end('there'));
      const here = await webServer((_, response) => response.writeHead(302, { location: `${there.url}/x` }).end());
      const headers = { authorization: 'Bearer s', cookie: 'c', 'x-api-key': 'k', accept: 'text/plain' };
      expect((await open.request(get(here.url, { headers }))).text).toBe('there');
      const [request] = there.requests;
      expect(request?.headers).toMatchObject({ accept: 'text/plain' });
      for (const name of ['authorization', 'cookie', 'x-api-key']) expect(request?.headers).not.toHaveProperty(name);
    });

    it('but not to a refused address', async () => {
      const { url } = await webServer((_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end());
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'blocked_address' });
    });

    it('but not to another scheme', async () => {
      const { url } = await webServer((_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end());
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'validation' });
    });

    it('but not for ever', async () => {
      const { url, requests: seen } = await webServer((_, response) => response.writeHead(302, { location: '/again' }).end());
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'client_error', retryable: false });
      expect(seen).toHaveLength(6);
    });
  });

  describe('gives every failure a class', () => {
    it.each([
      [429, 'rate_limit', true],
      [500, 'server_error', true],
      [503, 'server_error', true],
      [400, 'client_error', false],
      [404, 'client_error', false],
      [304, 'client_error', false],
    ])('status %i is %s', async (status, errorClass, retryable) => {
      const { url } = await webServer((_, response) =>
        response.writeHead(status).end(status === 304 ? undefined : 'because\n  of it'),
      );
      const error = await failure(open.request(get(`${url}/p?token=secret`)));
      expect(error).toMatchObject({ errorClass, retryable });
      expect(error.message).toBe(`${url}/p answered ${status}${status === 304 ? '' : ': because of it'}`);
    });

    it('nobody listens: io_error', async () => {
      const error = await failure(open.request(get('http://127.0.0.1:1/x?secret=1')));
      expect(error).toMatchObject({ errorClass: 'io_error', retryable: true });
      expect(error.message).toMatch(/^http:\/\/127\.0\.0\.1:1\/x: .*ECONNREFUSED/);
    });

    it('the connection breaks: connection_reset', async () => {
      const { url } = await webServer((request) => request.socket.resetAndDestroy());
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
    });

    it('the connection breaks within the body: connection_reset', async () => {
      const { url } = await webServer((request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => request.socket.resetAndDestroy());
      });
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
    });

    it('the answer is no HTTP: io_error', async () => {
      const server = createServer((socket) => void socket.end('SSH-2.0-nonsense\r\n\r\n')).listen(0, '127.0.0.1');
      onTestFinished(() => void server.close());
      await new Promise((resolve) => server.once('listening', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      expect(await failure(open.request(get(`http://127.0.0.1:${port}/`)))).toMatchObject({
        errorClass: 'io_error',
        retryable: true,
      });
    });

    it('nothing comes in time: timeout', async () => {
      const { url } = await webServer(() => {});
      expect(await failure(open.request(get(url, { signal: AbortSignal.timeout(20) })))).toMatchObject({
        errorClass: 'timeout',
        retryable: true,
      });
    });

    it('the body does not end in time: timeout', async () => {
      const { url } = await webServer((_, response) => void response.write('begun'));
      expect(await failure(open.request(get(url, { signal: AbortSignal.timeout(50) })))).toMatchObject({ errorClass: 'timeout' });
    });

    it('aborted before it began', async () => {
      const { url, requests: seen } = await webServer((_, response) => response.end());
      await failure(open.request(get(url, { signal: AbortSignal.abort() })));
      expect(seen).toEqual([]);
    });

    it('more than the limit, compressed or not: response_too_large', async () => {
      const small = new Outbound({ allowPrivateAddresses: true, maxBytes: 1_000 });
      const { url } = await webServer(({ url: path }, response) => {
        if (path === '/bomb') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1_000_000)));
        else response.end('x'.repeat(path === '/fits' ? 1_000 : 1_001));
      });
      expect((await small.request(get(`${url}/fits`))).text).toHaveLength(1_000);
      for (const path of ['/more', '/bomb']) {
        expect(await failure(small.request(get(`${url}${path}`)))).toMatchObject({
          errorClass: 'response_too_large',
          retryable: false,
        });
      }
    });

    it('an answer that never ends is cut off at the limit', async () => {
      const { url } = await webServer((request, response) => {
        const flood = (): void => {
          while (!request.socket.destroyed && response.write('x'.repeat(65_536)));
          if (!request.socket.destroyed) response.once('drain', flood);
        };
        flood();
      });
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'response_too_large' });
    });

    it('compressed data that is broken, or an encoding nobody asked for', async () => {
      const { url } = await webServer(({ url: path }, response) =>
        response.writeHead(200, { 'content-encoding': path === '/odd' ? 'zstd' : 'gzip' }).end('no gzip'),
      );
      expect(await failure(open.request(get(`${url}/odd`)))).toMatchObject({ errorClass: 'client_error', retryable: false });
      expect(await failure(open.request(get(`${url}/broken`)))).toMatchObject({ errorClass: 'io_error', retryable: true });
    });
  });

  it('keeps connections, and sends again when the server had closed the kept one', async () => {
    const sockets = new Set<unknown>();
    const {
      url,
      server,
      requests: seen,
    } = await webServer((request, response) => {
      sockets.add(request.socket);
      response.end('ok');
    });
    const client = new Outbound({ allowPrivateAddresses: true });
    for (let turn = 0; turn < 3; turn += 1) await client.request(get(url));
    expect(sockets.size).toBe(1);
    server.closeIdleConnections();
    expect((await client.request(get(url))).text).toBe('ok');
    expect(seen).toHaveLength(4);
  });

  it('sends what has an effect once, however the server goes away', async () => {
    const { url, requests: seen } = await webServer((request, response) => {
      if (request.url === '/close') request.socket.destroy();
      else response.end('ok');
    });
    const client = new Outbound({ allowPrivateAddresses: true });
    await Promise.all(Array.from({ length: 4 }, () => client.request(get(url))));
    const post = { ...get(`${url}/close`), method: 'POST', body: '{}' };
    expect(await failure(client.request(post))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
    expect(seen.filter((request) => request.url === '/close')).toHaveLength(1);
  });

  it('asks again at most once', async () => {
    const { url, requests: seen } = await webServer((request, response) => {
      if (request.url === '/close') request.socket.destroy();
      else response.end('ok');
    });
    const client = new Outbound({ allowPrivateAddresses: true });
    await Promise.all(Array.from({ length: 4 }, () => client.request(get(url))));
    expect(await failure(client.request(get(`${url}/close`)))).toMatchObject({ errorClass: 'connection_reset' });
    expect(seen.filter((request) => request.url === '/close')).toHaveLength(2);
  });
});
