import { describe, expect, it } from 'vitest';
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
