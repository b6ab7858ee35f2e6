import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Outbound, type OutboundRequest } from '../../../src/executors/outbound/index.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { webServer } from '../web-server.ts';
import { failure } from '../work.ts';

const open = new Outbound({ allowPrivateAddresses: true });
const publicOnly = new Outbound({ allowPrivateAddresses: false });

const get = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  url,
  method: 'GET',
  headers: {},
  body: null,
  signal: AbortSignal.timeout(PATIENCE_MS),
  ...more,
});

describe('the outbound HTTP client', () => {
  it('sends method, headers and body, and returns status, headers and text', async () => {
    const { url, requests } = await webServer((_, response) => response.writeHead(201, { 'x-kind': 'test' }).end('größer'));
    const response = await open.request(get(`${url}/a?b=1`, { method: 'POST', headers: { 'X-One': '1' }, body: 'hällo' }));
    expect(response).toMatchObject({ status: 201, text: 'größer', headers: { 'x-kind': 'test' } });
    expect(requests).toMatchObject([
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
    ])('%s unless private addresses are allowed', async (url) => {
      expect(await failure(publicOnly.request(get(url)))).toMatchObject({ errorClass: 'blocked_address', retryable: false });
    });

    it('a name that resolves to a private address, without revealing the address', async () => {
      const { message } = await failure(publicOnly.request(get('http://localhost:1/')));
      expect(message).toBe('localhost resolves to a private address, which this runtime may not reach');
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
      ['file:///etc/passwd', /not an http:\/\/ or https:\/\/ URL/],
      ['ftp://example.com/', /not an http:\/\/ or https:\/\/ URL/],
      ['http://user:secret@example.com/', /^the URL for example.com contains a user name or password; /],
    ])('the URL %s', async (url, message) => {
      expect(await failure(open.request(get(url)))).toMatchObject({
        message: expect.stringMatching(message),
        errorClass: 'validation',
        retryable: false,
      });
    });

    it.each([
      [{ Host: 'elsewhere' }, 'header "Host" is reserved: the runtime sets it'],
      [{ 'Transfer-Encoding': 'chunked' }, 'header "Transfer-Encoding" is reserved: the runtime sets it'],
      [{ 'x-split': 'a\r\nx-evil: 1' }, 'header "x-split" contains a character that is not allowed in headers'],
      [{ 'x bad': '1' }, 'header "x bad" contains a character that is not allowed in headers'],
    ])('the headers %o', async (headers, message) => {
      const { url, requests } = await webServer((_, response) => response.end());
      expect(await failure(open.request(get(url, { headers })))).toMatchObject({
        message,
        errorClass: 'validation',
        retryable: false,
      });
      expect(requests).toEqual([]);
    });
  });

  describe('follows redirects', () => {
    it('within an origin with all headers, and changes POST into GET where browsers do', async () => {
      const { url, requests } = await webServer(({ url: path }, response) => {
        if (path === '/303') response.writeHead(303, { location: '/end' });
        else if (path === '/307') response.writeHead(307, { location: 'end' });
        response.end();
      });
      const headers = { authorization: 'Bearer s', 'content-type': 'text/plain' };
      await open.request(get(`${url}/303`, { method: 'POST', body: 'b', headers }));
      await open.request(get(`${url}/307`, { method: 'PUT', body: 'b', headers }));
      expect(requests.filter((request) => request.url === '/end')).toMatchObject([
        { method: 'GET', body: '', headers: { authorization: 'Bearer s' } },
        { method: 'PUT', body: 'b', headers: { authorization: 'Bearer s', 'content-type': 'text/plain' } },
      ]);
    });

    it('to another origin without possible credentials', async () => {
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

    it('but not endlessly', async () => {
      const { url, requests } = await webServer((_, response) => response.writeHead(302, { location: '/again' }).end());
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'client_error', retryable: false });
      expect(requests).toHaveLength(6);
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

    it('no listener: io_error', async () => {
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

    it('the response is not HTTP: io_error', async () => {
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

    it('no response in time: timeout', async () => {
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

    it('aborted before it started', async () => {
      const { url, requests } = await webServer((_, response) => response.end());
      await failure(open.request(get(url, { signal: AbortSignal.abort() })));
      expect(requests).toEqual([]);
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

    it('an endless response: response_too_large', async () => {
      const { url } = await webServer((request, response) => {
        const flood = (): void => {
          while (!request.socket.destroyed && response.write('x'.repeat(65_536)));
          if (!request.socket.destroyed) response.once('drain', flood);
        };
        flood();
      });
      expect(await failure(open.request(get(url)))).toMatchObject({ errorClass: 'response_too_large' });
    });

    it('corrupt compressed data, or an encoding that was not requested', async () => {
      const { url } = await webServer(({ url: path }, response) =>
        response.writeHead(200, { 'content-encoding': path === '/odd' ? 'zstd' : 'gzip' }).end('no gzip'),
      );
      expect(await failure(open.request(get(`${url}/odd`)))).toMatchObject({ errorClass: 'client_error', retryable: false });
      expect(await failure(open.request(get(`${url}/broken`)))).toMatchObject({ errorClass: 'io_error', retryable: true });
    });
  });

  it('reuses connections, and repeats a request if the server had closed the reused one', async () => {
    const sockets = new Set<unknown>();
    const { url, server, requests } = await webServer((request, response) => {
      sockets.add(request.socket);
      response.end('ok');
    });
    const client = new Outbound({ allowPrivateAddresses: true });
    for (let turn = 0; turn < 3; turn += 1) await client.request(get(url));
    expect(sockets.size).toBe(1);
    server.closeIdleConnections();
    expect((await client.request(get(url))).text).toBe('ok');
    expect(requests).toHaveLength(4);
  });

  it('sends a request that is not idempotent only once, however the connection fails', async () => {
    const { url, requests } = await webServer((request, response) => {
      if (request.url === '/close') request.socket.destroy();
      else response.end('ok');
    });
    const client = new Outbound({ allowPrivateAddresses: true });
    await Promise.all(Array.from({ length: 4 }, () => client.request(get(url))));
    const post = { ...get(`${url}/close`), method: 'POST', body: '{}' };
    expect(await failure(client.request(post))).toMatchObject({ errorClass: 'connection_reset', retryable: true });
    expect(requests.filter((request) => request.url === '/close')).toHaveLength(1);
  });

  it('repeats a request at most once', async () => {
    const { url, requests } = await webServer((request, response) => {
      if (request.url === '/close') request.socket.destroy();
      else response.end('ok');
    });
    const client = new Outbound({ allowPrivateAddresses: true });
    await Promise.all(Array.from({ length: 4 }, () => client.request(get(url))));
    expect(await failure(client.request(get(`${url}/close`)))).toMatchObject({ errorClass: 'connection_reset' });
    expect(requests.filter((request) => request.url === '/close')).toHaveLength(2);
  });
});
