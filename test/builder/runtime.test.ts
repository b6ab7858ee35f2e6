import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  createRuntime,
  defineTool,
  InvalidWorkflow,
  openSqlite,
  type Runtime,
  type RuntimeOptions,
  type Store,
  Type,
  workflow,
} from '../../src/index.ts';

const double = defineTool({
  input: Type.Object({ n: Type.Number() }),
  output: Type.Object({ n: Type.Number() }),
  run: ({ n }) => ({ n: n * 2 }),
});
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

const folder = mkdtempSync(join(tmpdir(), 'jamjet-builder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a runtime of the library', () => {
  let files = 0;
  let runtime: Runtime;
  let store: Store;

  async function open(options: Omit<Parameters<typeof createRuntime>[0], 'store'>): Promise<void> {
    files += 1;
    store = await openSqlite(join(folder, `${files}.db`));
    runtime = await createRuntime({ store, ...options });
  }

  afterEach(async () => {
    await runtime.close();
    await store.close();
  });

  it('starts a workflow from its definition', async () => {
    await open({ workflows: [doubling] });
    const execution = await runtime.start(doubling, { n: 21 });
    const { status, state } = await execution.settled();
    expectTypeOf(state).toEqualTypeOf<{ n: number }>();
    expect([status, state.n]).toEqual(['completed', 42]);
    const again = await (await runtime.start(doubling, { n: 1 })).settled();
    expect(again.revision).toBe((await execution.read()).revision);
  });

  it('starts a workflow by its id: of a definition that it was given, or else as it was registered', async () => {
    await open({ workflows: [doubling] });
    const given = await (await runtime.start('doubling', { n: 21 })).settled();
    expect(given).toMatchObject({ status: 'completed', state: { n: 42 } });
    await expect(runtime.start('doubling', { n: 'many' })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(runtime.start('held', {})).rejects.toMatchObject({ code: 'not_found' });
    await runtime.register(workflow({ id: 'held', nodes: { hold: { type: 'wait', event: 'go' } } }));
    const held = await runtime.start('held', {}, { labels: { shop: 'lamps' } });
    expect(await held.settled()).toMatchObject({ status: 'paused', input: {}, labels: { shop: 'lamps' } });
    await held.sendEvent('go', null);
    expect((await held.settled()).status).toBe('completed');
  });

  it('is not closed by another caller, whose methods end with it', async () => {
    await open({ workflows: [doubling] });
    const view = runtime.as({ tenantId: 'default', actorId: 'ann', actorType: 'human' });
    expectTypeOf<keyof typeof view & ('as' | 'close' | 'id')>().toBeNever();
    expect(view).not.toHaveProperty('close');
    const { executionId } = await view.start(doubling, { n: 21 });
    await view.settled(executionId);
    await runtime.close();
    await expect(view.start(doubling, { n: 21 })).rejects.toMatchObject({ code: 'shutting_down' });
    expect((await view.execution(executionId)).status).toBe('completed');
  });

  it('registers the workflows of its subgraphs, and types events, approvals and payloads', async () => {
    await open({ workflows: [selling] });
    const execution = await runtime.start(selling, { price: 4 }, { labels: { shop: 'lamps' }, idempotencyKey: 'sale-1' });
    expect((await execution.settled()).status).toBe('paused');
    // @ts-expect-error: no such node
    await expect(execution.approve({ decision: 'approved', nodeId: 'reviw' })).rejects.toThrow('reviw');
    await execution.approve({ decision: 'approved', nodeId: 'review' });
    await execution.settled();
    expect(await execution.sendEvent('paid', { by: 'ann' })).toEqual({ matched: true, nodeId: 'payment' });
    const { status, state, labels, workflowVersion } = await execution.settled();
    expect({ status, state, labels, workflowVersion }).toMatchObject({
      status: 'completed',
      state: { price: 8, paid: { by: 'ann' } },
      labels: { shop: 'lamps' },
      workflowVersion: '2.0.0',
    });
    const repeated = await runtime.start(selling, { price: 4 }, { labels: { shop: 'lamps' }, idempotencyKey: 'sale-1' });
    expect(repeated).toMatchObject({ executionId: execution.executionId, replayed: true });
    const decided: string[] = [];
    for await (const event of execution.events()) {
      if (event.type !== 'approval_received') continue;
      decided.push(String(event.data.decision));
    }
    expect(decided).toEqual(['approved']);
    const misspell = async () => {
      // @ts-expect-error there is no such event
      await execution.sendEvent('piad', { by: 'ann' });
      // @ts-expect-error the payload has other fields
      await execution.sendEvent('paid', { from: 'ann' });
      // @ts-expect-error the input has another key
      await runtime.start(selling, { prize: 4 });
      for await (const event of execution.events()) {
        // @ts-expect-error there is no such type of event
        if (event.type === 'node_complete') return;
      }
    };
    expect(misspell).toBeTypeOf('function');
  });

  it('fails a node for good whose tool is given what its schema refuses', async () => {
    await open({ workflows: [doubling] });
    const execution = await runtime.start(doubling, { n: 'many' as never }, { checkInput: false });
    const { status, error } = await execution.settled();
    expect([status, error]).toEqual(['failed', expect.stringContaining('input.n must be number')]);
    const attempts: boolean[] = [];
    for await (const event of execution.events()) if (event.type === 'node_failed') attempts.push(event.data.retryable);
    expect(attempts).toEqual([false]);
  });

  it('starts nothing with an input that does not fit the schema of the state', async () => {
    await open({ workflows: [doubling, selling] });
    const wrong: [input: object, problem: string][] = [
      [{ n: 'many' }, 'n must be number'],
      [{}, 'n is required'],
    ];
    for (const [input, problem] of wrong)
      await expect(runtime.start(doubling, input as never)).rejects.toMatchObject({
        name: 'RuntimeError',
        code: 'invalid_input',
        message: `the input does not fit the state schema of doubling: ${problem}`,
      });
    await expect(runtime.start(selling, { price: 1, paid: { by: 2 as never } })).rejects.toThrow('paid.by must be string');
    expect((await runtime.executions({ limit: 9 })).executions).toEqual([]);
    // The schema of the state does not close it.
    await expect(runtime.start(doubling, Object.assign({ n: 1 }, { more: 2 }))).resolves.toMatchObject({ replayed: false });
    await expect(runtime.start({ workflowId: 'doubling', input: {} })).resolves.toMatchObject({ replayed: false });
    await expect(runtime.start({ workflowId: 'doubling', input: {}, checkInput: true })).rejects.toThrow('n is required');
  });

  it('checks payloads by the schemas of declared events', async () => {
    await open({ workflows: [selling] });
    const waits = (selling.document.nodes as { payment: { kind: object } }).payment.kind;
    expect(waits).toMatchObject({ schema: { type: 'object', properties: { by: { type: 'string' } } } });
    const execution = await runtime.start(selling, { price: 4 });
    await execution.settled();
    await execution.approve({ decision: 'approved' });
    await execution.settled();
    const problem = 'the payload does not fit the schema of payment: by must be string';
    const wrong = { by: 7 as never };
    await expect(execution.sendEvent('paid', wrong, { strict: true })).rejects.toMatchObject({
      code: 'invalid_input',
      message: problem,
    });
    expect(await execution.sendEvent('paid', wrong)).toMatchObject({ matched: true, payloadProblem: problem });
  });

  it('refuses a definition whose functions it does not have', async () => {
    await open({});
    await expect(runtime.start(doubling, { n: 1 })).rejects.toThrow(
      /calls the function "double".*createRuntime\({ workflows }\)/,
    );
  });

  it('calls the functions that the options have', async () => {
    const options: RuntimeOptions['tools'] = { double: () => ({ n: 7 }) };
    await open({ tools: options, workflows: [doubling] });
    expect((await (await runtime.start(doubling, { n: 1 })).settled()).state.n).toBe(7);
  });

  it('refuses workflows that call different functions by one name', async () => {
    await open({});
    const other = workflow({ id: 'other', tools: { double: () => null }, nodes: { double: {} } });
    await expect(createRuntime({ store, workflows: [doubling, other] })).rejects.toThrow(
      /"other" calls another function as "double"/,
    );
  });

  it('refuses a definition with an error', async () => {
    await open({});
    const broken = workflow({ id: 'broken', nodes: { a: { type: 'wait', duration: -5 } } });
    await expect(runtime.start(broken, {})).rejects.toThrow(InvalidWorkflow);
  });
});
