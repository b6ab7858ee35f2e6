import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { discoverCard } from '../../../src/control/agents/discovery.ts';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import { webServer } from '../../executors/web-server.ts';
import { agentOf, CARD, idsOf, tenant, traceOf } from '../support/agents.ts';
import { type Api, api } from '../support/api.ts';

const OURS = '/.well-known/agent.json';
const A2A = '/.well-known/agent-card.json';

/** A server with one card per path; other paths are a 404. */
async function serving(cards: Readonly<Record<string, unknown>>): Promise<string> {
  const { url } = await webServer((request, response) => {
    const card = cards[request.url ?? ''];
    if (card === undefined) response.writeHead(404).end('nothing here');
    else response.end(typeof card === 'string' ? card : JSON.stringify(card));
  });
  return url;
}

async function answering(answer: (response: ServerResponse) => void): Promise<string> {
  return (await webServer((_request, response) => answer(response))).url;
}

function open(): Promise<Api> {
  return api({ config: { allowPrivateAddresses: true } });
}

describe('POST /agents/discover', () => {
  it('registers the agent whose card is at the well-known path', async () => {
    const { post, get } = await open();
    const url = await serving({ [OURS]: { ...CARD, id: 'remote-agent' } });
    const reply = await post('/agents/discover', { url });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ ...CARD, id: 'remote-agent', agent_id: 'remote-agent', status: 'registered' });
    expect((await get('/agents/remote-agent')).body).toEqual(reply.body);
    expect(traceOf(await get('/agents/remote-agent/trace'))).toMatchObject([
      { event_type: 'agent_discovered', direction: 'inbound' },
    ]);
  });

  it('updates a known agent', async () => {
    const { post } = await open();
    const { uuid } = agentOf(await post('/agents', CARD));
    await post('/agents/research-agent/activate');
    const url = await serving({ [OURS]: { ...CARD, version: '2.0.0', uri: undefined } });
    const reply = await post('/agents/discover', { url });
    expect(reply).toMatchObject({ status: 201, body: { uuid, version: '2.0.0', status: 'active', uri: url } });
  });

  it.each([
    ['', OURS],
    ['/', OURS],
    ['', A2A],
    ['/team/a', `/team/a${OURS}`],
    ['/team/a//', `/team/a${A2A}`],
    ['/team/a', OURS],
    ['/cards/a.json', '/cards/a.json'],
    ['/cards/a.json?v=2#top', '/cards/a.json?v=2'],
    [A2A, A2A],
    ['/agents/7', '/agents/7'],
  ])('of %j finds the card at %j', async (asked, place) => {
    const { post } = await open();
    const url = await serving({ [place]: { id: 'x', name: 'X' } });
    expect(await post('/agents/discover', { url: `${url}${asked}` })).toMatchObject({ status: 201, body: { id: 'x' } });
  });

  it('accepts cards of A2A 0.3, with skills at the top level, their own URL and no id', async () => {
    const { post } = await open();
    const url = await serving({
      [A2A]: {
        protocolVersion: '0.3.0',
        name: 'Recipe Agent',
        url: '/a2a/v1',
        capabilities: { streaming: true },
        skills: [{ id: 'cook', name: 'Cook', description: 'Cooks', tags: ['food'] }],
        securitySchemes: { bearer: { type: 'http', scheme: 'Bearer' } },
      },
    });
    expect((await post('/agents/discover', { url })).body).toMatchObject({
      id: 'recipe-agent',
      uri: `${url}/a2a/v1`,
      version: '0.1.0',
      capabilities: { skills: [{ id: 'cook', name: 'Cook', tags: ['food'] }], protocols: ['a2a'], streaming: true },
      auth: { type: 'bearer_token' },
      card: { protocolVersion: '0.3.0' },
    });
  });

  it('accepts cards of A2A 1.0', async () => {
    const { post } = await open();
    const url = await serving({
      [A2A]: {
        name: 'Recipe Agent',
        version: '1.2.0',
        supportedInterfaces: [{ url: 'https://agents.test/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
        skills: [],
        securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
      },
    });
    expect((await post('/agents/discover', { url })).body).toMatchObject({
      id: 'recipe-agent',
      uri: 'https://agents.test/a2a',
      version: '1.2.0',
      auth: { type: 'api_key', header: 'X-Key' },
    });
  });

  it('ignores fields of the wrong type in a remote card', async () => {
    const { post } = await open();
    const odd = {
      name: 'Odd',
      version: 3,
      capabilities: 'many',
      skills: [7, null, { description: 'nameless' }, { id: 'ok' }],
      labels: { a: 1 },
    };
    const { status, body } = await post('/agents/discover', { url: await serving({ [OURS]: odd }) });
    expect([status, body]).toMatchObject([
      201,
      { version: '0.1.0', capabilities: { skills: [{ id: 'ok', name: 'ok' }] }, labels: {} },
    ]);
  });

  it('keeps two agents of one name apart', async () => {
    const { post, get } = await open();
    const [one, two] = await Promise.all([serving({ [OURS]: { name: 'Helper' } }), serving({ [OURS]: { name: 'Helper' } })]);
    for (const url of [one, two, one, two]) expect((await post('/agents/discover', { url })).status).toBe(201);
    expect(idsOf(await get('/agents'))).toEqual([`helper-${new URL(two).host.replaceAll(/[.:]/g, '-')}`, 'helper']);
  });

  it.each([
    [{}, 'url is required'],
    [{ url: 7 }, 'url must be a string'],
    [{ url: 'not a url' }, 'url must be an http:// or https:// URL'],
    [{ url: 'file:///etc/passwd' }, 'url must be an http:// or https:// URL'],
    [{ url: 'http://me:secret@a.test' }, 'url must not contain a user name or password'],
  ])('refuses %j', async (body, error) => {
    const { post } = await open();
    const reply = await post('/agents/discover', body);
    expect([reply.status, reply.body.error]).toEqual([400, `bad request: ${error}`]);
  });

  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['no path has a card', (response) => response.writeHead(404).end('no'), /agent\.json answered 404: no$/],
    ['the server fails', (response) => response.writeHead(500).end(), /agent\.json answered 500$/],
    ['it is no JSON', (response) => response.end('<html>'), /agent\.json is not an agent card$/],
    ['it is another document', (response) => response.end('{"openapi":"3.1.0"}'), /agent\.json is not an agent card$/],
    ['it is a list', (response) => response.end('[]'), /agent\.json is not an agent card$/],
    [
      'it is too long for a card',
      (response) => response.end(`{"name":"${'x'.repeat(70_000)}"}`),
      /is invalid: the card is longer than 64 KiB$/,
    ],
    ['it is too long for anything', (response) => response.end('x'.repeat(3_000_000)), /the response is larger than \d+ bytes$/],
    ['its id will not do', (response) => response.end('{"id":"search","name":"x"}'), /is invalid: id must not be "search"/],
    ['it leads in circles', (response) => response.writeHead(302, { location: '/again' }).end(), /more than 5 redirects$/],
    [
      'it leads inside',
      (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /169\.254\.169\.254 is an address that requests may not be sent to$/,
    ],
    ['it breaks off', (response) => response.destroy(), /agent\.json/],
  ])('returns 502 when %s', async (_what, answer, error) => {
    const { post, get, errors } = await open();
    const url = await answering(answer);
    const { status, body } = await post('/agents/discover', { url });
    expect([status, body.code]).toEqual([502, 'remote_failed']);
    expect(body.error).toMatch(/^bad gateway: /);
    expect(body.error).toMatch(error);
    expect(idsOf(await get('/agents'))).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('returns 502 when the server cannot be reached', async () => {
    const { post } = await open();
    const { status, body } = await post('/agents/discover', { url: 'http://127.0.0.1:1' });
    expect([status, body.error]).toEqual([502, expect.stringContaining('ECONNREFUSED')]);
  });

  it('times out on a server that never replies', async () => {
    const url = await answering(() => {});
    const outbound = new Outbound({ allowPrivateAddresses: true });
    await expect(discoverCard(outbound, url, AbortSignal.timeout(20))).rejects.toMatchObject({
      code: 'remote_failed',
      message: expect.stringMatching(/no complete response in time$/),
    });
  });

  it('reaches no private address unless the operator allows it', async () => {
    const { post } = await api();
    const url = await serving({ [OURS]: CARD });
    const { status, body } = await post('/agents/discover', { url });
    expect(status).toBe(502);
    expect(body.error).toContain('127.0.0.1 is a private address, which this runtime may not reach');
  });

  it('registers for the tenant of the token only', async () => {
    const bench = await open();
    const asAcme = await tenant(bench, 'acme');
    const url = await serving({ [OURS]: CARD });
    expect((await bench.post('/agents/discover', { url }, asAcme)).status).toBe(201);
    expect(idsOf(await bench.get('/agents'))).toEqual([]);
    expect(idsOf(await bench.get('/agents', asAcme))).toEqual(['research-agent']);
  });
});
