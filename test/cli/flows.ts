import type { JsonObject } from '../../machines/json.ts';
import type { Tools } from '../../src/runtime/types/work.ts';

/** The functions that the workflows below call. */
export const TOOLS: Tools = {
  double: ({ n }: { n: number }) => ({ n: n * 2 }),
  flaky: (_input: unknown, { attempt }: { attempt: number }) => {
    if (attempt === 0) throw new Error('try again');
    return { tried: attempt + 1 };
  },
  fail: () => {
    throw Object.assign(new Error('card declined'), { retryable: false });
  },
  hang: (_input: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })),
};

function tool(name: string): JsonObject {
  return { kind: { type: 'tool', tool_ref: name } };
}

export function flow(
  workflow_id: string,
  nodes: Record<string, JsonObject>,
  edges: readonly (readonly [string, string])[],
): JsonObject {
  return { workflow_id, version: '1', nodes, edges: edges.map(([from, to]) => ({ from, to })) };
}

/** Doubles `n`. */
export const DOUBLING = flow('doubling', { double: tool('double') }, [['double', 'end']]);
export const DECLINED = flow('declined', { charge: tool('fail') }, [['charge', 'end']]);
export const HANGING = flow('hanging', { hang: tool('hang') }, [['hang', 'end']]);
export const RETRYING = flow('retrying', { flaky: { ...tool('flaky'), retry: { max_attempts: 2, initial_delay: 0 } } }, [
  ['flaky', 'end'],
]);
/** Requests an approval, then doubles. */
export const REVIEWED = flow(
  'reviewed',
  { review: { kind: { type: 'human_approval', description: 'Double it?' } }, double: tool('double') },
  [
    ['review', 'double'],
    ['double', 'end'],
  ],
);
/** Waits for `payment-received`. */
export const PAID = flow('paid', { payment: { kind: { type: 'wait', correlation_key: 'payment-received' } } }, [
  ['payment', 'end'],
]);
/** Runs REVIEWED as a child. */
export const PARENT = flow(
  'parent',
  { child: { kind: { type: 'subgraph', workflow_ref: 'reviewed', input_mapping: { n: 'state.n' } } } },
  [['child', 'end']],
);
