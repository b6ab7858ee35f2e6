import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
import { defineTool, InvalidWorkflow, Type, workflow } from '../../src/index.ts';
import { api } from './support/api.ts';

const double = defineTool(({ n }: { n: number }) => ({ n: n * 2 }));
const doubling = workflow({
  id: 'doubling',
  state: Type.Object({ n: Type.Number() }),
  tools: { double },
  nodes: { double: { input: { n: '{{ state.n }}' } } },
});
const selling = workflow({
  id: 'selling',
  version: '2.0.0',
  state: Type.Object({ price: Type.Number(), paid: Type.Optional(Type.Object({ by: Type.String() })) }),
  events: { paid: Type.Object({ by: Type.String() }) },
  nodes: {
    review: { type: 'human_approval', onApproved: 'payment', onRejected: 'end' },
    payment: { type: 'wait', event: 'paid', outputKey: 'paid', next: 'twice' },
    twice: { type: 'subgraph', workflow: doubling, input: { n: '{{ state.price }}' }, outputMapping: { price: '{{ state.n }}' } },
  },
});

/** A server that really listens, a client of it, and the requests that the client has sent. */
async function connected() {
  const server = await api({ tools: { double } });
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  const sent: string[] = [];
  const client = new JamjetClient({
    url,
    token: await server.token('developer'),
    fetch: (target, init) => {
      sent.push(`${init?.method} ${new URL(String(target)).pathname}`);
      return fetch(target, init);
    },
  });
  return { client, sent };
}

describe('the client, given a workflow in TypeScript', () => {
  it('registers it with those of its subgraphs, and starts it with its types', async () => {
    const { client } = await connected();
    const execution = await client.start(selling, { price: 4 }, { labels: { shop: 'lamps' }, idempotencyKey: 'sale-1' });
    expect((await execution.settled()).status).toBe('paused');
    expect(await execution.approve({ decision: 'approved', node_id: 'review' })).toMatchObject({ node_id: 'review' });
    await execution.settled();
    expect(await execution.sendEvent('paid', { by: 'ann' })).toMatchObject({ matched: true, node_id: 'payment' });
    const { state, input, ...ended } = await execution.settled();
    expectTypeOf(state).toEqualTypeOf<{ price: number; paid?: { by: string } }>();
    expectTypeOf(input).toEqualTypeOf<{ price: number; paid?: { by: string } }>();
    expect({ state, input, ...ended }).toMatchObject({
      status: 'completed',
      workflow_version: '2.0.0',
      state: { price: 8, paid: { by: 'ann' } },
      input: { price: 4 },
      labels: { shop: 'lamps' },
    });
    const same = await client.start(selling, { price: 4 }, { labels: { shop: 'lamps' }, idempotencyKey: 'sale-1' });
    expect(same.executionId).toBe(execution.executionId);
  });

  it('is started by its id once it is registered', async () => {
    const { client } = await connected();
    await expect(client.start('doubling', { n: 21 })).rejects.toMatchObject({ status: 404 });
    await client.registerWorkflow(doubling.document);
    const execution = await client.start('doubling', { n: 21 }, { labels: { shop: 'lamps' } });
    expect(await execution.settled()).toMatchObject({ state: { n: 42 }, labels: { shop: 'lamps' } });
    expect((await client.start('doubling', { n: 1 })).executionId).toMatch(/^exec_/);
  });

  it('types the events by their type', async () => {
    const { client } = await connected();
    const { executionId } = await client.start(selling, { price: 4 });
    const execution = client.executionOf(selling, executionId);
    await execution.approve({ decision: 'rejected' });
    const decisions: string[] = [];
    for await (const event of execution.events({ after: 1 })) {
      if (event.type === 'approval_received') {
        expectTypeOf(event.kind).toEqualTypeOf<'ApprovalReceived'>();
        expectTypeOf(event.data.decision).toEqualTypeOf<'approved' | 'rejected'>();
        decisions.push(event.data.decision);
      }
    }
    expect(decisions).toEqual(['rejected']);
    for (const event of await client.events(executionId)) {
      if (event.type === 'node_failed') expectTypeOf(event.data.error).toEqualTypeOf<string>();
      if (event.kind === 'WorkflowCompleted') expectTypeOf(event.type).toEqualTypeOf<'workflow_completed'>();
    }
    expect((await execution.read()).status).toBe('completed');
    await expect(execution.cancel()).rejects.toMatchObject({ status: 400 });
  });

  it('does not compile with another input, event or decision', async () => {
    const { client } = await connected();
    const wrong = async () => {
      // @ts-expect-error the price is a number
      const execution = await client.start(selling, { price: '4' });
      // @ts-expect-error a misspelt key
      await execution.sendEvent('payed', { by: 'ann' });
      // @ts-expect-error a misspelt field
      await execution.sendEvent('paid', { from: 'ann' });
      // @ts-expect-error no decision
      await execution.approve({ decision: 'maybe' });
    };
    expect(wrong).toBeTypeOf('function');
  });

  it('registers a definition once, and not at all if it is told so', async () => {
    const { client, sent } = await connected();
    await expect(client.start(doubling, { n: 1 }, { register: false })).rejects.toMatchObject({ status: 404 });
    expect(sent).toEqual(['POST /executions']);
    await Promise.all([1, 2, 3].map((n) => client.start(doubling, { n })));
    expect(sent.filter((request) => request === 'POST /workflows')).toHaveLength(1);
    await expect(client.start(doubling, { n: 1 }, { register: false })).resolves.toMatchObject({});
  });

  it('tells what the server warned of at the registration', async () => {
    const { client } = await connected();
    const asking = workflow({ id: 'asking', tools: { ask: () => null }, nodes: { ask: {} } });
    const { warnings, executionId } = await client.start(asking, {});
    expect(warnings).toMatchObject([{ code: 'unserved_tool', node_id: 'ask' }]);
    expect(client.executionOf(asking, executionId).warnings).toEqual([]);
  });

  it('registers again after a failure', async () => {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"later","code":"overloaded"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const client = new JamjetClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(client.start(doubling, { n: 1 })).rejects.toMatchObject({ status: 503 });
    await expect(client.start(doubling, { n: 1 })).rejects.toMatchObject({ status: 503 });
    expect(requests).toBe(2);
  });

  it('sends nothing of a definition with errors', async () => {
    const { client, sent } = await connected();
    const broken = workflow({ id: 'broken', nodes: { a: { type: 'wait', duration: 5, timeout: -1 } } });
    await expect(client.start(broken, {})).rejects.toThrow(InvalidWorkflow);
    expect(sent).toEqual([]);
  });
});
