import { describe, expect, it } from 'vitest';
import type { Json } from '../../machines/json.ts';
import type { MemoryRetrieval } from '../../machines/nodes/memory-retrieval.ts';
import type { MemorySearchOptions, ToolMemory } from '../../src/executors/memory/connector.ts';
import { memoryRetrievalExecutor } from '../../src/executors/memory-retrieval.ts';
import { contextWith, failure, workWith } from './work.ts';

const KIND: MemoryRetrieval = { type: 'memory_retrieval', connector_ref: 'docs', query_expr: 'state.q', filter: {} };

function searching(results: unknown) {
  const calls: (readonly [string, string, MemorySearchOptions | undefined])[] = [];
  const memory: ToolMemory = {
    search: async (...call) => {
      calls.push([call[0], call[1], call[2]]);
      return results as Awaited<ReturnType<ToolMemory['search']>>;
    },
    add: async () => [],
    remove: async () => 0,
  };
  const run = (input: Json, kind: Partial<MemoryRetrieval> = {}) =>
    memoryRetrievalExecutor({ ...KIND, ...kind })(workWith(input), contextWith({ memory }));
  return { calls, run };
}

describe('a memory_retrieval node', () => {
  it('searches for the rendered query, and gives the results without what else is in them', async () => {
    const { calls, run } = searching([
      { id: 'a', text: 'A', score: 2, metadata: { n: 1 }, vector: [1, 2] },
      { id: 'b', text: 'B' },
    ]);
    expect(await run({ query_expr: 'refund', filter: { user: 'ann' } }, { limit: 2 })).toEqual({
      output: [
        { id: 'a', text: 'A', score: 2, metadata: { n: 1 } },
        { id: 'b', text: 'B', score: null, metadata: {} },
      ],
    });
    await run({ query_expr: 7 });
    expect(calls).toEqual([
      ['docs', 'refund', { limit: 2, filter: { user: 'ann' } }],
      ['docs', '7', { limit: 5, filter: {} }],
    ]);
  });

  it.each([
    [{ query_expr: null }, 'query_expr must give a text, not null'],
    [{ query_expr: ['a'] }, 'query_expr must give a text, not a list'],
    [{ query_expr: 'a', filter: 'x' }, 'filter must be an object, not a string'],
  ])('fails for good by %j', async (input, message) => {
    const { calls, run } = searching([]);
    expect(await failure(run(input))).toMatchObject({ message, retryable: false, errorClass: 'validation' });
    expect(calls).toEqual([]);
  });

  it('checks the results by output_schema', async () => {
    const { run } = searching([{ id: 'a', text: 'A', score: 1 }]);
    const output_schema = { type: 'array', minItems: 2 };
    expect(await failure(run({ query_expr: 'a' }, { output_schema }))).toMatchObject({
      message: expect.stringContaining('the output does not fit output_schema'),
      retryable: false,
    });
  });

  it('fails an attempt by results without a text', async () => {
    const { run } = searching([{ id: 'a' }]);
    expect(await failure(run({ query_expr: 'a' }))).toMatchObject({ retryable: true, errorClass: 'invalid_response' });
  });
});
