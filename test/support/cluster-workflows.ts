/** A tool, an approval, a tool. */
export const approval = {
  workflow_id: 'approval',
  version: '1',
  nodes: { before: tool('work'), review: { kind: { type: 'human_approval' } }, after: tool('work') },
  edges: [
    { from: 'before', to: 'review' },
    { from: 'review', to: 'after' },
    { from: 'after', to: 'end' },
  ],
} as never;

/** Two branches with in-process tools and an approval. */
export const pair = {
  workflow_id: 'pair',
  version: '1',
  nodes: {
    fork: { kind: { type: 'condition', branches: [] } },
    slow: tool('slow'),
    ask: { kind: { type: 'human_approval' } },
    quick: tool('quick'),
  },
  edges: [
    { from: 'fork', to: 'slow' },
    { from: 'fork', to: 'ask' },
    { from: 'ask', to: 'quick' },
  ],
} as never;

/** A tool node: runs in a runtime that has the tool, else in an external worker. */
export function tool(ref: string, more: object = {}) {
  return { kind: { type: 'tool', tool_ref: ref, output_key: ref }, ...more };
}

/** Policy `quick`: one retry without a delay. */
export const RETRY = {
  quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: ['io_error'] },
};

/** One node with at most two attempts. */
export const one = {
  workflow_id: 'one',
  version: '1',
  nodes: { a: tool('work', { retry_policy: 'quick' }) },
  edges: [],
  retry_policies: RETRY,
} as never;
