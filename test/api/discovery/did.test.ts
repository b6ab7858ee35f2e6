import { describe, expect, it } from 'vitest';
import { didOf } from '../../../src/api/discovery/did.ts';
import type { DidDocument } from '../../../src/api/schemas/federation.ts';
import { agentOf, CARD, card, tenant } from '../support/agents.ts';
import { type Api, api } from '../support/api.ts';

// The rules of https://www.w3.org/TR/did-core/, section by section.

/** 3.1: `did:` method `:` id; the id is of idchars and colons, and does not end in a colon. */
const DID = /^did:[a-z0-9]+:(?:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+$/;
/** 3.2: a DID URL with a fragment (RFC 3986). */
const DID_URL = /^(?<did>did:[^#?/]+)#(?<fragment>(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})+)$/;

function checkDidCore(document: DidDocument): void {
  // 5.1.1: `id` is a DID. 6.3.1: the first context is that of DID 1.0.
  expect(document.id).toMatch(DID);
  expect(document['@context'][0]).toBe('https://www.w3.org/ns/did/v1');
  // 5.4: each service has an id (a URI, used once), a type, and an endpoint that is a URI.
  expect(new Set(document.service.map((service) => service.id)).size).toBe(document.service.length);
  for (const service of document.service) {
    expect(DID_URL.exec(service.id)?.groups?.did).toBe(document.id);
    expect(service.type).toBe('A2AService');
    expect(URL.canParse(service.serviceEndpoint)).toBe(true);
  }
}

/** did:web, "Read (Resolve)": where the document of an identifier lies. */
function documentUrl(did: string): string {
  const [host = '', ...folders] = did.slice('did:web:'.length).split(':').map(decodeURIComponent);
  return `https://${host}/${[...(folders.length === 0 ? ['.well-known'] : folders), 'did.json'].join('/')}`;
}

async function read(bench: Api, url = '/.well-known/did.json'): Promise<DidDocument> {
  const { status, headers, body } = await bench.get(url, { as: null });
  expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('application/json')]);
  return body as unknown as DidDocument;
}

describe('GET /.well-known/did.json', () => {
  it('lists the active agents without authentication', async () => {
    const bench = await api({ config: { publicUrl: 'https://runtime.example.com:8443' } });
    expect(await read(bench)).toEqual({
      '@context': ['https://www.w3.org/ns/did/v1'],
      id: 'did:web:runtime.example.com%3A8443',
      service: [],
    });
    const { uuid } = agentOf(await bench.post('/agents', CARD));
    await bench.post('/agents', card('idle'));
    expect((await read(bench)).service).toEqual([]);
    await bench.post('/agents/research-agent/activate');
    const document = await read(bench);
    checkDidCore(document);
    expect(document.service).toEqual([
      {
        id: `did:web:runtime.example.com%3A8443#${uuid}`,
        type: 'A2AService',
        serviceEndpoint: `https://runtime.example.com:8443/agents/${uuid}`,
        name: 'Research Agent',
      },
    ]);
    await bench.post('/agents/research-agent/pause');
    expect((await read(bench)).service).toEqual([]);
  });

  it('lists no agent of another tenant', async () => {
    const bench = await api();
    const asAcme = await tenant(bench, 'acme');
    await bench.post('/agents', CARD, asAcme);
    expect((await bench.post('/agents/research-agent/activate', undefined, asAcme)).status).toBe(200);
    expect((await read(bench)).service).toEqual([]);
  });

  it('lists all of many', async () => {
    const bench = await api();
    for (let n = 0; n < 60; n += 1) {
      await bench.post('/agents', card(`agent-${n}`));
      await bench.post(`/agents/agent-${n}/activate`);
    }
    const document = await read(bench);
    checkDidCore(document);
    expect(document.service).toHaveLength(60);
  });

  it('is at the path where did:web looks for it', async () => {
    for (const publicUrl of ['https://runtime.example.com', 'https://runtime.example.com:8443', 'https://example.com/team/a/']) {
      const bench = await api({ config: { publicUrl } });
      const { id } = await read(bench);
      const base = publicUrl.replace(/\/$/, '');
      expect(documentUrl(id).startsWith(`${base}/`)).toBe(true);
      expect((await read(bench, documentUrl(id).slice(base.length))).id).toBe(id);
    }
  });

  it('uses the address on which the server listens if no URL is configured, without an IP address', async () => {
    const bench = await api({ config: { bind: '127.0.0.1', port: 7700 } });
    expect((await read(bench)).id).toBe('did:web:localhost%3A7700');
    await bench.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = bench.app.server.address() as { port: number };
    expect((await read(bench)).id).toBe(`did:web:localhost%3A${port}`);
  });
});

describe('a did:web identifier', () => {
  it.each([
    ['https://example.com', 'did:web:example.com'],
    ['https://Example.com:443', 'did:web:example.com'],
    ['http://example.com:7700', 'did:web:example.com%3A7700'],
    ['https://example.com:8443/a/b', 'did:web:example.com%3A8443:a:b'],
    ['https://example.com/a b/~c/%7ed/%zz', 'did:web:example.com:a%20b:%7Ec:%7ed:%25zz'],
    ['https://münchen.example/ü', 'did:web:xn--mnchen-3ya.example:%C3%BC'],
    ['http://[::1]:7700', 'did:web:%5B%3A%3A1%5D%3A7700'],
  ])('of %s is %s', (url, did) => {
    expect(didOf(url)).toBe(did);
    expect(did).toMatch(DID);
  });
});
