import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { commandServers } from '../../src/cli/following/command-servers.ts';
import { readScript } from '../../src/executors/model/script.ts';
import type { ModelSettings } from '../../src/executors/model/settings.ts';
import { ModuleLoader } from '../../src/project/module-loader.ts';
import { loadLocalTools } from '../../src/project/tools.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { createRuntime } from '../../src/runtime/index.ts';
import type { EventView, ExecutionView } from '../../src/runtime/types/executions.ts';
import type { ServerRuntime } from '../../src/runtime/types/server-runtime.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { FakeClock } from '../support/clock.ts';
import { CALLER, databasePath } from '../support/runtimes.ts';

interface Opened {
  readonly runtime: ServerRuntime;
  /** Registers all files of the example, and starts the last one. */
  start(input?: Json): Promise<string>;
  settled(id: string): Promise<ExecutionView>;
  events(id: string): Promise<EventView[]>;
}

/** A runtime with the functions of the example's files, as `jamjet run` opens it. */
async function open(
  example: string,
  files: readonly string[] = ['workflow.yaml'],
  clock: Clock = systemClock,
  models: ModelSettings = {},
): Promise<Opened> {
  const folder = join('examples', example);
  const authored = files.map((name) => checkWorkflow(readFileSync(join(folder, name), 'utf8'), join(folder, name)));
  const documents = authored.flatMap(({ workflows }) => workflows.map(({ document }) => document));
  const tools = await loadLocalTools(
    Object.assign({}, ...authored.map(({ localTools }) => localTools)),
    folder,
    new ModuleLoader({ cwd: process.cwd(), fresh: false }),
  );
  const mcpServers = commandServers(documents);
  const store = await openSqlite({ path: databasePath(), writer: 'test', nowMs: () => clock.nowMs() });
  const runtime = await createRuntime({ store, tools, mcpServers, clock, models, allowPrivateAddresses: true });
  onTestFinished(async () => {
    await runtime.close(0);
    await store.close();
  });
  let workflowId = '';
  for (const document of documents) workflowId = (await runtime.register(CALLER, document)).workflowId;
  return {
    runtime,
    start: async (input = inputOf(example)) => (await runtime.start(CALLER, { workflowId, input })).executionId,
    settled: (id) => runtime.settled('default', id, 20_000),
    async events(id) {
      const events: EventView[] = [];
      for await (const event of runtime.events('default', id)) events.push(event);
      return events;
    },
  };
}

/** The HTTP service of the data pipeline. */
interface Service {
  readonly url: string;
  readonly reports: readonly unknown[];
  close(): Promise<void>;
}

async function startService(): Promise<Service> {
  const module: { startService(): Promise<Service> } = await import(
    pathToFileURL(resolve('examples/data-pipeline/service.mjs')).href
  );
  return module.startService();
}

function inputOf(example: string): JsonObject {
  return JSON.parse(readFileSync(join('examples', example, 'input.json'), 'utf8'));
}

/** Nodes that completed, in order. */
function completed(events: readonly EventView[]): (string | null)[] {
  return events.filter(({ type }) => type === 'node_completed').map(({ nodeId }) => nodeId);
}

describe('refund-approval', () => {
  it('pays after an approval, at the second attempt', async () => {
    const { runtime, start, settled, events } = await open('refund-approval');
    const id = await start();
    expect(await settled(id)).toMatchObject({ status: 'paused', state: { order: { total: 180 } } });
    const { pending } = await runtime.approvals('default', id);
    expect(pending).toMatchObject([
      { nodeId: 'review', context: { description: 'Refund 180 to tariq@example.com? Reason given: arrived broken' } },
    ]);
    await runtime.approve(CALLER, id, { decision: 'approved', comment: 'the photo shows it' });
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: {
        review: { approved: true, comment: 'the photo shows it' },
        refund: { reference: 'R-A-1042', amount: 180 },
        outcome: 'to tariq@example.com: 180 for order A-1042 is on its way, reference R-A-1042.',
      },
    });
    const log = await events(id);
    expect(completed(log)).toEqual(['look_up', 'decide', 'review', 'refund', 'confirm']);
    expect(log.find(({ type }) => type === 'node_failed')).toMatchObject({
      nodeId: 'refund',
      data: { retryable: true, attempt: 0 },
    });
  });

  it('notifies the customer after a rejection', async () => {
    const { runtime, start, settled, events } = await open('refund-approval');
    const id = await start();
    await settled(id);
    await runtime.approve(CALLER, id, { decision: 'rejected', comment: 'Please send a photo.' });
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { outcome: 'to tariq@example.com: We cannot refund order A-1042. Please send a photo.' },
    });
    expect(completed(await events(id))).toEqual(['look_up', 'decide', 'review', 'decline']);
  });

  it('declines after three days without a decision', async () => {
    const clock = new FakeClock();
    const { start, settled } = await open('refund-approval', ['workflow.yaml'], clock);
    const id = await start();
    expect((await settled(id)).status).toBe('paused');
    clock.advance(3 * 86_400_000);
    expect(await ended(settled, id)).toMatchObject({
      status: 'completed',
      state: { outcome: 'to tariq@example.com: We cannot refund order A-1042.' },
    });
  });

  it('refunds small amounts without an approval', async () => {
    const { start, settled, events } = await open('refund-approval');
    const id = await start({ order_id: 'A-1001', reason: 'too small' });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { refund: { amount: 24.5 } } });
    expect(completed(await events(id))).not.toContain('review');
  });

  it('fails immediately if the order does not exist', async () => {
    const { start, settled, events } = await open('refund-approval');
    const id = await start({ order_id: 'A-0', reason: '' });
    expect(await settled(id)).toMatchObject({ status: 'failed' });
    expect((await events(id)).filter(({ type }) => type === 'node_failed')).toHaveLength(1);
  });
});

describe('supervisor', () => {
  it('lets its agents find facts and write, and repairs a call that does not fit', async () => {
    const script = readScript(JSON.parse(readFileSync('examples/supervisor/answers.json', 'utf8')));
    const { start, settled, events } = await open('supervisor', ['fleet.yaml'], systemClock, { script });
    const id = await start();
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { text: 'Our green lamp needs only 4 watts. Its glass had another life before.' },
    });
    const log = await events(id);
    expect(log.filter(({ type }) => type === 'tool_call_rejected').map(({ data }) => data.problem)).toEqual([
      'the arguments of researcher do not fit: topic is required',
    ]);
    expect(completed(log).filter((node) => node?.startsWith('supervisor.') && node !== 'supervisor.call')).toEqual([
      'supervisor.researcher',
      'supervisor.writer',
    ]);
    const children = log.filter(({ type }) => type === 'child_workflow_started').map(({ data }) => data.child_execution_id);
    const states = await Promise.all(children.map(async (child) => (await settled(String(child))).state));
    expect(states).toMatchObject([
      { topic: 'the green lamp', facts: 'The green lamp needs 4 watts, and is made of recycled glass.' },
      { result: 'Our green lamp needs only 4 watts. Its glass had another life before.' },
    ]);
    const [searched] = await Promise.all(children.slice(0, 1).map(async (child) => completed(await events(String(child)))));
    expect(searched).toEqual(['search_archive', 'search_archive.call', 'search_archive.search', 'search_archive']);
  });
});

describe('order-fulfilment', () => {
  it('ships a paid order', async () => {
    const { runtime, start, settled, events } = await open('order-fulfilment');
    const id = await start();
    expect(await settled(id)).toMatchObject({ status: 'paused', state: { stock: { available: true }, risk: { total: 63 } } });
    expect(await runtime.sendEvent(CALLER, id, { key: 'payment-received', payload: { amount: 63 } })).toMatchObject({
      matched: true,
      nodeId: 'payment',
    });
    expect(await ended(settled, id)).toMatchObject({
      status: 'completed',
      state: { amount: 63, shipment: { tracking: 'T-B-7', paid: 63 } },
    });
    expect(completed(await events(id))).not.toContain('release');
  });

  it('buffers an early payment', async () => {
    const { runtime, start, settled } = await open('order-fulfilment');
    const id = await start();
    await runtime.sendEvent(CALLER, id, { key: 'payment-received', payload: { amount: 63 } });
    expect(await ended(settled, id)).toMatchObject({ status: 'completed', state: { shipment: { paid: 63 } } });
  });

  it('releases the stock after two days without a payment', async () => {
    const clock = new FakeClock();
    const { start, settled } = await open('order-fulfilment', ['workflow.yaml'], clock);
    const id = await start();
    expect((await settled(id)).status).toBe('paused');
    clock.advance(2 * 86_400_000);
    expect(await ended(settled, id)).toMatchObject({
      status: 'completed',
      state: { outcome: 'order B-7 was cancelled and its stock was released' },
    });
  });

  it('does not wait for a payment if an item is out of stock', async () => {
    const { start, settled } = await open('order-fulfilment');
    const id = await start({ order_id: 'B-8', items: [{ sku: 'desk', quantity: 1 }] });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { stock: { missing: ['desk'] } } });
  });
});

describe('data-pipeline', () => {
  it('fetches, totals and posts, with retries while the service is busy', async () => {
    const service = await startService();
    onTestFinished(() => service.close());
    const { start, settled, events } = await open('data-pipeline');
    const id = await start({ service: service.url, date: '2026-03-07' });
    const report = { date: '2026-03-07', regions: { north: 170, south: 100 }, total: 270, currency: 'EUR' };
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { report, receipt: { id: 'report-1' } } });
    expect(service.reports).toEqual([{ title: 'Sales of 2026-03-07', report }]);
    const log = await events(id);
    expect(log.filter(({ type }) => type === 'node_failed')).toMatchObject([
      { nodeId: 'fetch_rates', data: { retryable: true } },
    ]);
    expect(completed(log).slice(-3)).toEqual(['fetched', 'total', 'post']);
  });
});

describe('drafting-loop', () => {
  it('iterates until the review is satisfied', async () => {
    const { start, settled, events } = await open('drafting-loop');
    const id = await start();
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { round: 3, verdict: 'published after round 3' } });
    expect(completed(await events(id))).toEqual(['write', 'judge', 'write', 'judge', 'write', 'judge', 'publish']);
  });

  it('gives up after three iterations', async () => {
    const { start, settled } = await open('drafting-loop');
    const id = await start({ topic: 'Cats' });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { verdict: 'shelved after round 3' } });
  });
});

describe('onboarding', () => {
  const files = ['credit-check.yaml', 'workflow.yaml'];

  it('opens an account after the child has rated the company', async () => {
    const { runtime, start, settled } = await open('onboarding', files);
    const id = await start();
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { company: 'Harbour Tea', rating: 'A', account: 'acc-harbour-tea' },
    });
    const { executions: children } = await runtime.executions('default', { parentId: id, limit: 10, offset: 0 });
    expect(children).toMatchObject([{ workflowId: 'credit-check', status: 'completed' }]);
  });

  it('rejects a company that pays late', async () => {
    const { start, settled } = await open('onboarding', files);
    expect(await settled(await start({ company: 'Slow & Sons' }))).toMatchObject({
      status: 'completed',
      state: { notice: 'no account for Slow & Sons: rated D' },
    });
  });
});

describe('customer-scores', () => {
  it('scores every customer, and keeps the error of one that is not known', async () => {
    const { start, settled } = await open('customer-scores');
    expect(await settled(await start())).toMatchObject({
      status: 'completed',
      state: { scores: [7, 9, 4, { error: 'customer zoe is not known' }], report: { best: 'bob', scored: 3, of: 4 } },
    });
  });
});

describe('fastest-quote', () => {
  it('takes the first reply and cancels the other requests', async () => {
    const { start, settled, events } = await open('fastest-quote');
    const id = await start();
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { quote: { carrier: 'swift', price: 10.8 }, booking: 'swift for 10.8' },
    });
    const cancelled = (await events(id)).filter(({ type }) => type === 'node_cancelled').map(({ nodeId }) => nodeId);
    expect(cancelled.sort()).toEqual(['owl', 'snail']);
  });
});

/** An execution may still be paused for a moment after its event: polls while it is paused. */
async function ended(settled: Opened['settled'], id: string): Promise<ExecutionView> {
  for (let asked = 0; asked < 1_000; asked += 1) {
    const view = await settled(id);
    if (view.status !== 'paused') return view;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the execution stays paused');
}

describe('stock-check', () => {
  it.each([
    ['green tea', { stock: { left: 2, minimum: 10 }, order: { pieces: 10, reference: 'O-green-tea' } }],
    ['black tea', { stock: { left: 40, minimum: 10 } }],
  ])('asks the MCP server about %s', async (article, state) => {
    const { start, settled } = await open('stock-check');
    const { status, state: final } = await settled(await start({ article }));
    expect({ status, final }).toEqual({
      status: 'completed',
      final: { article, ...state, ...('order' in state ? { order: expect.objectContaining(state.order) } : {}) },
    });
  });
});

describe('contract-review', () => {
  it.each([
    ['approved', 'The contract is sound, with three months of notice.'],
    ['rejected', 'The contract is sound, and binds both sides to its end.'],
  ] as const)('the lawyer goes on with the task when its question is %s', async (decision, review) => {
    const { startAgent } = await import(pathToFileURL(resolve('examples/contract-review/agent.mjs')).href);
    const server: Server = await startAgent(0);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { runtime, start, settled } = await open('contract-review');
    const agent = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const id = await start({ ...inputOf('contract-review'), agent });
    expect((await settled(id)).status).toBe('paused');
    const { pending } = await runtime.approvals('default', id);
    expect(pending).toMatchObject([{ context: { description: 'May either side end the contract early?' } }]);
    await runtime.approve(CALLER, id, { decision });
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { review } });
  });
});

describe('handbook-answers', () => {
  it('answers from the passage that has to do with the question, and learns each section once', async () => {
    const { runtime, start, settled, events } = await open('handbook-answers');
    const id = await start();
    expect(await settled(id)).toMatchObject({
      status: 'completed',
      state: { answer: { text: expect.stringContaining('within 14 days'), source: 'Refunds', see_also: ['Shipping'] } },
    });
    expect(completed(await events(id))).toEqual(['learn', 'find', 'known', 'answer']);
    await settled(await start());
    expect((await runtime.memory.items('default', 'handbook')).items).toHaveLength(4);
  });

  it('asks a person what the handbook does not know', async () => {
    const { runtime, start, settled } = await open('handbook-answers');
    const id = await start({ question: 'Do you sell umbrellas?' });
    expect(await settled(id)).toMatchObject({ status: 'paused', state: { passages: [] } });
    expect((await runtime.approvals('default', id)).pending).toMatchObject([
      { context: { description: 'The handbook says nothing about: Do you sell umbrellas?' } },
    ]);
  });
});

describe('chat', () => {
  it('answers each message within the thread, which is summarised when it has become long', async () => {
    const script = readScript(JSON.parse(readFileSync('examples/chat/answers.json', 'utf8')));
    const { runtime, start, settled } = await open('chat', ['workflow.yaml'], systemClock, { script });
    const say = async (message: string) => (await settled(await start({ customer: 'customer-42', message }))).state.answer;
    expect((await settled(await start())).state.answer).toBe('I am sorry. What is the number of your order?');
    expect(await say('It is order A-17.')).toBe('Thank you. I have sent you a new bulb.');
    expect(await say('And when does it arrive?')).toBe('It arrives tomorrow.');
    expect(await say('Thank you!')).toBe('You are welcome.');
    expect((await runtime.threads.get('default', 'customer-42')).summary).toBe(null);
    expect(await say('Bye!')).toBe('You are welcome.');
    expect(await runtime.threads.get('default', 'customer-42')).toMatchObject({
      messages: 10,
      summary: "The customer's lamp of order A-17 flickers. A new bulb has been sent.",
      summarisedSequence: 6,
    });
  });
});
