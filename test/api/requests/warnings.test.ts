import { describe, expect, it } from 'vitest';
import { JamjetClient, type Warning } from '../../../src/client/index.ts';
import { type Api, api, EXTERNAL, UNKNOWN_EXECUTION } from '../support/api.ts';

const STRICT = { headers: { prefer: 'handling=strict' } };

async function registered(): Promise<Api> {
  const opened = await api();
  await opened.started(EXTERNAL);
  return opened;
}

describe('an unknown field', () => {
  it('is reported with the field that was probably meant, and the request is done', async () => {
    const { post } = await registered();
    const { status, headers, body } = await post('/executions', { workflow_id: EXTERNAL.workflow_id, inputs: { n: 1 } });
    const warnings = [{ code: 'unknown_field', message: 'unknown field "inputs"; did you mean "input"?', path: 'inputs' }];
    expect({ status, warnings: body.warnings }).toEqual({ status: 201, warnings });
    expect(JSON.parse(String(headers['x-jamjet-warnings']))).toEqual(warnings);
    expect(headers['preference-applied']).toBeUndefined();
  });

  it('is a 400 with `Prefer: handling=strict`, and nothing is done', async () => {
    const { post, get } = await registered();
    const before = (await get('/executions')).body.executions.length;
    const { status, headers, body } = await post(
      '/executions',
      { workflow_id: EXTERNAL.workflow_id, inputs: {}, lables: {} },
      STRICT,
    );
    expect({ status, code: body.code, error: body.error }).toEqual({
      status: 400,
      code: 'unknown_field',
      error: 'bad request: unknown field "inputs"; did you mean "input"?; and 1 more',
    });
    expect(body.warnings).toHaveLength(2);
    expect(headers['preference-applied']).toBe('handling=strict');
    expect((await get('/executions')).body.executions).toHaveLength(before);
  });

  it('explains an error beside it', async () => {
    const { post } = await registered();
    const { status, body } = await post('/executions', { workflow: EXTERNAL.workflow_id, input: {} });
    expect([status, body.error]).toEqual([400, 'bad request: workflow_id is required']);
    expect(body.warnings?.[0]?.message).toMatch(
      /^unknown field "workflow"; the fields are workflow_id, workflow_version, input, /,
    );
  });

  it('is one beside the document of a workflow, too, but none inside', async () => {
    const { post } = await api();
    const { status, body } = await post('/workflows', { ir: { ...EXTERNAL, purpose: 'test' }, version: '2' });
    expect(status).toBe(201);
    expect(body.warnings).toMatchObject([
      { code: 'unknown_field', severity: 'warning', path: 'version', node_id: null, hint: null },
    ]);
    expect((await post('/workflows', { ir: EXTERNAL, version: '2' }, STRICT)).status).toBe(400);
    expect((await post('/workflows', { ...EXTERNAL, purpose: 'test' }, STRICT)).status).toBe(201);
  });

  it('is any field of a request that takes none', async () => {
    const { post } = await api();
    const { body } = await post(`/executions/${UNKNOWN_EXECUTION}/retry`, { nodes: ['a'] });
    expect(body).toMatchObject({ code: 'not_found', warnings: [{ code: 'unknown_field', path: 'nodes' }] });
  });

  it('is not looked for in free-form values', async () => {
    const { post } = await registered();
    const start = { workflow_id: EXTERNAL.workflow_id, input: { inputs: 1, any: { thing: 2 } }, labels: { inputs: 'x' } };
    expect((await post('/executions', start, STRICT)).status).toBe(201);
    const card = {
      id: 'a',
      name: 'A',
      url: 'https://a.example',
      protocolVersion: '0.3',
      capabilities: { streaming: true },
      skills: [{ id: 's', tags: [] }],
    };
    expect((await post('/agents', card, STRICT)).status).toBe(201);
  });

  it('is reported at most 20 times, in text that a header can hold', async () => {
    const { post } = await registered();
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`größe-${i}`.padEnd(300, 'é'), i]));
    const { status, headers, body } = await post('/executions', { workflow_id: EXTERNAL.workflow_id, ...fields });
    expect(status).toBe(201);
    expect(body.warnings).toHaveLength(20);
    expect(String(headers['x-jamjet-warnings'])).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('an unknown query parameter', () => {
  it('is reported', async () => {
    const { get } = await registered();
    const { body } = await get('/executions?limt=3&status=running');
    expect(body.warnings).toEqual([
      { code: 'unknown_parameter', message: 'unknown query parameter "limt"; did you mean "limit"?', path: 'limt' },
    ]);
    expect((await get('/executions?limt=3', STRICT)).body).toMatchObject({ code: 'unknown_field' });
    expect((await get('/agents/none?x=1', STRICT)).body.error).toBe(
      'bad request: unknown query parameter "x"; there are no parameters',
    );
  });

  it('is reported at the end of a list that is streamed, and in a header of replies that are no objects', async () => {
    const { get, post } = await registered();
    const { execution_id: id } = (await post('/executions', { workflow_id: EXTERNAL.workflow_id })).body;
    expect((await get(`/executions/${id}/events?nod_id=a`)).body.warnings).toMatchObject([{ path: 'nod_id' }]);
    const { body, headers } = await get('/api/v1/workflows?limt=1');
    expect(Array.isArray(body)).toBe(true);
    expect(JSON.parse(String(headers['x-jamjet-warnings']))).toMatchObject([{ path: 'limt' }]);
  });
});

describe('strict handling', () => {
  it('changes nothing for a request whose fields are known', async () => {
    const { post, get } = await registered();
    const { status, headers, body } = await post('/executions', { workflow_id: EXTERNAL.workflow_id, input: {} }, STRICT);
    expect([status, headers['preference-applied'], body.warnings]).toEqual([201, 'handling=strict', undefined]);
    expect((await get('/executions?limit=1', STRICT)).status).toBe(200);
  });

  it('leaves the messages of other protocols alone', async () => {
    const { post } = await api();
    const { status, body } = await post('/mcp?x=1', { jsonrpc: '2.0', id: 1, method: 'ping', params: { extra: 1 } }, STRICT);
    expect([status, body.warnings]).toEqual([200, undefined]);
  });
});

describe('a client', () => {
  it('passes warnings on, and can ask for strict handling', async () => {
    const { app, token } = await registered();
    const url = await app.listen({ port: 0 });
    const warnings: Warning[] = [];
    const options = { url, token: await token('developer'), onWarning: (warning: Warning) => warnings.push(warning) };
    const misspelt = { workflow_id: EXTERNAL.workflow_id as string, inputs: {} };
    expect((await new JamjetClient(options).start(misspelt)).warnings).toHaveLength(1);
    expect(warnings.map(({ path }) => path)).toEqual(['inputs']);
    await expect(new JamjetClient({ ...options, strict: true }).start(misspelt)).rejects.toMatchObject({ code: 'unknown_field' });
  });
});
