import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { irSchema } from '../../machines/ir/schema.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { someOf } from '../support/properties.ts';
import { type Api, api } from './support/api.ts';
import { HANGING_TOOLS, populate, type TenantFixture, withIds } from './support/isolation.ts';
import { answer, nameOf, type Route, registeredRoutes } from './support/routes.ts';
import { type Path, placesIn, replaced, samplesOf } from './support/samples.ts';

/** How many of the hostile values each field gets in a run; `FUZZ_VALUES=50` gives it all of them, `FAST_CHECK_SEED=N` others. */
const VALUES_PER_FIELD = Number(process.env.FUZZ_VALUES ?? 1);

const nested = (levels: number, open: string, close: string): Json =>
  JSON.parse(`${open.repeat(levels)}1${close.repeat(levels)}`);
/** No number that would be a valid time to wait: the clock stands still. */
const HOSTILE: readonly Json[] = [
  ...[null, true, 0, -1, 1.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER + 2, 5e-324],
  ...['', ' ', 'NaN', 'Infinity', '-0', '0x10', '1e3', 'null', '__proto__', 'constructor', 'toString', '.', '..', '*', '%'],
  ...[
    '\u0000',
    '\ud800',
    'a\udc00b',
    '💥',
    '\u202e\u0007\u001b[31m',
    'a\r\nb: c',
    "'; DROP TABLE executions; --",
    '../../etc/passwd',
  ],
  ...['{{ 7 * 7 }}', '{{', '(((((', 'file:///etc/passwd', 'http://[', 'javascript:alert(1)', '2026-13-45T99:99:99Z'],
  ...['x'.repeat(70_000), '('.repeat(5_000), '9'.repeat(400), `${'a'.repeat(5_000)}!`],
  ...[[], {}, [null], [[[]]], nested(200, '[', ']'), nested(200, '{"a":', '}'), nested(300, '[', ']')],
  ...[Array.from({ length: 3_000 }, () => 0), Array.from({ length: 300 }, () => ({})), Array.from({ length: 300 }, () => 'a')],
  ...[
    JSON.parse('{"__proto__":{"a":1}}'),
    { constructor: { prototype: {} } },
    { toString: null, hasOwnProperty: 1 },
    { type: '__proto__' },
  ],
  Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, n])),
];

const QUERIES = [
  'NaN',
  '-1',
  '1e9',
  '99999999999999999999',
  '0x10',
  '',
  '%00',
  '%ed%a0%80',
  '__proto__',
  '%F0%9F%92%A5',
  '{',
  'x'.repeat(8_000),
];

/** Other protocols, whose bodies no schema describes. */
const BODIES: Readonly<Record<string, (ids: TenantFixture['ids']) => readonly Json[]>> = {
  'POST /mcp': ({ executions = '' }) => [
    {
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: 'jamjet_get_execution', arguments: { execution_id: executions }, _meta: { progressToken: 1 } },
    },
    [
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {} },
      },
    ],
  ],
  'POST /a2a': ({ executions = '', workflows = '' }) => [
    {
      ...{ jsonrpc: '2.0', id: 1, method: 'message/send' },
      params: {
        message: {
          ...{ kind: 'message', messageId: 'm', role: 'user', taskId: executions, contextId: 'c' },
          ...{
            parts: [
              { kind: 'text', text: 'a' },
              { kind: 'data', data: {} },
            ],
            metadata: { workflow_id: workflows },
          },
        },
        configuration: { blocking: false, historyLength: 1, acceptedOutputModes: ['text'] },
      },
    },
    { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { id: executions, historyLength: 1 } },
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      params: { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'a' }] } },
    },
    { jsonrpc: '2.0', id: 1, method: 'ListTasks', params: { pageSize: 1, status: 'working', pageToken: 'a' } },
  ],
  'POST /workflows': () => workflows(),
};

/** With every kind of node, and every field of a document. */
function workflows(): readonly Json[] {
  const { $defs, ...schema } = irSchema();
  return samplesOf(schema as JsonObject, { $defs } as JsonObject).map((ir) => ({ ir }));
}

interface Sent {
  readonly route: Route;
  readonly url: string;
  readonly body: Json | undefined;
}

let server: Api;
let mine: TenantFixture;
let document: JsonObject;
beforeEach(async () => {
  server = await api({ tools: HANGING_TOOLS });
  mine = await populate(server, 'mine');
  document = (await server.app.inject('/openapi.json')).json();
});

function ids(): TenantFixture['ids'] {
  return { ...mine.ids, console: 'none', docs: 'none' };
}

function operationOf({ method, url }: Route): JsonObject {
  const path = url.replace(/^\/api\/v1/, '').replace(/:(\w+)/g, '{$1}');
  const { paths } = document as unknown as { paths: Record<string, Record<string, JsonObject>> };
  return paths[path]?.[method.toLowerCase()] ?? {};
}

function bodiesOf(route: Route): readonly Json[] {
  const given = BODIES[nameOf(route)]?.(mine.ids);
  if (given !== undefined) return given;
  const { requestBody } = operationOf(route) as { requestBody?: { content: Record<string, { schema: Json }> } };
  return Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => samplesOf(schema, document));
}

async function check({ route, url, body }: Sent): Promise<void> {
  const named = `${nameOf(route)} ${url.slice(0, 200)} ${JSON.stringify(body)?.slice(0, 500)}`;
  const { status, text } = await answer(server, { ...route, url }, mine.token, body).catch((cause: unknown) => {
    throw new Error(named, { cause });
  });
  expect(text, named).not.toMatch(/\n {4}at |node_modules|SQLITE_|Internal Server/);
  const { responses = {} } = operationOf(route) as { responses?: JsonObject };
  if (status >= 500) expect([502, 504], named).toContain(status);
  if (status >= 500) expect(Object.keys(responses), named).toContain(String(status));
  if (status >= 400) {
    const reply = JSON.parse(text) as Json;
    const error = isObject(reply) ? reply.error : null;
    expect(['string', 'object'], named).toContain(typeof error);
    if (!('jsonrpc' in (reply as object))) expect(typeof (reply as JsonObject).code, named).toBe('string');
  }
}

describe('a request with one hostile value', () => {
  it('in any field of any body gets a reply of the usual form', async () => {
    const fields: { readonly route: Route; readonly url: string; readonly sample: Json; readonly place: Path }[] = [];
    for (const route of await registeredRoutes(server)) {
      const { url } = withIds(route, ids()) ?? route;
      const seen = new Set<string>();
      for (const sample of bodiesOf(route)) {
        for (const place of placesIn(sample)) {
          if (seen.has(place.join('\0'))) continue;
          seen.add(place.join('\0'));
          fields.push({ route, url, sample, place });
        }
      }
    }
    const names = new Set(fields.map(({ place }) => place.at(-1)));
    // Of the other protocols, and of documents.
    for (const name of [
      'taskId',
      'arguments',
      'scorers',
      'correlation_key',
      'connector_ref',
      'remote_agent',
      'data_policy',
      'mcp_servers',
    ])
      expect([...names]).toContain(name);
    for (const [n, { route, url, sample, place }] of someOf(fields).entries()) {
      const values = fc.sample(fc.constantFrom(undefined, ...HOSTILE), { numRuns: VALUES_PER_FIELD, seed: seed() + n });
      for (const value of values) await check({ route, url, body: replaced(sample, place, value) });
    }
  });

  it('in any parameter gets a reply of the usual form', async () => {
    for (const [n, route] of someOf(await registeredRoutes(server)).entries()) {
      const { url } = withIds(route, ids()) ?? route;
      const body = bodiesOf(route)[0];
      const { parameters = [] } = operationOf(route) as { parameters?: readonly { in: string; name: string }[] };
      const names = [...parameters.filter((each) => each.in === 'query').map(({ name }) => name), 'unknown'];
      const values = fc.sample(fc.constantFrom(...QUERIES), { numRuns: 2 * VALUES_PER_FIELD, seed: seed() + n });
      for (const value of values) {
        for (const name of names) await check({ route, url: `${url}?${name}=${value}`, body });
        const segments = route.url.split('/').map((segment) => (segment.startsWith(':') ? value : segment));
        if (route.url.includes(':')) await check({ route, url: segments.join('/'), body });
      }
    }
  });
});

function seed(): number {
  return fc.readConfigureGlobal().seed ?? 1;
}
