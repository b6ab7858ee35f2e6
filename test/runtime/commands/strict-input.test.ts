import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const WAIT = { hold: { kind: { type: 'wait', correlation_key: 'go' } } };

function strict(state_schema: JsonObject | string, extra: JsonObject = {}): JsonObject {
  return { workflow_id: 'refund', version: '1', strict_input: true, state_schema, nodes: WAIT, edges: [], ...extra };
}

const SCHEMA = {
  type: 'object',
  properties: {
    amount: { type: 'number', exclusiveMinimum: 0 },
    currency: { enum: ['EUR', 'USD'] },
    customer: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  },
  required: ['amount'],
};

async function starting(document: JsonObject) {
  const opened = await openTestRuntime();
  await opened.runtime.register(CALLER, document);
  return { ...opened, start: (input?: unknown) => opened.runtime.start(CALLER, { workflowId: 'refund', input: input as never }) };
}

describe('a workflow with strict_input', () => {
  it('starts with an input that fits its state schema', async () => {
    const { start } = await starting(strict(SCHEMA));
    await expect(start({ amount: 5, currency: 'EUR', customer: { name: 'Ada', vip: true } })).resolves.toMatchObject({
      replayed: false,
    });
  });

  it.each([
    [{ amount: '5' }, 'amount must be number'],
    [{}, 'amount is required'],
    [undefined, 'amount is required'],
    [{ amount: 5, amout: 6 }, 'unknown key "amout"; did you mean "amount"?'],
    [{ amount: 0, currency: 'GBP' }, 'amount must be > 0; currency must be equal to one of the allowed values: "EUR", "USD"'],
    [{ amount: 5, customer: {} }, 'customer.name is required'],
    [[1], 'it must be object'],
    [null, 'it must be object'],
    ['text', 'it must be object'],
  ])('names each key of %j that does not', async (input, problem) => {
    const { start, runtime } = await starting(strict(SCHEMA));
    await expect(start(input)).rejects.toMatchObject({
      code: 'invalid_input',
      message: `the input does not fit the state schema of refund: ${problem}`,
    });
    expect((await runtime.executions('default', { limit: 10 })).executions).toEqual([]);
  });

  it('allows other keys if its schema does, and reads a map of types as properties', async () => {
    const open = await starting(strict({ ...SCHEMA, additionalProperties: true }));
    await expect(open.start({ amount: 5, more: 1 })).resolves.toBeDefined();
    const short = await starting(strict({ amount: { type: 'number' }, type: { type: 'string' } }));
    await expect(short.start({ amount: 5, type: 'x' })).resolves.toBeDefined();
    await expect(short.start({ amount: 5, typ: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('is refused without a schema that says which keys there are, or with one that is none', async () => {
    const { runtime } = await openTestRuntime();
    for (const schema of ['', 'app.State', {}, { type: 'object' }])
      await expect(runtime.register(CALLER, strict(schema))).rejects.toMatchObject({
        diagnostics: [{ code: 'no_state_schema', path: 'strict_input' }],
      });
    await expect(runtime.register(CALLER, strict({ properties: { a: { $ref: '#/nowhere' } } }))).rejects.toMatchObject({
      diagnostics: [{ code: 'bad_state_schema', path: 'state_schema' }],
    });
  });

  it('fails a subgraph node that gives it another input', async () => {
    const { runtime, settled } = await openTestRuntime();
    await runtime.register(CALLER, strict(SCHEMA));
    const nodes = {
      child: { kind: { type: 'subgraph', workflow_ref: 'refund', input_mapping: { amount: '{{ state.price }}' } } },
    };
    await runtime.register(CALLER, { workflow_id: 'parent', version: '1', nodes, edges: [] });
    const { executionId } = await runtime.start(CALLER, { workflowId: 'parent', input: { price: 'much' } });
    expect(await settled(executionId)).toMatchObject({
      status: 'failed',
      error: 'child: the input does not fit the state schema of refund: amount must be number',
    });
  });

  it('checks nothing when a started request is repeated', async () => {
    const { runtime } = await starting(strict(SCHEMA));
    const request = { workflowId: 'refund', input: { amount: 1 }, idempotencyKey: 'k' };
    const { executionId } = await runtime.start(CALLER, request);
    await runtime.register(CALLER, strict({ ...SCHEMA, required: ['currency'] }));
    expect(await runtime.start(CALLER, request)).toEqual({ executionId, replayed: true });
    await expect(runtime.start(CALLER, { ...request, idempotencyKey: 'l' })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('takes an input for which its schema needs too long as one that does not fit', async () => {
    const { start } = await starting(strict({ properties: { text: { type: 'string', pattern: '^(a+)+$' } } }));
    await expect(start({ text: `${'a'.repeat(40)}!` })).rejects.toMatchObject({
      message: 'the input does not fit the state schema of refund: it takes too long to be checked',
    });
  });
});

it('any input starts a workflow without strict_input', async () => {
  const { start } = await starting({ ...strict(SCHEMA), strict_input: false });
  await expect(start({ inputs: 1 })).resolves.toBeDefined();
});
