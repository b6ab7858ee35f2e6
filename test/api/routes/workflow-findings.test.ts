import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../src/api/routes/workflow-findings.ts';
import { JamjetClient } from '../../../src/client/index.ts';
import { AnalysisStopped } from '../../../src/testing/thread/analyse-in-thread.ts';
import { api, PAYMENT } from '../support/api.ts';

const tool = (id: string) => ({ id, kind: { type: 'tool', tool_ref: id } });

/** `again` leads back to `draft` whatever happens. */
const TRAP = {
  workflow_id: 'trap',
  version: '1',
  state_schema: {},
  start_node: 'draft',
  nodes: {
    draft: tool('draft'),
    again: { id: 'again', kind: { type: 'condition', branches: [{ condition: null, target: 'draft' }] } },
  },
  edges: [{ from: 'draft', to: 'again' }],
};

async function served() {
  const server = await api();
  const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
  return { server, client: new JamjetClient({ url, token: await server.token('developer') }) };
}

describe('GET /workflows/:workflow_id/findings', () => {
  it('has what an exploration finds, and whether it is complete', async () => {
    const { client } = await served();
    await client.registerWorkflow(TRAP);
    const { revision } = await client.registerWorkflow(PAYMENT);
    const trap = await client.findings('trap');
    expect(trap.findings).toContainEqual(
      expect.objectContaining({ code: 'never_ends', severity: 'error', node_id: 'draft', path: 'nodes.draft' }),
    );
    expect(trap.findings.map(({ severity }) => severity)).toEqual(
      trap.findings.map(({ severity }) => severity).sort((a, b) => RANK.indexOf(a) - RANK.indexOf(b)),
    );
    const payment = await client.findings('payment', { revision: revision.slice(0, 8) });
    expect(payment).toMatchObject({ workflow_id: 'payment', revision, complete: true, bounded: [] });
    expect(payment.paths).toBeGreaterThan(0);
    expect(payment.steps).toBeGreaterThan(0);
  });

  it('answers each request for a revision alike, and analyses it once', async () => {
    const { client } = await served();
    await client.registerWorkflow(TRAP);
    const [first, second] = await Promise.all([client.findings('trap'), client.findings('trap', { version: '1' })]);
    expect(second).toEqual(first);
    expect(await client.findings('trap')).toEqual(first);
  });

  it('refuses what does not exist, and a version with a revision', async () => {
    const { client } = await served();
    await client.registerWorkflow(PAYMENT);
    await expect(client.findings('none')).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(client.findings('payment', { version: '9' })).rejects.toMatchObject({ status: 404 });
    await expect(client.findings('payment', { version: '1', revision: 'abcdef' })).rejects.toMatchObject({ status: 400 });
  });

  it('answers 503 while the server is busy, and 400 for a workflow that is too large', async () => {
    const server = await api();
    server.app.get('/stopped/:limit', { config: { access: 'open' } }, async ({ params }) => {
      throw refusalOf(new AnalysisStopped((params as { limit: 'memory' | 'time' }).limit, 'the analysis has not ended'));
    });
    const busy = await server.app.inject('/stopped/time');
    expect([busy.statusCode, busy.headers['retry-after'], busy.json().code]).toEqual([503, '5', 'overloaded']);
    expect(busy.payload).toContain('the server is busy: the analysis has not ended');
    expect((await server.app.inject('/stopped/memory')).statusCode).toBe(400);
  });

  it('is for the workflows of the tenant, and for those who may read', async () => {
    const { server, client } = await served();
    await client.registerWorkflow(PAYMENT);
    expect((await server.call('GET', '/workflows/payment/findings', { as: null })).status).toBe(401);
    expect((await server.call('GET', '/workflows/payment/findings', { as: 'viewer' })).status).toBe(200);
  });
});

const RANK = ['error', 'warning', 'info'];
