import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../support/properties.ts';
import { api, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from './support/api.ts';

const ITEM = '00000000-0000-4000-8000-000000000000';

/** A valid body by route. */
const RIGHT: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '/executions': { workflow_id: 'none', workflow_version: '1', labels: { a: 'b' } },
  [`/executions/${UNKNOWN_EXECUTION}/cancel`]: { reason: 'x' },
  [`/executions/${UNKNOWN_EXECUTION}/approve`]: { decision: 'approved', node_id: 'n', user_id: 'u', comment: 'c' },
  [`/executions/${UNKNOWN_EXECUTION}/external-event`]: { correlation_key: 'k', payload: 1, event_id: 'e' },
  '/work-items': { execution_id: UNKNOWN_EXECUTION, node_id: 'n', queue_type: 'q' },
  '/work-items/claim': { worker_id: 'w', queue_types: [], max_items: 1, wait_ms: 0 },
  [`/work-items/${ITEM}/complete`]: {
    output: 1,
    duration_ms: 1,
    lease_fence: 1,
    input_tokens: 1,
    cost_usd: 1,
    gen_ai_model: 'm',
  },
  [`/work-items/${ITEM}/fail`]: { error: 'e', retryable: true, error_class: 'c', lease_fence: 1 },
  [`/work-items/${ITEM}/heartbeat`]: { worker_id: 'w', lease_fence: 1 },
};
/** Fields that accept any value. */
const ANY = new Set(['payload', 'output']);

const oddNumber = fc.constantFrom(-1, 1.5, 1e308, -0, Number.MAX_SAFE_INTEGER + 2, 5e-324);
const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('\u0000', '\ud800', '💥', "'; DROP TABLE executions; --", '../../etc/passwd', '{{ 7*7 }}', 'x'.repeat(70_000)),
);
const json = fc.oneof(fc.jsonValue({ maxDepth: 4 }), oddNumber, oddText);
const segment = fc.oneof(
  fc.constantFrom(
    'executions',
    'workflows',
    'work-items',
    'workers',
    'tokens',
    'health',
    'claim',
    'events',
    'approve',
    'cancel',
    UNKNOWN_EXECUTION,
    ITEM,
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).map((text) => encodeURIComponent(Buffer.from(text).toString())),
  fc.constantFrom('%', '%00', '%2e%2e', '..', '//', '%ff', 'exec_abc', '*', ':id'),
);
const query = fc.oneof(
  fc.constant(''),
  fc
    .tuple(fc.constantFrom('limit', 'offset', 'status', 'wait_ms', 'after', 'format', 'include', 'version', 'x'), oddText)
    .map(([name, text]) => `?${name}=${encodeURIComponent(Buffer.from(text).toString()).slice(0, 2_000)}`),
);
const raw = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  oddText,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    '',
    '{',
    '[[[',
    `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
    '{"__proto__":1}',
    '{"a":1e400}',
    '{"ir":{"nodes":[[]]}}',
  ),
);

describe('a malformed request', () => {
  it('of any kind gets a JSON reply that is no server error', async () => {
    const { call } = await api();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
        fc.array(segment, { maxLength: 4 }),
        query,
        raw,
        async (method, path, search, body) => {
          const url = `/${path.join('/')}${search}`;
          const reply = await call(method, url, {
            as: 'operator',
            ...(method === 'GET' || method === 'HEAD' ? {} : { rawBody: body }),
          });
          expect(reply.status, `${method} ${url}`).toBeLessThan(500);
          if (method !== 'HEAD') expect(reply.body).toBeTypeOf('object');
          if (method !== 'HEAD' && reply.status >= 400) expect(reply.body.error).toBeTypeOf('string');
        },
      ),
      { numRuns: sampleOf(400), seed: 20_260_312 },
    );
  });

  it('with a field that no route has gets a warning, and is refused with strict handling', async () => {
    const { post } = await api();
    const prefer = fc.constantFrom(
      '',
      ';',
      '=,=',
      'handling',
      'handling=strict',
      'handling="strict',
      'a;b="\\"",handling=STRICT',
      'x'.repeat(5_000),
    );
    const name = fc.oneof(
      fc.constantFrom('constructor', 'toString', 'hasOwnProperty', '', 'a.b', '0', '"', 'é\n\r', '💥', 'x'.repeat(3_000)),
      fc.string({ minLength: 1, maxLength: 20 }).map((text) => `_${text}`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.entries(RIGHT)),
        name,
        json,
        prefer,
        async ([url, right], field, value, header) => {
          const text = JSON.stringify({ ...right, [field]: value });
          // Bodies that are not stored unchanged are refused before.
          fc.pre(!/\\u[dD]|1e400|__proto__|prototype/.test(text));
          const { status, headers, body } = await post(`${url}?_q=1`, JSON.parse(text), { headers: { prefer: header } });
          const isStrict = headers['preference-applied'] === 'handling=strict';
          expect(status, text.slice(0, 200)).toBeLessThan(500);
          expect(JSON.stringify(body)).not.toMatch(/ {4}at |node_modules/);
          expect(body.warnings?.map(({ code }) => code)).toEqual(['unknown_field', 'unknown_parameter']);
          if (isStrict) expect([status, body.code]).toEqual([400, 'unknown_field']);
        },
      ),
      { numRuns: sampleOf(300), seed: 20_261_127 },
    );
  });

  it('with one field of the wrong type gets a 400 that names it', async () => {
    const { post } = await api();
    for (const [url, right] of Object.entries(RIGHT)) {
      for (const field of Object.keys(right).filter((key) => !ANY.has(key))) {
        const wrong =
          typeof right[field] === 'object' ? [5, 'text', true] : [{}, [], typeof right[field] === 'string' ? 5 : 'text'];
        for (const value of wrong) {
          const { status, body } = await post(url, { ...right, [field]: value });
          expect([status, body.error], `${url} ${field}=${JSON.stringify(value)}`).toEqual([
            400,
            expect.stringMatching(new RegExp(`^bad request: ${field} must be `)),
          ]);
        }
      }
    }
  });

  it('changes nothing', async () => {
    const server = await api();
    const ids = [await server.started(EXTERNAL), await server.started(PAYMENT), await server.started(REVIEW)];
    const snapshot = async () => [
      (await server.get('/workflows')).body,
      await Promise.all(ids.map(async (id) => (await server.get(`/executions/${id}`)).body)),
      (await server.get('/executions')).body.executions.length,
    ];
    const before = await snapshot();
    const verbs = ['cancel', 'approve', 'external-event'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ids), fc.constantFrom(...verbs), json, async (id, verb, value) => {
        const body = { reason: [value], decision: { value }, correlation_key: [value] };
        expect((await server.post(`/executions/${id}/${verb}`, body)).status).toBe(400);
      }),
      { numRuns: sampleOf(200), seed: 20_260_312 },
    );
    expect(await snapshot()).toEqual(before);
  });
});
