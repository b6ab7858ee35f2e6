import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiError, JamjetClient, Unreachable } from '../../src/client/index.ts';
import { VERSION } from '../../src/server/config.ts';
import { type ApiOptions, api, ECHO, ECHO_TOOLS, EXTERNAL, PAYMENT, REVIEW, UNKNOWN_EXECUTION } from './support/api.ts';

/** A client and a server that really listens. */
async function connected(options?: ApiOptions) {
  const server = await api(options);
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  return { server, url, client: new JamjetClient({ url: `${url}/`, token: await server.token('operator') }) };
}

/** A server with the same reply to every request. */
async function answering(status: number, text: string): Promise<JamjetClient> {
  const server = createServer((_request, response) => response.writeHead(status).end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return new JamjetClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

describe('the client', () => {
  it('follows the events, and the end', async () => {
    const { client } = await connected();
    await client.registerWorkflow(PAYMENT);
    const ended = new AbortController();
    const tenant = client.live.tenant({ kinds: ['WorkflowCompleted'], workflowId: 'payment', signal: ended.signal });
    const completed = tenant.next();
    const { execution_id } = await client.start({ workflow_id: 'payment' });
    const kinds: string[] = [];
    for await (const event of client.live.execution(execution_id, { kinds: ['WorkflowStarted', 'workflow_completed'] })) {
      kinds.push(event.kind);
      if (event.kind === 'WorkflowStarted') await client.sendEvent(execution_id, { key: 'paid', payload: null });
    }
    expect(kinds).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    expect((await completed).value?.event).toMatchObject({ execution_id, workflow_id: 'payment', kind: 'WorkflowCompleted' });
    ended.abort(new Error('enough'));
    await expect(tenant.next()).rejects.toThrow('enough');
    await expect(client.live.execution(UNKNOWN_EXECUTION).next()).rejects.toMatchObject({ status: 404 });
    await expect(client.live.tenant({ kinds: ['x'] }).next()).rejects.toMatchObject({ status: 400 });
  });

  it('manages webhooks', async () => {
    const { client } = await connected();
    const { id, secret } = await client.webhooks.create({ url: 'https://example.com/', events: ['NodeFailed'] });
    expect(secret).toMatch(/^whsec_/);
    expect((await client.webhooks.list()).webhooks).toMatchObject([{ id }]);
    expect(await client.webhooks.update(id, { enabled: false })).toMatchObject({ enabled: false });
    expect(await client.webhooks.get(id)).toMatchObject({ events: ['NodeFailed'], enabled: false });
    expect(await client.webhooks.deliveries(id, { status: 'failed', limit: 5 })).toEqual({ deliveries: [], next_cursor: null });
    expect(await client.webhooks.replay(id)).toEqual({ webhook_id: id, replayed: 0 });
    await expect(client.webhooks.replayDelivery(id, 'none')).rejects.toMatchObject({ status: 404 });
    expect(await client.webhooks.delete(id)).toEqual({ id, deleted: true });
    await expect(client.webhooks.test(id)).rejects.toMatchObject({ status: 404 });
  });

  it('registers, starts, waits and reads', async () => {
    const { client } = await connected({ tools: ECHO_TOOLS });
    expect(await client.health()).toEqual({ status: 'ok', version: VERSION });
    expect(await client.registerWorkflow(ECHO)).toMatchObject({ workflow_id: 'echo' });
    const { execution_id } = await client.start({ workflow_id: 'echo', input: { a: 1 } });
    expect(await client.execution(execution_id, { waitMs: 30_000 })).toMatchObject({ status: 'completed', state: { a: 1 } });
    expect((await client.executions({ status: 'completed', limit: 5 })).executions).toMatchObject([{ execution_id }]);
    expect((await client.workflows()).workflows).toMatchObject([{ workflow_id: 'echo' }]);
    expect((await client.workflow('echo', '1.0.0')).ir).toMatchObject({ workflow_id: 'echo' });
    expect((await client.events(execution_id, { after: 1, limit: 1 })).map(({ sequence }) => sequence)).toEqual([2]);
  });

  it('decides, sends events and cancels', async () => {
    const { client } = await connected();
    await client.registerWorkflow(REVIEW);
    await client.registerWorkflow(PAYMENT);
    const review = (await client.start({ workflow_id: 'review' })).execution_id;
    expect((await client.approvals(review)).pending).toMatchObject([{ node_id: 'review' }]);
    expect(await client.approve(review, { decision: 'approved' })).toMatchObject({ accepted: true });
    const paid = (await client.start({ workflow_id: 'payment' })).execution_id;
    expect(await client.sendEvent(paid, { key: 'paid', payload: 1 })).toMatchObject({ matched: true });
    const cancelled = (await client.start({ workflow_id: 'payment' }, { idempotencyKey: 'once' })).execution_id;
    expect((await client.start({ workflow_id: 'payment' }, { idempotencyKey: 'once' })).execution_id).toBe(cancelled);
    expect(await client.cancel(cancelled, 'enough')).toEqual({ execution_id: cancelled, status: 'cancelled' });
  });

  it('claims and completes work', async () => {
    const { client } = await connected();
    await client.registerWorkflow(EXTERNAL);
    const { execution_id } = await client.start({ workflow_id: 'external' });
    const { work_item } = await client.claimWork({ worker_id: 'w', queue_types: ['python_tool'] });
    const lease = { worker_id: 'w', lease_fence: work_item?.lease_fence ?? 0 };
    expect(await client.heartbeat(work_item?.id ?? '', lease)).toMatchObject({ renewed: true });
    expect(await client.completeWork(work_item?.id ?? '', { output: 1 })).toMatchObject({ completed: true });
    expect((await client.workers()).workers.map(({ id }) => id)).toContain('w');
    await expect(client.failWork(work_item?.id ?? '', { error: 'late' })).rejects.toMatchObject({
      status: 409,
      code: 'stale_fence',
    });
    await expect(client.enqueueWork({ execution_id: UNKNOWN_EXECUTION, node_id: 'n' })).rejects.toMatchObject({ status: 404 });
    expect((await client.execution(execution_id)).status).toBe('completed');
  });

  it('manages tokens', async () => {
    const { client, url } = await connected();
    const made = await client.createToken({ role: 'viewer', name: 'dashboard' });
    expect((await client.tokens()).tokens.map(({ name }) => name)).toContain('dashboard');
    expect(await client.me()).toMatchObject({ tenant_id: 'default', role: 'operator', auth: 'on' });
    const { code } = await client.signIn.createLink({ expires_in: '1m' });
    const { token } = await new JamjetClient({ url: client.url }).signIn.redeemLink(code ?? '');
    await expect(client.signIn.redeemLink(code ?? '')).rejects.toMatchObject({ status: 409, code: 'sign_in_link_used' });
    const browser = new JamjetClient({ url: client.url, token });
    expect(await browser.me()).toMatchObject({ role: 'operator' });
    await browser.signIn.signOut();
    await expect(browser.me()).rejects.toMatchObject({ status: 401 });
    const viewer = new JamjetClient({ url, token: made.token });
    await expect(viewer.start({ workflow_id: 'x' })).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    await client.revokeToken(made.id);
    await expect(viewer.executions()).rejects.toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('follows an execution to its end, event by event', async () => {
    const { client } = await connected();
    await client.registerWorkflow(PAYMENT);
    const { execution_id } = await client.start({ workflow_id: 'payment' });
    const seen: string[] = [];
    let last = 0;
    for await (const event of client.follow(execution_id)) {
      expect(event.sequence).toBe(last + 1);
      last = event.sequence;
      seen.push(event.kind);
      if (event.kind === 'NodeStarted') await client.sendEvent(execution_id, { key: 'paid', payload: {} });
    }
    expect([seen[0], seen.at(-1)]).toEqual(['WorkflowStarted', 'WorkflowCompleted']);
    const rest = [];
    for await (const event of client.follow(execution_id, { after: last - 1 })) rest.push(event.kind);
    expect(rest).toEqual(['WorkflowCompleted']);
  });

  it('follows an execution over its budget into the one that continues it', async () => {
    const { client } = await connected();
    const kind = { type: 'python_fn', module: 'm', function: 'count' };
    const branches = [{ condition: 'state.n < 2', target: 'count' }, { target: 'end' }];
    await client.registerWorkflow({
      workflow_id: 'count',
      version: '1',
      token_budget: { total_tokens: 10 },
      continue_as_new: true,
      start_node: 'count',
      nodes: { count: { kind }, more: { kind: { type: 'condition', branches } } },
      edges: [{ from: 'count', to: 'more' }],
    });
    const { execution_id: first } = await client.start({ workflow_id: 'count' });
    const ends: [string, string][] = [];
    for await (const event of client.follow(first, { segments: true })) {
      if (event.kind === 'NodeScheduled') {
        const { work_item: item } = await client.claimWork({ worker_id: 'w', queue_types: ['python_tool'], wait_ms: 5_000 });
        const { n = 0 } = (item?.payload.state ?? {}) as { n?: number };
        await client.completeWork(item?.id ?? '', { output: { n: n + 1 }, input_tokens: n === 0 ? 11 : 1 });
      }
      if (event.kind === 'SegmentBoundary' || event.kind === 'WorkflowCompleted') ends.push([event.execution_id, event.kind]);
    }
    const { next_execution_id: next = '', status } = await client.execution(first);
    expect(status).toBe('limit_exceeded');
    expect(ends).toEqual([
      [first, 'SegmentBoundary'],
      [next, 'WorkflowCompleted'],
    ]);
    expect(await client.execution(next)).toMatchObject({ previous_execution_id: first, segment_number: 1, state: { n: 2 } });
    const { executions } = await client.executions({ label: `jamjet.segment.after:${first}` });
    expect(executions).toMatchObject([{ execution_id: next, previous_execution_id: first, segment_number: 1 }]);
  });

  it('stops following when its signal aborts', async () => {
    const { client } = await connected();
    await client.registerWorkflow(PAYMENT);
    const { execution_id } = await client.start({ workflow_id: 'payment' });
    const stop = new AbortController();
    const following = (async () => {
      for await (const _event of client.follow(execution_id, { signal: stop.signal })) stop.abort(new Error('enough'));
    })();
    await expect(following).rejects.toThrow('enough');
  });

  it('throws the error of the server', async () => {
    const { client } = await connected();
    const failure = await client.execution(UNKNOWN_EXECUTION).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 404, code: 'not_found', message: `not found: execution ${UNKNOWN_EXECUTION}` });
  });

  it('keeps a path prefix of its URL', async () => {
    const { url } = await connected();
    await expect(new JamjetClient({ url: `${url}/nowhere/` }).health()).rejects.toThrow('not found: GET /nowhere/health');
  });

  it('reports a server that cannot be reached', async () => {
    const { client, server } = await connected();
    await server.app.close();
    const failure = await client.health().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unreachable);
    expect(String(failure)).toMatch(/cannot reach http:\/\/127\.0\.0\.1:\d+: connection refused$/);
  });

  it('reports a server without TLS', async () => {
    const { url } = await connected();
    const client = new JamjetClient({ url: url.replace('http:', 'https:') });
    await expect(client.health()).rejects.toThrow(
      /^cannot reach https:\/\/127\.0\.0\.1:\d+: the server does not use TLS: use an http:\/\/ URL$/,
    );
  });

  it('reports a timeout', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(new JamjetClient({ url, timeoutMs: 20 }).health()).rejects.toThrow('timeout');
  });

  it('reports another program on the port', async () => {
    await expect((await answering(200, '<html>hello</html>')).health()).rejects.toThrow('is this a JamJet server?');
    await expect((await answering(502, 'Bad Gateway')).health()).rejects.toMatchObject({ status: 502, code: null });
    await expect((await answering(500, '[]')).health()).rejects.toThrow('HTTP 500');
  });
});
