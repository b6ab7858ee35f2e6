import { describe, expect, it } from 'vitest';
import { type Api, api, ECHO, ECHO_TOOLS, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';

const ROLES = ['viewer', 'developer', 'operator', 'reviewer'] as const;

/** The raw reply: diagrams are not JSON. */
async function getDiagram(server: Api, url: string, token?: string) {
  const authorization = `Bearer ${token ?? (await server.token('viewer'))}`;
  const reply = await server.app.inject({ method: 'GET', url, headers: { authorization } });
  return {
    status: reply.statusCode,
    type: reply.headers['content-type'],
    headers: reply.headers,
    text: reply.payload,
    bytes: reply.rawPayload,
  };
}

describe('GET /workflows/:id/machine', () => {
  it('draws a workflow in every format, each with its media type', async () => {
    const server = await api();
    await server.post('/workflows', { ir: REVIEW });
    const get = (format: string) => getDiagram(server, `/workflows/review/machine?format=${format}`);
    expect(await get('mermaid')).toMatchObject({
      status: 200,
      type: 'text/vnd.mermaid; charset=utf-8',
      text: expect.stringMatching(/^---\ntitle: "review v1\.0\.0"\n---\nflowchart TD\n/),
    });
    expect(await get('dot')).toMatchObject({
      type: 'text/vnd.graphviz; charset=utf-8',
      text: expect.stringMatching(/^digraph /),
    });
    const svg = await get('svg');
    expect(svg).toMatchObject({ type: 'image/svg+xml', text: expect.stringMatching(/^<svg /) });
    expect(svg.headers['content-security-policy']).toBe("default-src 'none'; style-src 'unsafe-inline'");
    const png = await get('png');
    expect([png.type, png.bytes.subarray(1, 4).toString()]).toEqual(['image/png', 'PNG']);
    expect(png.headers).not.toHaveProperty('x-jamjet-unreadable');
    const html = await get('html');
    expect(html.type).toBe('text/html; charset=utf-8');
    expect(html.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-/);
    expect(html.headers['x-content-type-options']).toBe('nosniff');
    const xstate = await get('xstate');
    expect(xstate.type).toBe('application/json; charset=utf-8');
    expect(JSON.parse(xstate.text)).toMatchObject({ id: 'workflow:review', initial: 'review', states: { review: {} } });
    expect((await getDiagram(server, '/workflows/review/machine')).text).toBe(xstate.text);
  });

  it('draws the compiled states, and any version', async () => {
    const server = await api();
    await server.post('/workflows', { ir: REVIEW });
    await server.post('/workflows', { ir: { ...ECHO, workflow_id: 'review', version: '2.0.0' } });
    const machine = await getDiagram(server, '/workflows/review/machine?format=mermaid&view=machine');
    expect(machine.text).toMatch(/stateDiagram-v2\n(?:.*\n)*.*echo/);
    const first = await getDiagram(server, '/workflows/review/machine?format=mermaid&version=1.0.0');
    expect(first.text).toContain('review v1.0.0');
    await server.post('/workflows', { ir: { ...ECHO, workflow_id: 'review', version: '1.0.0' } });
    const earlier = (await server.get('/workflows/review/revisions')).body.revisions.at(-1);
    const replaced = await getDiagram(server, `/workflows/review/machine?format=mermaid&revision=${earlier?.revision}`);
    expect(replaced.text).toBe(first.text);
  });

  it('refuses unknown formats and views', async () => {
    const server = await api();
    await server.post('/workflows', { ir: REVIEW });
    for (const query of ['format=gif', 'format=', 'view=flat', 'version=']) {
      const { status, body } = await server.get(`/workflows/review/machine?${query}`);
      expect([query, status, body.code]).toEqual([query, 400, 'bad_request']);
    }
    expect(await server.get('/workflows/none/machine')).toMatchObject({
      status: 404,
      body: { error: 'not found: workflow none' },
    });
    const other = await server.get('/workflows/review/machine?version=9');
    expect(other).toMatchObject({ status: 404, body: { error: 'not found: workflow review v9' } });
  });

  it('is open to any role, for executions and workflows of its tenant', async () => {
    const server = await api();
    await server.post('/workflows', { ir: REVIEW });
    for (const role of ROLES) {
      const { status } = await getDiagram(server, '/workflows/review/machine?format=dot', await server.token(role));
      expect([role, status]).toEqual([role, 200]);
    }
    expect(await server.get('/workflows/review/machine', { as: null })).toMatchObject({ status: 401 });
    await server.post('/tenants', { id: 'acme', name: 'Acme' }, { as: 'operator' });
    const stranger = await server.token('operator', { tenantId: 'acme' });
    const strange = await getDiagram(server, '/workflows/review/machine', stranger);
    expect([strange.status, JSON.parse(strange.text).error]).toEqual([404, 'not found: workflow review']);
  });

  it('escapes names in every format', async () => {
    const server = await api();
    const name = `</script><svg onload="x()">&"'%`;
    await server.post('/workflows', {
      ir: {
        workflow_id: 'hostile',
        version: '1',
        name: `${name} \u202e`,
        nodes: { [name]: { kind: { type: 'tool', tool_ref: name } } },
        edges: [{ from: name, to: 'end', condition: `state.x == "</style></title><script>"` }],
      },
    });
    for (const format of ['svg', 'html']) {
      const { status, text } = await getDiagram(server, `/workflows/hostile/machine?format=${format}`);
      expect(status).toBe(200);
      expect(text).not.toMatch(/<svg onload|<\/script><svg|<\/style><\/title>|\u202e/);
      expect(text).toContain('&lt;/script&gt;&lt;svg onload=&quot;x()&quot;&gt;&amp;&quot;&#39;%');
    }
  });
});

describe('GET /executions/:id/machine', () => {
  it('shows what has happened, also at an earlier point', async () => {
    const server = await api();
    const id = await server.started(REVIEW);
    const draw = async (query: string) => (await getDiagram(server, `/executions/${id}/machine?format=mermaid${query}`)).text;
    expect(await draw('')).toMatch(/review.*waiting.*:::waiting/);
    expect(await draw('&at=1')).not.toContain('waiting');
    await server.post(`/executions/${id}/approve`, { decision: 'approved', node_id: 'review' }, { as: 'operator' });
    expect(await draw('')).toMatch(/review.*done.*:::done/);
    expect(await draw('')).toContain('n0 ==> finish');
    expect(await draw('&at=3')).toMatch(/:::waiting/);
    const svg = await getDiagram(server, `/executions/${id}/machine?format=svg&view=machine`);
    expect(svg.text).toContain(`${id}</text>`);
    expect(svg.text).toMatch(/started \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC · took \d+ ms · \d+ events/);
    // Into the node, from it to the choice of the end, and from there to its state.
    expect(svg.text.match(/class="jj-edge jj-taken"/g)).toHaveLength(3);
    expect(svg.text.match(/class="jj-edge( jj-back)?"/g)).toBeNull();
    const { status, text } = await getDiagram(server, `/executions/${id}/machine`);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      meta: { execution: { status: 'completed' } },
      states: { review: { meta: { mark: { status: 'done', visits: 1 } } } },
    });
  });

  it('shows why an execution failed', async () => {
    const server = await api();
    const id = await server.started(REVIEW);
    await server.post(
      `/executions/${id}/approve`,
      { decision: 'rejected', node_id: 'review', comment: '<never>' },
      { as: 'operator' },
    );
    const { text } = await getDiagram(server, `/executions/${id}/machine?format=svg`);
    expect(text).toMatch(/<text class="jj-error"[^>]*>review: rejected by [^<]*: &lt;never&gt;<\/text>/);
  });

  it('draws the revision with which it was started', async () => {
    const server = await api({ tools: ECHO_TOOLS });
    const id = await server.started(REVIEW);
    await server.post('/workflows', { ir: { ...ECHO, workflow_id: 'review', version: '1.0.0' } });
    const { text } = await getDiagram(server, `/executions/${id}/machine?format=dot`);
    expect(text).toContain('review');
    expect(text).not.toContain('echo');
  });

  it('is drawn for a limited number of requests at a time; when too many wait, others get a 503 with Retry-After', async () => {
    const server = await api();
    const id = await server.started(REVIEW);
    const token = await server.token('viewer');
    const queries = [1, 2, 3].flatMap((at) =>
      ['mermaid', 'dot', 'xstate', 'svg'].flatMap((format) => ['workflow', 'machine'].map((view) => [at, format, view])),
    );
    const replies = await Promise.all(
      queries.map(([at, format, view]) =>
        getDiagram(server, `/executions/${id}/machine?at=${at}&format=${format}&view=${view}`, token),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(18);
    const refused = replies.filter(({ status }) => status !== 200);
    expect(refused.map(({ status, headers }) => [status, headers['retry-after']])).toEqual(Array(6).fill([503, '1']));
    expect(JSON.parse(refused[0]?.text ?? '').error).toBe('service unavailable: too many diagrams are being drawn');
  });

  it('refuses a point beyond the log, and unknown formats and views', async () => {
    const server = await api();
    const id = await server.started(REVIEW);
    const beyond = await server.get(`/executions/${id}/machine?at=99`);
    expect(beyond).toMatchObject({
      status: 400,
      body: { error: 'bad request: at must not be beyond the log, which has 3 events', code: 'bad_request' },
    });
    for (const query of ['at=0', 'at=-1', 'at=x', 'at=1.5', 'format=gif', 'view=x'])
      expect([query, (await server.get(`/executions/${id}/machine?${query}`)).status]).toEqual([query, 400]);
    for (const unknown of [UNKNOWN_EXECUTION, 'nonsense']) {
      const reply = await server.get(`/executions/${unknown}/machine`);
      expect(reply).toMatchObject({ status: 404, body: { error: `not found: execution ${unknown}` } });
    }
  });

  it('is open to any role, for executions and workflows of its tenant', async () => {
    const server = await api();
    const id = await server.started(REVIEW);
    for (const role of ROLES) {
      const { status } = await getDiagram(server, `/executions/${id}/machine?format=svg`, await server.token(role));
      expect([role, status]).toEqual([role, 200]);
    }
    await server.post('/tenants', { id: 'acme', name: 'Acme' }, { as: 'operator' });
    const stranger = await server.token('operator', { tenantId: 'acme' });
    const strange = await getDiagram(server, `/executions/${id}/machine`, stranger);
    expect([strange.status, JSON.parse(strange.text).error]).toEqual([404, `not found: execution ${id}`]);
  });

  it('does not draw a diagram that is too large to be looked at', async () => {
    const server = await api();
    const nodes = Object.fromEntries(
      Array.from({ length: 2_001 }, (_, i) => [`n${i}`, { kind: { type: 'tool', tool_ref: 't' } }]),
    );
    const edges = Array.from({ length: 2_001 }, (_, i) => ({ from: `n${i}`, to: i === 2_000 ? 'end' : `n${i + 1}` }));
    await server.post('/workflows', { ir: { workflow_id: 'huge', version: '1', start_node: 'n0', nodes, edges } });
    const drawn = await server.get('/workflows/huge/machine?format=svg');
    expect(drawn).toMatchObject({
      status: 400,
      body: {
        error: expect.stringMatching(
          /^bad request: 2003 nodes and 2002 edges are too many to draw; the limits are 2000 and 6000; mermaid, dot/,
        ),
      },
    });
    expect((await getDiagram(server, '/workflows/huge/machine?format=mermaid')).status).toBe(200);
  });
});
