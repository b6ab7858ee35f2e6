import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EVENT_TYPES, pascalCase } from '../../../machines/events/index.ts';
import { SCHEMAS } from '../../../src/api/openapi/components.ts';
import type { Operation as DeclaredOperation, Resource } from '../../../src/api/operations/operation.ts';
import { VERSION } from '../../../src/server/config.ts';
import { undocumented } from '../../support/openapi.ts';
import { api, UNKNOWN_EXECUTION } from '../support/api.ts';

const require = createRequire(import.meta.url);

interface Media {
  readonly schema: unknown;
  readonly example?: unknown;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly description?: string }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, Media>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Operation['responses']; readonly schemas: Readonly<Record<string, object>> };
}

async function document(): Promise<Document> {
  const { app } = await api();
  return (await app.inject('/openapi.json')).json();
}

function operation({ paths }: Document, route: string): Operation {
  const [method = '', path = ''] = route.split(' ');
  const found = paths[path]?.[method.toLowerCase()];
  if (found === undefined) throw new Error(`${route} is not in the document`);
  return found;
}

/** Every route of the reference, the status of its success, and its query. */
const REFERENCE: readonly (readonly [route: string, status: number, query?: readonly string[]])[] = [
  ['GET /health', 200],
  ['POST /workflows', 201],
  ['POST /executions', 201],
  ['GET /executions', 200, ['status', 'limit', 'offset']],
  ['GET /executions/{id}', 200],
  ['GET /executions/{id}/events', 200],
  ['POST /executions/{id}/cancel', 200],
  ['POST /executions/{id}/approve', 200],
  ['POST /executions/{id}/external-event', 200],
  ['POST /agents', 201],
  ['GET /agents', 200, ['status', 'skill', 'protocol']],
  ['GET /agents/{id}', 200],
  ['POST /agents/discover', 201],
  ['POST /agents/{id}/activate', 200],
  ['POST /agents/{id}/deactivate', 200],
  ['POST /agents/{id}/heartbeat', 200],
  ['GET /audit', 200, ['execution_id', 'actor_id', 'event_type', 'limit', 'offset']],
  ['POST /tenants', 201],
  ['GET /tenants', 200],
  ['GET /tenants/{id}', 200],
  ['PUT /tenants/{id}', 200],
  ['GET /workers', 200],
  ['GET /.well-known/did.json', 200],
];

const ERRORS = {
  400: { error: 'bad request: ir.workflow_id is required' },
  401: { error: 'invalid or expired token' },
  403: { error: 'insufficient role — developer or operator required' },
  404: { error: 'not found: execution exec_abc123' },
  500: { error: expect.stringMatching(/^internal error: /) },
};

/** The examples of the reference. */
const EXAMPLES: Readonly<Record<string, { readonly request?: object; readonly reply?: object }>> = {
  'GET /health': { reply: { status: 'ok', version: VERSION } },
  'POST /workflows': {
    request: { ir: { workflow_id: 'research-agent', version: '0.1.0' } },
    reply: { workflow_id: 'research-agent', version: '0.1.0' },
  },
  'POST /executions': {
    request: { workflow_id: 'research-agent', workflow_version: '0.1.0', input: { query: 'Latest AI agent frameworks?' } },
    reply: { execution_id: expect.stringMatching(/^exec_/) },
  },
  'GET /executions': { reply: { executions: [{ workflow_id: 'research-agent', status: 'completed' }] } },
  'GET /executions/{id}': {
    reply: { status: 'completed', state: { query: 'Latest AI agent frameworks?', answer: '...' }, steps_executed: 3 },
  },
  'GET /executions/{id}/events': {
    reply: {
      events: [
        { sequence: 1, kind: 'WorkflowStarted', node_id: null, created_at: '2026-03-12T10:00:00.000Z' },
        { sequence: 2, kind: 'NodeCompleted', node_id: 'search', created_at: '2026-03-12T10:00:00.200Z' },
        { sequence: 3, kind: 'NodeCompleted', node_id: 'synthesize', created_at: '2026-03-12T10:00:02.040Z' },
      ],
    },
  },
  'POST /executions/{id}/cancel': { reply: { status: 'cancelled' } },
  'POST /executions/{id}/approve': {
    request: {
      decision: 'approved',
      node_id: 'manager-review',
      user_id: 'user-42',
      comment: 'Looks good, proceed.',
      state_patch: { priority: 'high' },
    },
    reply: { accepted: true },
  },
  'POST /executions/{id}/external-event': {
    request: { correlation_key: 'payment-received', payload: { amount: 500, currency: 'USD' } },
    reply: { accepted: true },
  },
  'POST /agents': { request: { id: 'research-agent', uri: 'http://localhost:7701', auth: { type: 'bearer_token' } } },
  'POST /agents/discover': { request: { url: 'https://remote-agent.example.com' } },
  'POST /agents/{id}/activate': { reply: { agent_id: 'research-agent', status: 'active' } },
  'POST /agents/{id}/heartbeat': { reply: { agent_id: 'research-agent', ok: true } },
  'GET /audit': {
    reply: { items: [{ event_type: 'node_completed', actor_id: 'agent:research-agent' }], total: 42, limit: 50, offset: 0 },
  },
  'POST /tenants': { request: { id: 'acme', name: 'Acme Corp' }, reply: { tenant_id: 'acme' } },
  'PUT /tenants/{id}': { request: { name: 'Acme Corporation', status: 'active' } },
};

describe('the OpenAPI document', () => {
  it('has every route of the reference with its status, its query and the errors', async () => {
    const read = await document();
    expect(read.openapi).toMatch(/^3\.1\./);
    for (const [route, status, query = []] of REFERENCE) {
      const { responses, parameters = [] } = operation(read, route);
      expect(Object.keys(responses), route).toContain(String(status));
      expect(
        parameters.map(({ name }) => name),
        route,
      ).toEqual(expect.arrayContaining([...query]));
      expect(Object.keys(responses), route).toEqual(expect.arrayContaining(['400', '500']));
    }
  });

  it('shows the examples of the reference', async () => {
    const read = await document();
    for (const [route, { request, reply }] of Object.entries(EXAMPLES)) {
      const { requestBody, responses } = operation(read, route);
      const success = responses['200'] ?? responses['201'];
      if (request !== undefined) expect(requestBody?.content['application/json']?.example, route).toMatchObject(request);
      if (reply !== undefined) expect(success?.content?.['application/json']?.example, route).toMatchObject(reply);
    }
  });

  it('types free-form objects as open, so that a generated client takes any workflow', async () => {
    const read = await document();
    const empty: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { type, properties, additionalProperties } = value as Record<string, unknown>;
      if (type === 'object' && properties === undefined && (additionalProperties ?? false) === false) empty.push(path);
      for (const [key, inner] of Object.entries(value)) if (!/^(example|default|enum)$/.test(key)) visit(inner, `${path}/${key}`);
    };
    visit({ paths: read.paths, components: read.components }, '');
    expect(empty).toEqual([]);
    expect(operation(read, 'POST /workflows').requestBody?.content['application/json']?.schema).toMatchObject({
      type: 'object',
      additionalProperties: true,
    });
  });

  it('names each reply after its resource, and types it once for each media type', async () => {
    const read = await document();
    const replies = (route: string): readonly unknown[] =>
      Object.values(operation(read, route).responses).flatMap(({ content }) =>
        Object.entries(content ?? {}).map(([type, { schema }]) => [type, schema]),
      );
    const json = (name: string) => ['application/json', { $ref: `#/components/schemas/${name}` }];
    expect(replies('POST /executions')).toContainEqual(json('StartedExecution'));
    expect(replies('POST /api/v1/workflows/{workflow_id}/execute')).toContainEqual(json('StartedExecution'));
    expect(replies('POST /cron/{name}/trigger')).toContainEqual(json('TriggeredCronJob'));
    expect(replies('GET /executions/{id}/events').slice(0, 3)).toEqual([
      json('EventList'),
      ['application/vnd.jamjet.tagged+json', { $ref: '#/components/schemas/TaggedEventList' }],
      ['text/event-stream', { type: 'string', description: expect.any(String) }],
    ]);
  });

  it('shows the errors of the reference', async () => {
    const { components, paths } = await document();
    const responses = paths['/executions/{id}/approve']?.post?.responses;
    for (const [status, example] of Object.entries(ERRORS)) {
      const name = responses?.[status]?.$ref?.split('/').at(-1) ?? '';
      expect(components.responses[name]?.content?.['application/json']?.example, status).toMatchObject(example);
    }
  });

  it('describes every route, its parameters, its replies and its group', async () => {
    const { paths, tags } = await document();
    const names = tags.map(({ name }) => name);
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { summary, operationId, parameters = [], tags: groups, responses }] of Object.entries(methods)) {
        const route = `${method} ${path}`;
        expect(summary, route).toMatch(/^[A-Z`][^\n]*[^.\n]$/);
        expect(operationId, route).toMatch(/^[a-z]\w+$/);
        expect(ids, route).not.toContain(operationId);
        ids.add(operationId);
        for (const { name, description } of parameters) expect(description, `${route}: ${name}`).toMatch(/\.$/);
        expect(groups, route).toHaveLength(1);
        expect(names, route).toEqual(expect.arrayContaining([...groups]));
        expect(
          Object.keys(responses).filter((status) => status.startsWith('2')),
          route,
        ).not.toEqual([]);
      }
    }
  });

  it('describes every schema and every property', async () => {
    const { paths, components } = await document();
    const undescribed: string[] = [];
    const isDescribed = (schema: object): boolean => {
      const text = 'description' in schema ? String(schema.description) : '';
      return /[.…]$/.test(text) || ('$ref' in schema && text === '');
    };
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const properties = 'properties' in value && typeof value.properties === 'object' ? (value.properties ?? {}) : {};
      for (const [name, property] of Object.entries(properties)) if (!isDescribed(property)) undescribed.push(`${path}.${name}`);
      for (const [key, inner] of Object.entries(value)) if (!/^(example|default|enum)$/.test(key)) visit(inner, `${path}/${key}`);
    };
    for (const [name, schema] of Object.entries(components.schemas)) if (!isDescribed(schema)) undescribed.push(name);
    visit({ paths, components }, '');
    expect(undescribed).toEqual([]);
  });

  it('requires a body where the server does', async () => {
    const { call } = await api();
    const { paths } = await document();
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { requestBody }] of Object.entries(operations)) {
        // An artifact may be empty, and JSON-RPC reports errors in replies with status 200.
        if (requestBody?.content['application/json'] === undefined || /^\/(a2a|mcp)/.test(path)) continue;
        const url = path.replaceAll(/\{\w+\}/g, 'x');
        const { status } = await call(method.toUpperCase(), url, { as: 'operator' });
        expect([method, path, status === 400]).toEqual([method, path, requestBody.required]);
      }
  });

  it('lists the events as a union that `type` tells apart', async () => {
    const { components } = await document();
    for (const [name, member] of [
      ['Event', (kind: string) => `${kind}Event`],
      ['EventKind', (kind: string) => `Tagged${kind}`],
    ] as const) {
      const mapping = EVENT_TYPES.map((type) => [type, `#/components/schemas/${member(pascalCase(type))}`]);
      expect(components.schemas[name]).toMatchObject({
        oneOf: mapping.map(([, $ref]) => ({ $ref })),
        discriminator: { propertyName: 'type', mapping: Object.fromEntries(mapping) },
      });
    }
    expect(components.schemas).toHaveProperty('NodeCompletedEvent.properties.data.properties.state_patch');
    expect(components.schemas).toHaveProperty('TaggedNodeCompleted.properties.state_patch');
  });

  it('describes workflow documents, one schema for each kind of node', async () => {
    const read = await document();
    const { schemas } = read.components;
    const body = operation(read, 'POST /workflows').requestBody?.content['application/json']?.schema;
    expect(body).toMatchObject({ properties: { ir: { $ref: '#/components/schemas/Workflow' } } });
    expect(schemas).toHaveProperty('WorkflowDetail.properties.ir.$ref', '#/components/schemas/Workflow');
    expect(schemas).toHaveProperty('Workflow.additionalProperties', true);
    expect(schemas).toHaveProperty('HumanApprovalKind.properties.timeout_secs');
  });

  it('names the schemas of every file', () => {
    const files = ['schemas', 'operations'].flatMap((folder) => readdirSync(resolve('src/api', folder)));
    const withoutSchemas = ['fields.ts', 'codec.ts', 'index.ts', 'operation.ts'];
    const named = files.filter((file) => !withoutSchemas.includes(file)).map((file) => file.replace(/\.ts$/, ''));
    expect(Object.keys(SCHEMAS).sort()).toEqual(named.sort());
  });

  it('passes redocly without warnings', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jamjet-openapi-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(await document(), null, 2));
    const redocly = require.resolve('@redocly/cli/bin/cli.js');
    const lint = promisify(execFile)(process.execPath, [redocly, 'lint', file, '--config', resolve('redocly.yaml')]);
    const { stdout, stderr } = await lint.catch((failure: { stdout: string; stderr: string }) => failure);
    expect(stdout + stderr).toMatch(/Your API description is valid/);
    expect(stdout + stderr).not.toMatch(/\[\d+\]|\d+ warnings?\./);
  });

  it('is open, and so is the page that shows it', async () => {
    const { app } = await api();
    const page = await app.inject('/docs');
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const parts = [...page.payload.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect((await app.inject(`/${part}`)).statusCode, part).toBe(200);
    expect((await app.inject('/docs/start.js')).payload).toContain("url: 'openapi.json'");
  });

  it('does not serve other files beside the page', async () => {
    const { get } = await api();
    for (const file of ['index.html', '..%2Fpackage.json', 'constructor']) expect((await get(`/docs/${file}`)).status).toBe(404);
  });
});

describe('a reply', () => {
  const json = 'application/json; charset=utf-8';

  it('that does not match the document is detected', async () => {
    const { app } = await api();
    const problem = (method: string, url: string, status: number, body: unknown, contentType = json) =>
      undocumented(app, method, url, { status, contentType, body });
    const health = { status: 'ok', version: '1' };
    expect(await problem('GET', '/health', 200, health)).toBeNull();
    expect(await problem('GET', '/compat/health?x=1', 200, health)).toBeNull();
    expect(await problem('GET', '/health', 200, { ...health, more: 1 })).toContain('additional properties');
    expect(await problem('GET', '/health', 200, { status: 'ok' })).toContain("required property 'version'");
    expect(await problem('GET', '/health', 200, health, 'text/plain')).toContain('text/plain is not documented');
    expect(await problem('GET', '/health', 418, {})).toContain('status 418 is not documented');
    expect(await problem('GET', '/nowhere', 200, {})).toContain('GET /nowhere is not documented');
    expect(await problem('GET', '/nowhere', 404, { error: 'not found: GET /nowhere', code: 'not_found' })).toBeNull();
    expect(await problem('GET', `/executions/${UNKNOWN_EXECUTION}`, 404, { message: 'no' })).toContain(
      "required property 'error'",
    );
  });
});

describe('docs/api.md', () => {
  it('lists every route', async () => {
    const { paths } = await document();
    const page = ['docs/api.md', 'docs/clients.md'].map((file) => readFileSync(resolve(file), 'utf8')).join('\n');
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    // The assets of the documentation page are not for clients.
    const missing = routes
      .filter((route) => !/^GET \/(?:docs|console)\/:file$/.test(route))
      .filter((route) => !new RegExp(`${route.replace(/[.?]/g, '\\$&')}[\`?]`).test(page));
    expect(missing).toEqual([]);
  });

  it('says who may use each operation', async () => {
    const page = readFileSync(resolve('docs/api.md'), 'utf8');
    const wrong: string[] = [];
    let checked = 0;
    for (const [route, { access }] of await declaredOperations()) {
      const listed = page.slice(page.search(new RegExp(`\`${route}[\`?]`)));
      if (/\((open|read|write|operator|work)\b/.exec(listed)?.[1] !== access) wrong.push(`${route} (${access})`);
      checked += 1;
    }
    expect(wrong).toEqual([]);
    expect(checked).toBeGreaterThan(40);
  });
});

async function declaredOperations(): Promise<readonly (readonly [route: string, operation: DeclaredOperation])[]> {
  const files = readdirSync(resolve('src/api/operations')).map((file) => resolve('src/api/operations', file));
  const modules: readonly object[] = await Promise.all(files.map((file) => import(file)));
  const resources = modules.flatMap((module) => Object.values(module)).filter((value) => value?.operations !== undefined);
  return resources.flatMap(({ operations }: Resource) => Object.entries(operations));
}
