import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import { api, REVIEW } from '../support/api.ts';

describe('POST /workflows', () => {
  it('registers and returns id and version', async () => {
    const { post } = await api();
    const { status, body } = await post('/workflows', { ir: REVIEW });
    expect(status).toBe(201);
    expect(body).toMatchObject({ workflow_id: 'review', version: '1.0.0', warnings: [] });
    expect(body.revision).toMatch(/^[0-9a-f]{64}$/);
  });

  it('accepts the IR without its wrapper', async () => {
    const { post } = await api();
    expect(await post('/workflows', REVIEW)).toMatchObject({ status: 201, body: { workflow_id: 'review' } });
  });

  it('accepts the same version with other content, as another revision', async () => {
    const { post, get } = await api();
    const first = (await post('/workflows', { ir: REVIEW })).body.revision;
    const again = (await post('/workflows', { ir: REVIEW })).body.revision;
    const other = (await post('/workflows', { ir: { ...REVIEW, description: 'changed' } })).body.revision;
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect((await get('/workflows/review')).body.revision).toBe(other);
  });

  it.each([
    [{}, 'ir.workflow_id is required'],
    [{ ir: {} }, 'ir.workflow_id is required'],
    [{ ir: { workflow_id: 'a', nodes: {} } }, 'ir.version is required'],
  ])('refuses %j with the text of the reference', async (body, error) => {
    const { post } = await api();
    const reply = await post('/workflows', body);
    expect(reply.status).toBe(400);
    expect(reply.body.error).toContain(`bad request: ${error}`.slice(0, 12));
    expect(reply.body.error).toContain(error);
  });

  it('refuses an invalid body', async () => {
    const { post } = await api();
    for (const body of [{ ir: null }, { ir: [] }, { ir: 'workflow' }, { ir: 5 }]) {
      expect((await post('/workflows', body)).status, JSON.stringify(body)).toBe(400);
    }
  });

  it('lists every problem, with a hint', async () => {
    const { post } = await api();
    const edges = [
      { from: 'reveiw', to: 'end' },
      { from: 'review', to: 'nowhere' },
    ];
    const { status, body } = await post('/workflows', { ir: { ...REVIEW, edges } });
    expect(status).toBe(400);
    expect(body.diagnostics?.length).toBeGreaterThanOrEqual(2);
    expect(body.error).toMatch(/did you mean "review"/);
  });

  it('refuses a kind that does not exist', async () => {
    const { post } = await api();
    const nodes = { think: { kind: { type: 'teleport', to: 'x' } } };
    const { status, body } = await post('/workflows', { ir: { ...REVIEW, nodes, edges: [] } });
    expect([status, body.error]).toEqual([400, expect.stringContaining('teleport')]);
  });

  it('refuses nine thousand nodes quickly', async () => {
    const { post } = await api();
    const nodes = Object.fromEntries(Array.from({ length: 9_000 }, (_, i) => [`n${i}`, REVIEW.nodes.review]));
    const { status, body } = await post('/workflows', { ir: { ...REVIEW, nodes, edges: [] } });
    expect(status).toBe(400);
    expect(body.error.length).toBeLessThan(2_000);
    expect(body.diagnostics?.length).toBeLessThanOrEqual(101);
  });
});

describe('GET /workflows', () => {
  it('lists the latest version of each', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    await post('/workflows', { ir: { ...REVIEW, version: '2.0.0' } });
    await post('/workflows', { ir: { ...REVIEW, workflow_id: 'another' } });
    const { body } = await get('/workflows');
    expect(body).toMatchObject({
      workflows: [
        { workflow_id: 'another', version: '1.0.0' },
        { workflow_id: 'review', version: '2.0.0' },
      ],
      limit: 50,
      offset: 0,
    });
    expect((await get('/workflows?limit=1&offset=1')).body.workflows).toHaveLength(1);
  });
});

describe('GET /workflows/:id', () => {
  it('returns the IR as it was registered, unknown keys included', async () => {
    const { post, get } = await api();
    const nodes = { review: { ...REVIEW.nodes.review, 'x-color': 'blue' } };
    await post('/workflows', { ir: { ...REVIEW, nodes, 'x-owner': 'ops' } });
    const { body } = await get('/workflows/review');
    expect(body.ir).toMatchObject({ 'x-owner': 'ops', nodes: { review: { 'x-color': 'blue' } } });
    expect(body.registered_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('returns the nodes of a list as a map', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: { ...REVIEW, nodes: [{ id: 'review', ...REVIEW.nodes.review }] } });
    expect((await get('/workflows/review')).body.ir.nodes).toMatchObject({ review: { kind: { type: 'human_approval' } } });
  });

  it('returns an older version on request', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: REVIEW });
    await post('/workflows', { ir: { ...REVIEW, version: '2.0.0' } });
    expect((await get('/workflows/review')).body.version).toBe('2.0.0');
    expect((await get('/workflows/review?version=1.0.0')).body.version).toBe('1.0.0');
    expect((await get('/workflows/review')).body.versions.map(({ version }) => version)).toEqual(['2.0.0', '1.0.0']);
  });

  it('finds an id with a slash, a space and another script', async () => {
    const { post, get } = await api();
    await post('/workflows', { ir: { ...REVIEW, workflow_id: 'größe/ 退款' } });
    expect((await get(`/workflows/${encodeURIComponent('größe/ 退款')}`)).body.workflow_id).toBe('größe/ 退款');
  });

  it('returns 404 for unknown ids', async () => {
    const { get } = await api();
    expect(await get('/workflows/none')).toMatchObject({ status: 404, body: { error: 'not found: workflow none' } });
  });
});

describe('POST /workflows in YAML', () => {
  const yaml = { 'content-type': 'application/yaml' };
  const FILE = `workflow: { id: hello, version: 0.1.0 }
nodes:
  greet: { type: tool, tool_ref: greet, next: ask }
  ask: { type: human_approval, message: "Send it?", on_approved: end, on_rejected: end }
`;

  it('registers a workflow file, compiled as the CLI compiles it', async () => {
    const { call, get } = await api();
    const { status, body } = await call('POST', '/workflows', { rawBody: FILE, headers: yaml });
    expect(status).toBe(201);
    expect(body).toMatchObject({ workflow_id: 'hello', version: '0.1.0' });
    expect(body.workflows).toBeUndefined();
    const compiled = checkWorkflow(FILE, 'hello.yaml').document;
    expect((await get('/workflows/hello')).body.ir).toEqual(compiled);
  });

  it.each(['application/x-yaml', 'text/yaml; charset=utf-8', 'TEXT/X-YAML', 'application/yml'])('accepts %s', async (type) => {
    const { call } = await api();
    const reply = await call('POST', '/workflows', { rawBody: FILE, headers: { 'content-type': type } });
    expect(reply.status).toBe(201);
  });

  it('answers with the line and column of each problem', async () => {
    const { call } = await api();
    const wrong = FILE.replace('next: ask', 'next: asc').replace('type: tool,', 'type: tol,');
    const { status, body } = await call('POST', '/workflows', { rawBody: wrong, headers: yaml });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_workflow', error: expect.stringContaining('line 3: ') });
    expect(body.diagnostics?.[0]).toMatchObject({ severity: 'error', line: 3, column: expect.any(Number) });
    expect(body.diagnostics?.[0]).not.toHaveProperty('file');
  });

  it('names the content type of YAML when the body is not JSON', async () => {
    const { call } = await api();
    const { status, body } = await call('POST', '/workflows', { rawBody: FILE });
    expect([status, body.error]).toEqual([
      400,
      expect.stringMatching(/not valid JSON.*; for YAML, send content-type: application\/yaml$/),
    ]);
  });

  it('answers with the place of a syntax error, and of an empty file', async () => {
    const { call } = await api();
    const broken = await call('POST', '/workflows', { rawBody: 'workflow: { id: a\nnodes: [', headers: yaml });
    expect(broken).toMatchObject({ status: 400, body: { diagnostics: [{ code: 'yaml_syntax', line: 2 }] } });
    const empty = await call('POST', '/workflows', { rawBody: '# nothing\n', headers: yaml });
    expect(empty).toMatchObject({ status: 400, body: { diagnostics: [{ code: 'empty_file', line: 1, column: 1 }] } });
  });

  it('refuses a prompt in a file and reads none', async () => {
    const { call } = await api();
    const file = `workflow: { id: a, version: "1" }
nodes:
  answer: { type: model, model: gpt-4o-mini, prompt: prompts/../../etc/passwd.txt }
`;
    const { status, body } = await call('POST', '/workflows', { rawBody: file, headers: yaml });
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { diagnostics: [{ code: 'prompt_file', node_id: 'answer', line: 3 }] },
    });
  });

  it('names no function of a module and no value of the environment', async () => {
    const { call, get } = await api();
    const file = `workflow: { id: a, version: "1" }
tools: { greet: { kind: function, reference: "./no-such-file.mjs#greet" } }
nodes:
  greet: { type: tool, input: { home: "{{ env.HOME }}" } }
`;
    expect((await call('POST', '/workflows', { rawBody: file, headers: yaml })).status).toBe(201);
    const { ir } = (await get('/workflows/a')).body;
    expect(JSON.stringify(ir)).not.toContain('no-such-file');
    expect(JSON.stringify(ir)).toContain('{{ env.HOME }}');
  });

  it('registers all workflows of a file, and says that it creates no schedules', async () => {
    const { call, get } = await api();
    const file = `workflows:
  first:
    nodes: { a: { type: tool, tool_ref: x } }
  second:
    schedule: { cron: "0 8 * * *" }
    nodes: { b: { type: tool, tool_ref: y } }
`;
    const { status, body } = await call('POST', '/workflows', { rawBody: file, headers: yaml });
    expect(status).toBe(201);
    expect(body.workflow_id).toBe('first');
    expect(body.workflows?.map((one: { workflow_id: string }) => one.workflow_id)).toEqual(['first', 'second']);
    expect(body.warnings).toContainEqual(expect.objectContaining({ code: 'schedule_not_created', line: 5 }));
    expect((await get('/cron')).body).toEqual({ cron_jobs: [] });
  });

  it('registers nothing if one of several workflows is invalid', async () => {
    const { call, get } = await api();
    const file =
      'workflows:\n  good: { nodes: { a: { type: tool, tool_ref: x } } }\n  bad: { nodes: { b: { type: nothing } } }\n';
    expect((await call('POST', '/workflows', { rawBody: file, headers: yaml })).status).toBe(400);
    expect((await get('/workflows')).body.workflows).toEqual([]);
  });

  it('refuses bytes that are not UTF-8', async () => {
    const { call } = await api();
    const reply = await call('POST', '/workflows', { rawBody: Buffer.from([0x61, 0xff]), headers: yaml });
    expect(reply).toMatchObject({ status: 400, body: { error: 'bad request: the body is not valid UTF-8' } });
  });

  it('checks a large file in a thread', async () => {
    const { call } = await api();
    const nodes = Array.from(
      { length: 200 },
      (_, i) => `  n${i}: { type: tool, tool_ref: x, next: ${i < 199 ? `n${i + 1}` : 'end'} }`,
    );
    const file = `workflow: { id: large, version: "1" }\nnodes:\n${nodes.join('\n')}\n`;
    expect((await call('POST', '/workflows', { rawBody: file, headers: yaml })).status).toBe(201);
    const wrong = await call('POST', '/workflows', { rawBody: file.replace('next: n199', 'next: n999'), headers: yaml });
    expect(wrong).toMatchObject({ status: 400, body: { diagnostics: [{ line: 201 }] } });
  });
});

describe('GET /workflows/:id/revisions', () => {
  it('lists what was registered under each version, when and by whom, the last first', async () => {
    const { post, get } = await api();
    const first = (await post('/workflows', { ir: REVIEW })).body.revision;
    const second = (await post('/workflows', { ir: { ...REVIEW, description: 'changed' } })).body.revision;
    await post('/workflows', { ir: { ...REVIEW, version: '2.0.0' } });
    const { body } = await get('/workflows/review/revisions');
    expect(body).toMatchObject({ workflow_id: 'review', limit: 50, offset: 0 });
    expect(body.revisions).toMatchObject([
      { version: '2.0.0', current: true },
      { version: '1.0.0', revision: second, current: true, first_registered_by: expect.any(String) },
      { version: '1.0.0', revision: first, current: false, registered_by: expect.any(String) },
    ]);
    expect((await get('/workflows/review/revisions?limit=1&offset=2')).body.revisions).toMatchObject([{ revision: first }]);
  });

  it('gives the document of a revision that its version no longer has, by its first digits', async () => {
    const { post, get } = await api();
    const first = String((await post('/workflows', { ir: REVIEW })).body.revision);
    await post('/workflows', { ir: { ...REVIEW, description: 'changed' } });
    const { body } = await get(`/workflows/review?revision=${first.slice(0, 8)}`);
    expect(body).toMatchObject({ revision: first, version: '1.0.0' });
    expect(body.ir.description).toBeUndefined();
  });

  it('knows no revision of another workflow', async () => {
    const { post, get } = await api();
    const { revision } = (await post('/workflows', { ir: REVIEW })).body;
    await post('/workflows', { ir: { ...REVIEW, workflow_id: 'other' } });
    expect((await get(`/workflows/other?revision=${revision}`)).status).toBe(404);
    expect((await get('/workflows/nothing/revisions')).status).toBe(404);
    expect((await get(`/workflows/review?revision=${revision}&version=1`)).status).toBe(400);
    expect((await get('/workflows/review?revision=abc')).status).toBe(400);
  });
});
