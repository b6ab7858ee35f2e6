import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { api, EXTERNAL, REVIEW, UNKNOWN_EXECUTION } from './support/api.ts';

describe('every error is JSON with an error text', () => {
  const paths = [
    ['GET', '/nowhere', 404, /^not found: GET \/nowhere$/],
    ['GET', '/index.html', 404, /^not found: /],
    ['DELETE', '/executions', 405, /^method not allowed: DELETE \/executions; use GET or POST$/],
    ['GET', `/executions/${UNKNOWN_EXECUTION}/approve`, 405, /use POST$/],
    ['GET', '/executions/%zz', 400, /^bad request: /],
    ['GET', `/executions/${'x'.repeat(5_000)}`, 404, /^not found: /],
    ['GET', '/executions/exec_abc123', 404, /^not found: execution exec_abc123$/],
    ['GET', `/executions/${UNKNOWN_EXECUTION}`, 404, new RegExp(`^not found: execution ${UNKNOWN_EXECUTION}$`)],
  ] as const;
  it('for an unknown path or method', async () => {
    const { call } = await api();
    for (const [method, url, status, error] of paths) {
      const reply = await call(method, url);
      expect(reply.headers['content-type']).toMatch(/^application\/json/);
      expect([url, reply.status, reply.body.error]).toEqual([url, status, expect.stringMatching(error)]);
    }
  });

  it('lists the allowed methods', async () => {
    const { call } = await api();
    expect((await call('PUT', '/executions')).headers.allow).toBe('GET, POST');
  });

  const bodies = [
    ['malformed JSON', '{"workflow_id":', /^bad request: the body is not valid JSON/],
    ['no JSON at all', 'workflow_id=a', /^bad request: the body is not valid JSON/],
    ['a list', '[]', /^bad request: the body must be a JSON object$/],
    ['null', 'null', /^bad request: the body must be a JSON object$/],
    ['nothing', '', /^bad request: the body must be a JSON object$/],
    ['a forbidden key', '{"workflow_id":"a","input":{"__proto__":{}}}', /"__proto__" is not allowed$/],
    ['a forbidden pair of keys', '{"constructor":{"prototype":{}}}', /"constructor.prototype" is not allowed$/],
    ['ten thousand levels', `{"input":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /nested more than 256 levels deep$/],
    ['an infinite number', '{"workflow_id":"a","input":1e999}', /beyond the range of a double$/],
    ['a missing field', '{}', /^bad request: workflow_id is required$/],
    ['a wrong type', '{"workflow_id":5}', /^bad request: workflow_id must be a string$/],
    ['a wrong type deep inside', '{"workflow_id":"a","labels":{"team":1}}', /^bad request: labels.team must be a string$/],
  ] as const;
  it('for an invalid body', async () => {
    const { call } = await api();
    for (const [what, raw, error] of bodies) {
      const reply = await call('POST', '/executions', { rawBody: raw });
      expect([what, reply.status, reply.body.error]).toEqual([what, 400, expect.stringMatching(error)]);
    }
  });

  it('for a body beyond two mebibytes', async () => {
    const { post } = await api();
    const { status, body } = await post('/executions', { workflow_id: 'a', input: 'x'.repeat(2 * 1024 * 1024) });
    expect([status, body.error]).toEqual([413, expect.stringMatching(/^bad request: /)]);
  });

  it('for an invalid query', async () => {
    const { get } = await api();
    const wrong = [
      'limit=abc',
      'limit=0',
      'limit=-1',
      'limit=1.5',
      'limit=',
      'limit=1e2',
      'limit=0x1',
      'limit=1&limit=2',
      'offset=-1',
    ];
    for (const query of [...wrong, 'status=nope', 'include=all']) {
      const { status, body } = await get(`/executions?${query}`);
      expect([status, body.error], query).toEqual([400, expect.stringMatching(/^bad request: (limit|offset|status|include) /)]);
    }
  });

  it('carries a stable code', async () => {
    const { get, post } = await api();
    expect((await get('/nowhere')).body.code).toBe('not_found');
    expect((await post('/workflows', {})).body.code).toBe('invalid_workflow');
  });
});

describe('a request', () => {
  it.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', ';;;'])(
    'is JSON whatever its content type says: %s',
    async (type) => {
      const { call } = await api();
      await call('POST', '/workflows', { body: { ir: REVIEW } });
      const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
      const reply = await call('POST', '/executions', { rawBody: '{"workflow_id":"review"}', headers });
      expect(reply.status).toBe(201);
    },
  );

  it('keeps its own X-Request-Id if that is safe, else gets a new one', async () => {
    const { get } = await api();
    expect((await get('/health', { headers: { 'x-request-id': 'trace-1' } })).headers['x-request-id']).toBe('trace-1');
    expect((await get('/health', { headers: { 'x-request-id': 'a\tb' } })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('may be a HEAD wherever it may be a GET', async () => {
    const { call } = await api();
    expect(await call('HEAD', '/executions')).toMatchObject({ status: 200, body: null });
    expect((await call('HEAD', '/executions', { as: null })).status).toBe(401);
  });
});

describe('over a socket', () => {
  /** Everything that is received until the server closes the connection. */
  async function said(text: string): Promise<string> {
    const { app } = await api();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    return new Promise<string>((resolve, reject) => {
      let reply = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => {
        reply += chunk.toString();
      });
      socket.on('close', () => resolve(reply));
      socket.on('error', reject);
    });
  }

  it.each([
    ['what is not HTTP', 'not http at all\r\n\r\n', 'malformed HTTP request'],
    ['a request without a Host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 'an HTTP/1.1 request needs a Host header'],
  ])('replies to %s with JSON', async (_what, text, problem) => {
    const reply = await said(text);
    expect(reply).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')))).toEqual({
      error: `bad request: ${problem}`,
      code: 'client_error',
    });
  });

  it('requires no Host header with HTTP/1.0', async () => {
    expect(await said('GET /health HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('refuses an oversized body before all of it has arrived', async () => {
    const { app, token } = await api();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/executions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token('developer')}` },
      body: JSON.stringify({ workflow_id: 'x'.repeat(3 * 1024 * 1024) }),
    });
    expect(response.status).toBe(413);
    expect(((await response.json()) as { error: string }).error).toMatch(/^bad request: /);
  });
});

describe('a closing server', () => {
  it('ends long polls at once', async () => {
    const { app, call, started } = await api();
    const id = await started(EXTERNAL);
    const poll = call('GET', `/executions/${id}?wait_ms=60000`);
    const claim = call('POST', '/work-items/claim', { body: { worker_id: 'w', queue_types: ['tool'], wait_ms: 60_000 } });
    await call('GET', '/health');
    await app.close();
    expect((await poll).body.status).toBe('running');
    expect((await claim).body).toEqual({ claimed: false });
  });

  it('does not wait for a connection that was never used', async () => {
    const { app } = await api();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => app.server.once('connection', resolve));
    await app.close();
    await gone;
  });

  it('finishes the requests in flight', async () => {
    const { app, token, started } = await api();
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const id = await started(EXTERNAL);
    const headers = { authorization: `Bearer ${await token('viewer')}` };
    const poll = fetch(`${url}/executions/${id}?wait_ms=60000`, { headers });
    await new Promise((resolve) => app.server.once('request', resolve));
    await app.close();
    expect(await (await poll).json()).toMatchObject({ status: 'running' });
  });
});
