import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/executors/failure-description.ts';

const HERE = relative(process.cwd(), import.meta.filename);

function charge(): never {
  throw new RangeError('no amount');
}

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** An error with a stack of these frames. */
function errorAt(...frames: readonly string[]): Error {
  const error = new Error('boom');
  error.stack = ['Error: boom', ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return error;
}

describe('describeFailure', () => {
  it('keeps name, message and stack, with paths under the folder of the process', () => {
    const { error, error_name, stack } = describeFailure(thrownBy(charge));
    expect([error, error_name]).toEqual(['no amount', 'RangeError']);
    expect(stack?.split('\n')[0]).toMatch(`at charge (${HERE}:`);
    expect(stack).not.toContain(process.cwd());
  });

  it('shortens paths of packages, and gives only the name of files elsewhere', () => {
    const stack = describeFailure(
      errorAt(
        `declined (${process.cwd()}/tools/pay.ts:12:9)`,
        'async file:///home/ada/shop/node_modules/.pnpm/x/node_modules/zod/lib/types.js:3:1',
        'new Client (/home/ada/other/client.js:1:2)',
        'node:internal/process/task_queues:95:5',
        `async charge (file://${process.cwd()}/tools/pay.ts?update=17:20:3)`,
        'eval (eval at run (/home/ada/other/x.js:1:1), <anonymous>:1:1)',
        'async Promise.all (index 0)',
      ),
    ).stack;
    expect(stack?.split('\n')).toEqual([
      'at declined (tools/pay.ts:12:9)',
      'at async node_modules/zod/lib/types.js:3:1',
      'at new Client (…/client.js:1:2)',
      'at node:internal/process/task_queues:95:5',
      'at async charge (tools/pay.ts:20:3)',
      'at eval (eval)',
      'at async Promise.all (index 0)',
    ]);
  });

  it('leaves out the frames of the runtime and of Node.js that called the function', () => {
    const stack = describeFailure(
      errorAt(
        'JSON.parse (<anonymous>)',
        `charge (${process.cwd()}/tools/pay.ts:12:9)`,
        `functionExecutor (${process.cwd()}/src/executors/function.ts:16:22)`,
        'process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
      ),
    ).stack;
    expect(stack).toBe('at JSON.parse (<anonymous>)\nat charge (tools/pay.ts:12:9)');
  });

  it('takes no line of a message for a frame', () => {
    const error = new Error('first\n    at fake (/etc/passwd:1:1)');
    expect(describeFailure(error).stack).not.toContain('fake');
  });

  it('keeps the chain of causes, without the frames that they share', () => {
    const cause = new TypeError('no socket', { cause: 'the wire is cut' });
    const described = describeFailure(new Error('charge failed', { cause }));
    expect(described).toMatchObject({
      error: 'charge failed: no socket',
      error_name: 'Error',
      cause: { name: 'TypeError', message: 'no socket', cause: { message: 'the wire is cut' } },
    });
    expect(described.cause?.stack?.split('\n')).toHaveLength(1);
  });

  it('ends a chain of causes that leads back to itself', () => {
    const error: Error & { cause?: unknown } = new Error('a');
    error.cause = new Error('b', { cause: error });
    expect(describeFailure(error)).toMatchObject({ error: 'a: b', cause: { message: 'b' } });
    expect(describeFailure(error).cause?.cause).toBeUndefined();
  });

  it('shows all errors of an AggregateError', () => {
    const described = describeFailure(new AggregateError([new Error('no stock'), new TypeError('no price'), 7], 'order failed'));
    expect(described).toMatchObject({
      error: 'order failed: no stock; no price; 7 was thrown',
      error_name: 'AggregateError',
      errors: [{ name: 'Error', message: 'no stock' }, { name: 'TypeError', message: 'no price' }, { message: '7 was thrown' }],
    });
  });

  it.each([
    [{ code: 42 }, '{code: 42}'],
    [{ code: 42, at: { line: 3 } }, '{code: 42, at: { line: 3 }}'],
    [
      new (class Declined {
        code = 7;
      })(),
      'Declined {code: 7}',
    ],
    ['out of stock', 'out of stock'],
    [{ message: 'says so', code: 1 }, 'says so'],
    [undefined, 'undefined was thrown'],
    [null, 'null was thrown'],
    ['', 'an empty text was thrown'],
    [[1, 2], '[ 1, 2 ]'],
    [new Error(''), 'Error'],
  ])('shows what was thrown: %o', (thrown, error) => {
    expect(describeFailure(thrown).error).toBe(error);
  });

  it('survives values that refuse to be looked at', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
        getPrototypeOf() {
          throw new Error('no');
        },
        ownKeys() {
          throw new Error('no');
        },
      },
    );
    expect(describeFailure(hostile).error).not.toBe('');
    const error = new Error('x', { cause: hostile });
    Object.defineProperty(error, 'stack', { value: { not: 'a text' } });
    expect(describeFailure(error)).toMatchObject({ error: 'x' });
  });

  it('has at most 20 frames, and bounded texts that the log can store', () => {
    const frames = Array.from({ length: 50 }, (_, i) => `f${i} (${process.cwd()}/a.ts:${i + 1}:1)`);
    expect(describeFailure(errorAt(...frames)).stack?.split('\n')).toHaveLength(20);
    let error = new Error('x'.repeat(50_000));
    for (let depth = 0; depth < 50; depth += 1) error = new Error(`\0\ud800${'y'.repeat(50_000)}`, { cause: error });
    const text = JSON.stringify(describeFailure(new AggregateError(Array(500).fill(error), 'many')));
    expect(text.length).toBeLessThan(24_000);
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toContain('\\u0000');
  });
});
