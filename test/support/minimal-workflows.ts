import type { JsonObject } from '../../machines/json.ts';

/** All maps that strict servers require, empty. */
const MAPS = {
  state_schema: '',
  retry_policies: {},
  timeouts: {},
  models: {},
  tools: {},
  mcp_servers: {},
  remote_agents: {},
  labels: {},
};

function document(
  workflow_id: string,
  start_node: string,
  kinds: Record<string, JsonObject>,
  edges: readonly JsonObject[],
  more: JsonObject = {},
): JsonObject {
  const nodes = Object.fromEntries(Object.entries(kinds).map(([id, { kind, ...node }]) => [id, { id, kind, ...node }]));
  return { workflow_id, version: '0.1.0', start_node, nodes, edges, ...MAPS, ...more } as JsonObject;
}

const edge = (from: string, to: string, condition?: string): JsonObject => ({
  from,
  to,
  ...(condition === undefined ? {} : { condition }),
});
const code = (module: string, name: string): JsonObject => ({
  kind: { type: 'python_fn', module, function: name, output_schema: '' },
});

/** The public minimal examples, one for each kind of workflow, as clients post them. */
export const linear = document(
  'lin',
  'fetch',
  {
    fetch: {
      kind: {
        type: 'tool',
        tool_ref: 'shop.fetch',
        input_mapping: { id: '{{ state.order_id }}' },
        output_schema: '',
        output_key: 'order',
      },
    },
    mail: { kind: { type: 'tool', tool_ref: 'shop.mail', input_mapping: {}, output_schema: '' } },
  },
  [edge('fetch', 'mail'), edge('mail', 'end')],
);

export const routing = document(
  'route',
  'gate',
  {
    gate: {
      kind: {
        type: 'condition',
        branches: [
          { condition: 'state.amount > 1000', target: 'big' },
          { condition: 'state.vip == true', target: 'big' },
          { condition: null, target: 'small' },
        ],
      },
    },
    big: code('flows.pay', 'big'),
    small: code('flows.pay', 'small'),
  },
  [edge('gate', 'big'), edge('gate', 'small'), edge('big', 'end'), edge('small', 'end')],
);

export const approval = document(
  'hitl',
  'review',
  {
    review: { kind: { type: 'human_approval', description: 'Release v2?', timeout_secs: 86400, fallback_node: 'expired' } },
    ship: code('rel', 'ship'),
    revert: code('rel', 'revert'),
    expired: code('rel', 'expired'),
  },
  [
    edge('review', 'ship', "output.decision == 'approved'"),
    edge('review', 'revert', "output.decision == 'rejected'"),
    edge('ship', 'end'),
    edge('revert', 'end'),
    edge('expired', 'end'),
  ],
);

export const payment = document(
  'paid',
  'await_payment',
  {
    await_payment: { kind: { type: 'wait', condition: 'either', correlation_key: 'payment-received', timeout_secs: 3600 } },
    check: {
      kind: {
        type: 'condition',
        branches: [
          { condition: 'state.amount > 0', target: 'fulfil' },
          { condition: null, target: 'cancel' },
        ],
      },
    },
    fulfil: code('o', 'fulfil'),
    cancel: code('o', 'cancel'),
  },
  [
    edge('await_payment', 'check'),
    edge('check', 'fulfil'),
    edge('check', 'cancel'),
    edge('fulfil', 'end'),
    edge('cancel', 'end'),
  ],
);

export const fan = document(
  'fan',
  'split',
  {
    split: { kind: { type: 'parallel', branches: ['a', 'b'] } },
    a: code('w', 'a'),
    b: code('w', 'b'),
    merge: { kind: { type: 'join', wait_for: ['a', 'b'], merge_strategy: 'collect' } },
  },
  [edge('split', 'a'), edge('split', 'b'), edge('a', 'merge'), edge('b', 'merge'), edge('merge', 'end')],
);

export const parent = document(
  'parent',
  'child',
  {
    child: {
      kind: {
        type: 'subgraph',
        workflow_ref: 'lin',
        workflow_version: '0.1.0',
        input_mapping: { order_id: 'state.id' },
        output_mapping: { order: 'state.order' },
      },
    },
  },
  [edge('child', 'end')],
);

export const model = document(
  'ask',
  'think',
  {
    think: {
      kind: {
        type: 'model',
        model_ref: 'fast',
        prompt_ref: 'Answer briefly: {{ state.query }}',
        output_schema: 'answer',
        system_prompt: 'Be terse.',
        tools: [],
      },
      retry_policy: 'llm_default',
    },
  },
  [edge('think', 'end')],
  {
    models: { fast: { provider: 'openai', model: 'gpt-4o-mini', temperature: 0.2, max_tokens: 256 } },
    timeouts: { workflow_timeout: 120 },
  },
);

export const guarded = document(
  'guarded',
  'pay',
  {
    pay: {
      kind: { type: 'tool', tool_ref: 'payments.submit', input_mapping: {}, output_schema: '' },
      retry_policy: 'quick',
      node_timeout_secs: 20,
      policy: { require_approval_for: ['payments.*'] },
    },
  },
  [edge('pay', 'end')],
  {
    retry_policies: {
      quick: { max_attempts: 3, backoff: 'exponential', initial_delay: 1, max_delay: 8, jitter: false, retryable_on: [] },
    },
    policy: { blocked_tools: ['shell.*'] },
    token_budget: { total_tokens: 5000 },
    cost_budget_usd: 0.5,
  },
);
