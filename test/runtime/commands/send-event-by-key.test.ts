import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { KeyedEventRequest } from '../../../src/runtime/types/executions.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const CART: JsonObject = {
  workflow_id: 'cart',
  version: '1',
  nodes: {
    first: { kind: { type: 'wait', correlation_key: 'added', schema: { type: 'object', required: ['sku'] } } },
    second: { kind: { type: 'wait', correlation_key: 'paid' } },
  },
  edges: [{ from: 'first', to: 'second' }],
};
const NO_WAIT: JsonObject = {
  workflow_id: 'cart',
  version: '1',
  nodes: { gate: { kind: { type: 'condition', branches: [{ target: 'end' }] } } },
  edges: [],
};

async function opened(document: JsonObject = CART) {
  const { runtime } = await openTestRuntime();
  await runtime.register(CALLER, document);
  const send = (change: Partial<KeyedEventRequest> = {}) =>
    runtime.sendEventByKey(CALLER, {
      workflowId: 'cart',
      executionKey: 'cart-7',
      key: 'added',
      payload: { sku: 'X1' },
      ...change,
    });
  const started = async () => (await runtime.start(CALLER, { workflowId: 'cart', key: 'cart-7' })).executionId;
  const received = async (id: string) => {
    const payloads: unknown[] = [];
    for await (const event of runtime.events('default', id, {}))
      if (event.type === 'external_event_received') payloads.push(event.data.payload);
    return payloads;
  };
  return { runtime, send, started, received };
}

describe('an event by key', () => {
  it('reaches the live execution of the workflow that has the key', async () => {
    const { runtime, send, started, received } = await opened();
    await expect(send()).rejects.toMatchObject({
      code: 'not_found',
      message: `no live execution of workflow cart has the key 'cart-7'`,
    });
    const id = await started();
    expect(await send()).toEqual({ executionId: id, matched: true, nodeId: 'first' });
    expect(await send({ key: 'payed' })).toMatchObject({ executionId: id, matched: false, keys: ['added', 'paid'] });
    expect(await received(id)).toHaveLength(2);
    for (const other of [{ executionKey: 'cart-8' }, { workflowId: 'order' }])
      await expect(send(other)).rejects.toMatchObject({ code: 'not_found' });
    await runtime.cancel(CALLER, id);
    await expect(send()).rejects.toMatchObject({ code: 'not_found' });
    const acme = { ...CALLER, tenantId: 'acme' };
    await started();
    const foreign = runtime.sendEventByKey(acme, { workflowId: 'cart', executionKey: 'cart-7', key: 'added', payload: {} });
    await expect(foreign).rejects.toMatchObject({ code: 'not_found' });
  });

  it('starts an execution with the key if none is live', async () => {
    const { runtime, send, received } = await opened();
    const start = { input: { customer: 'ada' }, labels: { shop: 'north' } };
    const first = await send({ start });
    expect(first).toMatchObject({ matched: true, nodeId: 'first', started: true });
    expect(await send({ start, key: 'later' })).toEqual({
      executionId: first.executionId,
      matched: false,
      nodeId: null,
      keys: ['added', 'paid'],
    });
    expect(await runtime.execution('default', first.executionId)).toMatchObject({
      key: 'cart-7',
      input: start.input,
      labels: start.labels,
    });
    expect(await received(first.executionId)).toHaveLength(2);
  });

  it('starts one execution when many come at once, and it gets all', async () => {
    const { runtime, send, received } = await opened();
    const receipts = await Promise.all(Array.from({ length: 200 }, (_, n) => send({ start: {}, payload: { sku: 'X1', n } })));
    expect(new Set(receipts.map(({ executionId }) => executionId)).size).toBe(1);
    expect(receipts.filter(({ started = false }) => started)).toHaveLength(1);
    const payloads = await received(receipts[0]?.executionId ?? '');
    expect(payloads.map((payload) => (payload as { n: number }).n).toSorted((a, b) => a - b)).toEqual([...receipts.keys()]);
    expect((await runtime.executions('default', { limit: 10 })).executions).toHaveLength(1);
  });

  it('is sent once under an idempotency key, also when the execution has ended and another one has the key', async () => {
    const { runtime, send, received } = await opened();
    const request = { start: {}, idempotencyKey: 'e1' };
    const first = await send(request);
    expect(await send(request)).toEqual(first);
    await runtime.cancel(CALLER, first.executionId);
    expect(await send(request)).toEqual(first);
    const second = await send({ start: {}, idempotencyKey: 'e2' });
    expect(second.executionId).not.toBe(first.executionId);
    expect(await send(request)).toEqual(first);
    expect([await received(first.executionId), await received(second.executionId)].map((all) => all.length)).toEqual([1, 1]);
    await expect(send({ ...request, payload: {} })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is refused by an execution that it started and that never waits, which is started once', async () => {
    const { runtime, send } = await opened(NO_WAIT);
    await expect(send({ start: {} })).rejects.toMatchObject({
      code: 'conflict',
      message: 'execution is completed; it takes no more events',
    });
    expect((await runtime.executions('default', { limit: 10 })).executions).toHaveLength(1);
  });

  it('starts nothing for a strict payload that does not fit', async () => {
    const { runtime, send, started } = await opened();
    const misfit = { payload: { amount: 1 }, strict: true };
    await expect(send({ ...misfit, start: {} })).rejects.toMatchObject({ code: 'invalid_input' });
    expect((await runtime.executions('default', { limit: 10 })).executions).toEqual([]);
    await started();
    await expect(send(misfit)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await send({ payload: { amount: 1 } })).toMatchObject({ matched: true, payloadProblem: expect.any(String) });
  });

  it('reaches the execution that continues the one with the key', async () => {
    const { runtime } = await openTestRuntime();
    await runtime.register(CALLER, {
      workflow_id: 'cart',
      version: '1',
      start_node: 'first',
      continue_as_new: { after_steps: 1, at: 'first' },
      nodes: {
        first: { kind: { type: 'wait', correlation_key: 'added' } },
        gate: { kind: { type: 'condition', branches: [{ target: 'first' }] } },
      },
      edges: [{ from: 'first', to: 'gate' }],
    });
    const send = () =>
      runtime.sendEventByKey(CALLER, { workflowId: 'cart', executionKey: 'cart-7', key: 'added', payload: {}, start: {} });
    const receipts = [await send(), await send(), await send()];
    expect(receipts.map(({ matched }) => matched)).toEqual([true, true, true]);
    expect(new Set(receipts.map(({ executionId }) => executionId)).size).toBe(3);
    expect(receipts.map(({ started = false }) => started)).toEqual([true, false, false]);
  });

  it('names the place of a text that cannot be stored', async () => {
    const { send } = await opened();
    await expect(send({ executionKey: 'a\0' })).rejects.toThrow('key has a NUL character');
    await expect(send({ start: { input: { note: '\ud800' } } })).rejects.toThrow('start.input.note has text that is not valid');
    await expect(send({ executionKey: 'a\u0007', start: {} })).rejects.toMatchObject({ code: 'bad_request' });
  });
});
