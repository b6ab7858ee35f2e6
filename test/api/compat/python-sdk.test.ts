import { describe, expect, it } from 'vitest';
import { api, ECHO, ECHO_TOOLS, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from '../support/api.ts';
import { PythonClient } from '../support/python-client.ts';

function broken(): never {
  throw new Error('out of order');
}

async function listening() {
  const server = await api({ tools: { ...ECHO_TOOLS, broken } });
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  return { ...server, url, python: new PythonClient(`${url}/compat`, await server.token('developer', { name: 'sdk' })) };
}

describe("JamJet's Python SDK on /compat", () => {
  it('recognizes a healthy server', async () => {
    const { python } = await listening();
    expect((await python.health()).status).toBe('ok');
  });

  it('runs an agent durably and reads its answer from the state', async () => {
    const { python } = await listening();
    const messages = [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'good day' },
    ];
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
    expect(await python.runDurable(ECHO, { messages }, pause)).toBe('good day');
    expect(await python.runDurable(ECHO, { last_model_output: 'yes', messages: [] }, pause)).toBe('yes');
  });

  it('gets the error of a failed execution', async () => {
    const { python } = await listening();
    const failing = { ...ECHO, nodes: { echo: { kind: { type: 'tool', tool_ref: 'broken' }, retry_policy: 'no_retry' } } };
    await expect(python.runDurable(failing, {}, async () => {})).rejects.toThrow(/^echo: /);
  });

  it('claims, renews and completes work', async () => {
    const { python } = await listening();
    await python.createWorkflow(EXTERNAL);
    const { execution_id } = await python.startExecution('external', { a: 1 });
    const calls: unknown[] = [];
    const call = ({ module, function: name, input }: { module: string; function: string; input: object }) => {
      calls.push([module, name, input]);
      return { b: 2 };
    };
    expect(await python.work('w1', ['python_tool'], call)).toBe('done');
    expect(await python.work('w1', ['python_tool'], call)).toBe('idle');
    expect(calls).toEqual([['m', 'f', { a: 1 }]]);
    expect(await python.getExecution(execution_id)).toMatchObject({ status: 'completed', current_state: { a: 1, b: 2 } });
    expect((await python.workers()).workers.map(({ id }: { id: string }) => id)).toContain('w1');
  });

  it('continues when a lease is lost, and when its function throws', async () => {
    const { python, clock } = await listening();
    await python.createWorkflow(EXTERNAL);
    await python.startExecution('external', {});
    const slowly = () => {
      clock.advance(31_000);
      return {};
    };
    expect(await python.work('w1', ['python_tool'], slowly)).toBe('lost');
    await clock.advance(60_000);
    const { work_item } = await python.claimWorkItem('w1', ['python_tool']);
    expect(work_item.attempt).toBe(1);
    expect((await python.failWorkItem(work_item.id, 'ValueError')).status).toBe(200);
  });

  it('reads events whose kind is an object with its type', async () => {
    const { python } = await listening();
    await python.createWorkflow(REVIEW);
    const { execution_id } = await python.startExecution('review', {}, '1.0.0');
    await python.approve(execution_id, 'approved');
    const lines = await python.eventLines(execution_id);
    expect(lines[0]).toBe('1 workflow_started');
    expect(lines.at(-1)).toMatch(/^\d+ workflow_completed$/);
    expect(lines).toContainEqual(expect.stringMatching(/^\d+ approval_received review$/));
    const [first] = (await python.getEvents(execution_id)).events;
    expect(first.kind).toMatchObject({ type: 'workflow_started', workflow_id: 'review' });
  });

  it('decides without a user_id, and reads the decision', async () => {
    const { python } = await listening();
    await python.createWorkflow(REVIEW);
    const { execution_id } = await python.startExecution('review', {});
    expect((await python.listApprovals(execution_id)).pending).toMatchObject([
      { node_id: 'review', sequence: expect.any(Number) },
    ]);
    expect(await python.approve(execution_id, 'rejected', '', '', {})).toMatchObject({ node_id: 'review', accepted: true });
    expect((await python.listApprovals(execution_id)).decided).toMatchObject([{ status: 'rejected', user_id: 'sdk' }]);
  });

  it('cancels without a body, and sends events', async () => {
    const { python } = await listening();
    await python.createWorkflow(PAYMENT);
    const { execution_id } = await python.startExecution('payment', {});
    expect(await python.cancelExecution(execution_id)).toEqual({ execution_id, status: 'cancelled' });
    const other = (await python.startExecution('payment', {})).execution_id;
    expect(await python.sendExternalEvent(other, 'paid', 0)).toMatchObject({ accepted: true });
    expect((await python.getExecution(other)).status).toBe('completed');
  });

  it('gets state, input and labels in lists', async () => {
    const { python } = await listening();
    await python.createWorkflow(REVIEW);
    await python.startExecution('review', { a: 1 });
    const { executions } = await python.listExecutions('paused');
    expect(executions).toMatchObject([{ status: 'paused', current_state: { a: 1 }, initial_input: { a: 1 }, labels: {} }]);
    expect((await python.listExecutions()).executions).toHaveLength(1);
    expect((await python.listExecutions('completed')).executions).toEqual([]);
  });

  it('gets errors as an HTTP status with JSON', async () => {
    const { python } = await listening();
    await expect(python.getExecution(UNKNOWN_EXECUTION)).rejects.toMatchObject({
      status: 404,
      body: { error: `not found: execution ${UNKNOWN_EXECUTION}` },
    });
    await expect(python.startExecution('none', {})).rejects.toMatchObject({ status: 404 });
  });
});

describe('a path with the prefix', () => {
  it('appears as the client sent it in errors and in the audit', async () => {
    const { get, call, started } = await api();
    expect((await get('/compat/nowhere?x=1')).body.error).toBe('not found: GET /compat/nowhere');
    expect((await get('/compatible/health')).status).toBe(404);
    expect((await get('/compat/compat/health')).status).toBe(404);
    const wrong = await call('PUT', '/compat/executions');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, POST']);
    expect(wrong.body.error).toContain('PUT /compat/executions;');
    const id = await started(REVIEW);
    await call('POST', `/compat/executions/${id}/approve`, { body: { decision: 'approved' } });
    const { items } = (await get(`/audit?execution_id=${id}&event_type=approval_received`)).body as unknown as {
      items: readonly { readonly http_path: string }[];
    };
    expect(items.map(({ http_path }) => http_path)).toEqual([`/compat/executions/${id}/approve`]);
  });

  it('does not override the requested form of events', async () => {
    const { get, started } = await api();
    const id = await started(REVIEW);
    const kind = async (url: string, headers = {}) => (await get(url, { headers })).body.events[0]?.kind;
    expect(await kind(`/executions/${id}/events`)).toBe('WorkflowStarted');
    expect(await kind(`/compat/executions/${id}/events`)).toMatchObject({ type: 'workflow_started' });
    expect(await kind(`/compat/executions/${id}/events?format=seed`)).toBe('WorkflowStarted');
    expect(await kind(`/compat/executions/${id}/events`, { 'x-jamjet-events': 'seed' })).toBe('WorkflowStarted');
  });
});
