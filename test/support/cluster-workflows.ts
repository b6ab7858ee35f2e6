/** Work, a decision, work. */
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

/** Two branches done in process, joined. */
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

/** A node done in process by whoever has the tool, else by an external worker. */
export function tool(ref: string, more: object = {}) {
  return { kind: { type: 'tool', tool_ref: ref, output_key: ref }, ...more };
}

/** Names `quick`: a second attempt, at once. */
export const RETRY = {
  quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: ['io_error'] },
};

/** One node, which may be attempted twice. */
export const one = {
  workflow_id: 'one',
  version: '1',
  nodes: { a: tool('work', { retry_policy: 'quick' }) },
  edges: [],
  retry_policies: RETRY,
} as never;
