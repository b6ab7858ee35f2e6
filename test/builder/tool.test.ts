import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { functionExecutor } from '../../src/executors/function.ts';
import { defineTool, type StandardSchema, Type, toolDescription } from '../../src/index.ts';
import { contextWith, workWith } from '../executors/work.ts';

const charge = defineTool({
  description: 'Charges a card.',
  input: Type.Object({
    amount: Type.Number({ exclusiveMinimum: 0 }),
    method: Type.Union([Type.Literal('card'), Type.Literal('cash')]),
    lines: Type.Optional(Type.Array(Type.Object({ sku: Type.String() }))),
  }),
  output: Type.Object({ receipt: Type.String() }, { additionalProperties: false }),
  run: ({ amount, method }) => ({ receipt: `${method} ${amount}`, ...(amount === 13 ? { secret: 1 } : {}) }),
});

/** Calls the tool as a runtime does. */
const call = (tool: (input: never, context: never) => unknown, input: object) =>
  functionExecutor(tool as never)(workWith(input as never), contextWith());

describe('a tool with schemas', () => {
  it('is called like any function', async () => {
    expect(await call(charge, { amount: 2, method: 'card' })).toEqual({ output: { receipt: 'card 2' } });
  });

  it.each([
    [{ method: 'card' }, 'input.amount is missing'],
    [{ amount: '2', method: 'card' }, 'input.amount must be number'],
    [{ amount: 0, method: 'card' }, 'input.amount must be > 0'],
    [{ amount: 2, method: 'cheque' }, 'input.method must be one of "card", "cash"'],
    [{ amount: 2, method: 'card', lines: [{ sku: 'a' }, { sku: 7 }] }, 'input.lines[1].sku must be string'],
    [{ amount: '2', method: 'x' }, 'input.amount must be number; input.method must be one of "card", "cash"'],
  ])('fails for good when its input does not fit: %j', async (input, message) => {
    await expect(call(charge, input)).rejects.toMatchObject({ message, retryable: false, errorClass: 'validation' });
  });

  it('fails for good when what it returns does not fit', async () => {
    await expect(call(charge, { amount: 13, method: 'card' })).rejects.toMatchObject({
      message: 'output.secret is unknown',
      retryable: false,
      errorClass: 'validation',
    });
  });

  it('lists the first five problems', async () => {
    const strict = defineTool({ input: Type.Array(Type.Number()), run: () => null });
    await expect(call(strict, ['a', 'b', 'c', 'd', 'e', 'f', 'g'])).rejects.toThrow(/^input\[0\] must be number; .*; 2 more$/);
  });

  it('takes schemas of libraries that implement Standard Schema, and gets what they make of the input', async () => {
    const pad = defineTool({
      input: z.object({ text: z.string().trim(), width: z.number().default(4) }),
      output: z.object({ text: z.string().length(4) }),
      run: ({ text, width }) => {
        expectTypeOf(width).toEqualTypeOf<number>();
        return { text: text.padEnd(width, '.') };
      },
    });
    expectTypeOf(pad).parameter(0).toEqualTypeOf<{ text: string; width?: number | undefined }>();
    expect(await call(pad, { text: ' ab ' })).toEqual({ output: { text: 'ab..' } });
    await expect(call(pad, { text: 5 })).rejects.toThrow(/^input\.text Invalid input: expected string/);
    await expect(call(pad, { text: 'abcdef' })).rejects.toThrow(/^output\.text Too big/);
  });

  it('takes JSON Schemas', async () => {
    const add = defineTool({
      input: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] },
      run: ({ a }) => {
        expectTypeOf(a).toEqualTypeOf<number>();
        return a + 1;
      },
    });
    expect(await call(add, { a: 1 })).toEqual({ output: 2 });
    await expect(call(add, {})).rejects.toThrow('input.a is missing');
  });

  it('waits for a validation that is asynchronous', async () => {
    const even: StandardSchema<number, number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) => (Number(value) % 2 === 0 ? { value: Number(value) } : { issues: [{ message: 'is odd' }] }),
      },
    };
    const half = defineTool({ input: even, run: (n) => n / 2 });
    expect(await call(half, 4 as never)).toEqual({ output: 2 });
    await expect(call(half, 3 as never)).rejects.toMatchObject({ message: 'input is odd', retryable: false });
  });

  it('describes itself with JSON Schemas', () => {
    expect(toolDescription(charge)).toMatchObject({
      description: 'Charges a card.',
      inputSchema: { type: 'object', required: ['amount', 'method'], properties: { amount: { type: 'number' } } },
      outputSchema: { type: 'object', required: ['receipt'] },
    });
    const zod = defineTool({ input: z.object({ n: z.number() }), run: () => null });
    expect(toolDescription(zod)).toMatchObject({
      inputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      outputSchema: null,
    });
    expect(toolDescription(() => null)).toBeNull();
  });

  it('types what it is given and returns', () => {
    expectTypeOf(charge).parameter(0).toEqualTypeOf<{ amount: number; method: 'card' | 'cash'; lines?: { sku: string }[] }>();
    expectTypeOf(charge).returns.resolves.toEqualTypeOf<{ receipt: string }>();
    // @ts-expect-error the receipt is a text
    defineTool({ output: Type.Object({ receipt: Type.String() }), run: () => ({ receipt: 1 }) });
    // @ts-expect-error there is no such field of the input
    defineTool({ input: Type.Object({ n: Type.Number() }), run: ({ m }) => m });
  });
});
