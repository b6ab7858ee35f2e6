import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { StoredArtifact } from '../../../src/api/schemas/artifacts.ts';
import { type Api, api } from '../support/api.ts';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff, 0xfe, 0x7b]);

async function put({ call }: Api, raw: Buffer | string, headers: Record<string, string> = {}, query = '') {
  const { status, body } = await call('POST', `/artifacts${query}`, { rawBody: raw, headers });
  return { status, error: body.error, stored: body as unknown as StoredArtifact };
}

/** Like `call`, but the reply is bytes. */
async function download(made: Api, key: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const authorization = `Bearer ${await made.token('viewer')}`;
  return made.app.inject({ method, url: `/artifacts/${key}`, headers: { authorization, ...headers } });
}

describe('POST /artifacts', () => {
  it('stores bytes unchanged under their hash', async () => {
    const made = await api();
    const { status, stored } = await put(made, PNG, { 'content-type': 'image/png' });
    expect([status, stored]).toEqual([200, { hash: hash('sha256', PNG, 'hex'), size: 8, media_type: 'image/png' }]);
    const reply = await download(made, stored.hash);
    expect([reply.statusCode, reply.headers['content-type'], reply.rawPayload]).toEqual([200, 'image/png', PNG]);
  });

  it('does not parse a body as JSON, whatever its content type', async () => {
    const made = await api();
    const { stored } = await put(made, '{"not": json', { 'content-type': 'application/json; charset=utf-8' });
    const reply = await download(made, stored.hash);
    expect([reply.headers['content-type'], reply.payload]).toEqual(['application/json; charset=utf-8', '{"not": json']);
  });

  it('prefers the media type of the query to that of the header, and stores null for none', async () => {
    const made = await api();
    const named = await put(made, 'a', { 'content-type': 'text/plain' }, '?media_type=text/markdown');
    expect(named.stored.media_type).toBe('text/markdown');
    const { stored } = await put(made, 'b');
    expect(stored.media_type).toBeNull();
    expect((await download(made, stored.hash)).headers['content-type']).toBe('application/octet-stream');
  });

  it('keeps the first media type', async () => {
    const made = await api();
    await put(made, PNG, { 'content-type': 'image/png' });
    const { status, stored } = await put(made, PNG, { 'content-type': 'text/html' });
    expect([status, stored.media_type]).toEqual([200, 'image/png']);
  });

  it('stores an empty artifact', async () => {
    const made = await api();
    const { status, stored } = await put(made, '', { 'content-type': 'text/plain' });
    expect([status, stored]).toEqual([200, { hash: hash('sha256', '', 'hex'), size: 0, media_type: 'text/plain' }]);
    expect((await download(made, stored.hash)).rawPayload).toEqual(Buffer.alloc(0));
    expect((await made.call('POST', '/artifacts')).body).toMatchObject({ hash: stored.hash });
  });

  it('accepts eight mebibytes and no more', async () => {
    const made = await api();
    const most = Buffer.alloc(8 * 1024 * 1024, 7);
    const { status, stored } = await put(made, most);
    expect([status, stored.size]).toEqual([200, most.length]);
    const over = await put(made, Buffer.concat([most, PNG]));
    expect([over.status, over.error]).toEqual([413, 'bad request: the artifact is larger than 8 MiB']);
  });

  it.each([
    ['?media_type=none', 'not a media type: none'],
    ['?media_type=text/html%0d%0aset-cookie:a', 'not a media type: text/html\r\nset-cookie:a'],
  ])('refuses the media type of %s', async (query, error) => {
    const made = await api();
    const refused = await put(made, 'a', {}, query);
    expect([refused.status, refused.error]).toEqual([400, `bad request: ${error}`]);
  });

  it('is for developers and operators; every role may read', async () => {
    const { call } = await api();
    for (const as of ['viewer', 'reviewer', 'developer', 'operator'] as const) {
      const { status } = await call('POST', '/artifacts', { as, rawBody: 'a' });
      expect([as, status]).toEqual([as, as === 'developer' || as === 'operator' ? 200 : 403]);
      expect((await call('GET', '/artifacts/none', { as })).status).toBe(404);
    }
    expect((await call('POST', '/artifacts', { as: null, rawBody: 'a' })).status).toBe(401);
  });

  it('leaves a sealed audit entry', async () => {
    const made = await api();
    await put(made, PNG);
    await put(made, PNG);
    expect(await made.store.verifyAudit()).toMatchObject({ fault: null });
  });
});

describe('GET /artifacts/:hash', () => {
  it('returns a download that browsers do not run, and that can be cached', async () => {
    const made = await api();
    const { stored } = await put(made, '<script>alert(1)</script>', { 'content-type': 'text/html' });
    const reply = await download(made, stored.hash);
    expect(reply.headers).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': `attachment; filename="${stored.hash}"`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, max-age=31536000, immutable',
      etag: `"${stored.hash}"`,
    });
    const known = await download(made, stored.hash, { 'if-none-match': `"other", W/"${stored.hash}"` });
    expect([known.statusCode, known.payload]).toEqual([304, '']);
  });

  it('replies to HEAD with the size', async () => {
    const made = await api();
    const { stored } = await put(made, PNG, { 'content-type': 'image/png' });
    const reply = await download(made, stored.hash, {}, 'HEAD');
    expect([reply.statusCode, reply.headers['content-length'], reply.payload]).toEqual([200, '8', '']);
  });

  it('returns 404 for unknown and malformed hashes, and those of another tenant', async () => {
    const made = await api();
    const { stored } = await put(made, PNG);
    for (const key of ['0'.repeat(64), 'none', stored.hash.toUpperCase()]) {
      const { status, body } = await made.get(`/artifacts/${key}`);
      expect([status, body.error]).toEqual([404, `not found: artifact ${key}`]);
    }
    await made.post('/tenants', { id: 'acme', name: 'Acme' }, { as: 'operator' });
    const headers = { authorization: `Bearer ${await made.token('operator', { tenantId: 'acme' })}` };
    const foreign = await made.get(`/artifacts/${stored.hash}`, { as: null, headers });
    expect([foreign.status, foreign.body.error]).toEqual([404, `not found: artifact ${stored.hash}`]);
  });

  it('has no other methods', async () => {
    const { call } = await api();
    const { status, headers } = await call('DELETE', '/artifacts/none');
    expect([status, headers.allow]).toEqual([405, 'GET']);
  });
});
