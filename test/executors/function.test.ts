import { describe, expect, it } from 'vitest';
import type { Json } from '../../machines/json.ts';
import { type WorkContext, WorkError } from '../../src/executors/executor.ts';
import { functionExecutor } from '../../src/executors/function.ts';
import { contextWith, failure, workWith } from './work.ts';

const failing = (thrown: unknown): Promise<WorkError> =>
  failure(
    functionExecutor(() => {
      throw thrown;
    })(workWith({}), contextWith()),
  );

describe('the function executor', () => {
  it('passes input and context, and returns the result as output', async () => {
    const execute = functionExecutor((input: { n: number }, context: WorkContext) => ({
      double: input.n * 2,
      key: context.idempotencyKey,
      attempt: context.attempt,
    }));
    const result = await execute(workWith({ n: 4 }), contextWith({ attempt: 2 }));
    expect(result).toEqual({ output: { double: 8, key: 'exec_1:n:1', attempt: 2 } });
  });

  it('accepts async functions and functions without a result', async () => {
    expect(await functionExecutor(async () => {})(workWith({}), contextWith())).toEqual({ output: null });
  });

  it('passes a copy of the input, which the function may change', async () => {
    const state = { items: [1] };
    await functionExecutor((input: { items: number[] }) => input.items.push(2))(workWith(state), contextWith());
    expect(state).toEqual({ items: [1] });
  });

  it('copies the result, which the function may change later', async () => {
    const returned: { n: number } = { n: 1 };
    const { output } = await functionExecutor(() => returned)(workWith({}), contextWith());
    returned.n = 2;
    expect(output).toEqual({ n: 1 });
  });

  it('fails without retry if the result is not JSON', async () => {
    const error = await failure(functionExecutor(() => ({ when: { now: () => 1 } }))(workWith({}), contextWith()));
    expect(error).toMatchObject({
      message: 'result.when.now: a function is not JSON',
      retryable: false,
      errorClass: 'validation',
    });
  });

  it('fails retryably with the thrown message, without a stack', async () => {
    expect(await failing(new Error('out of paper'))).toMatchObject({
      message: 'out of paper',
      retryable: true,
      errorClass: null,
    });
    const rejected = functionExecutor(() => Promise.reject(new Error('later')))(workWith({}), contextWith());
    expect(await failure(rejected)).toMatchObject({ message: 'later', retryable: true });
  });

  it('uses retryable and errorClass of the thrown error', async () => {
    const error = Object.assign(new Error('card declined'), { retryable: false, errorClass: 'declined' });
    expect(await failing(error)).toMatchObject({ message: 'card declined', retryable: false, errorClass: 'declined' });
    const own = new WorkError('mine', { retryable: false, errorClass: 'mine' });
    expect(await failing(own)).toBe(own);
  });

  it('gives name, stack and cause of the thrown error', async () => {
    const { details } = (await failing(new RangeError('no amount', { cause: { code: 42 } }))) as WorkError;
    expect(details).toMatchObject({ error_name: 'RangeError', cause: { message: '{code: 42}' } });
    expect(details?.stack).toMatch(/^at test\/executors\/function\.test\.ts:\d+:\d+/);
  });

  it.each([
    [Object.assign(new Error('gone'), { code: 'ECONNRESET' }), 'connection_reset'],
    [Object.assign(new Error('broken'), { code: 'EPIPE' }), 'connection_reset'],
    [Object.assign(new Error('slow'), { code: 'ETIMEDOUT' }), 'timeout'],
    [new DOMException('late', 'TimeoutError'), 'timeout'],
    [Object.assign(new Error('no such file'), { code: 'ENOENT' }), 'io_error'],
    [Object.assign(new Error('name'), { code: 'ENOTFOUND' }), 'io_error'],
    [Object.assign(new Error('easy'), { status: 429 }), 'rate_limit'],
    [Object.assign(new Error('down'), { statusCode: 503 }), 'server_error'],
    [Object.assign(new Error('bad input'), { status: 422 }), null],
    [Object.assign(new Error('odd'), { code: 42 }), null],
  ])('classifies %o', async (thrown, errorClass) => {
    expect(await failing(thrown)).toMatchObject({ errorClass, retryable: true });
  });

  it('reports the cause behind "fetch failed"', async () => {
    const execute = functionExecutor(() => fetch('http://127.0.0.1:1/'));
    const error = await failure(execute(workWith({}), contextWith()));
    expect(error.message).toBe('fetch failed: bad port');
    const refused = Object.assign(
      new AggregateError([Object.assign(new Error('connect ECONNREFUSED ::1:9'), { code: 'ECONNREFUSED' })]),
      {
        code: 'ECONNREFUSED',
      },
    );
    expect(await failing(refused)).toMatchObject({ message: 'connect ECONNREFUSED ::1:9', errorClass: 'io_error' });
    expect(await failing(new TypeError('fetch failed', { cause: refused }))).toMatchObject({
      message: 'fetch failed: connect ECONNREFUSED ::1:9',
      errorClass: 'io_error',
    });
  });

  it.each<[unknown, string]>([
    ['just text', 'just text'],
    [undefined, 'undefined was thrown'],
    [7, '7 was thrown'],
    [new RangeError(), 'RangeError'],
    [{ odd: true }, '{odd: true}'],
    [{ message: 'looks like one' }, 'looks like one'],
  ])('describes a thrown %o', async (thrown, message) => {
    expect((await failing(thrown)).message).toBe(message);
  });

  it('truncates long error texts', async () => {
    expect((await failing(new Error('x'.repeat(1_000_000)))).message.length).toBeLessThan(2_001);
  });

  it('passes values of every JSON type', async () => {
    const echo = functionExecutor((input: Json) => input);
    for (const value of [null, true, 0, '', [], {}, [{ a: [null] }]]) {
      expect((await echo(workWith(value), contextWith())).output).toEqual(value);
    }
  });
});
