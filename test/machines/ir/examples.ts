import type { JsonObject } from '../../../machines/json.ts';

/** The smallest workflow of every kind, in the strictest spelling clients send: every map is there, used or not. */
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

export const linear: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'lin',
    version: '0.1.0',
    start_node: 'fetch',
    nodes: {
      fetch: {
        id: 'fetch',
        kind: {
          type: 'tool',
          tool_ref: 'shop.fetch',
          input_mapping: { id: '{{ state.order_id }}' },
          output_schema: '',
          output_key: 'order',
        },
      },
      mail: { id: 'mail', kind: { type: 'tool', tool_ref: 'shop.mail', input_mapping: {}, output_schema: '' } },
    },
    edges: [
      { from: 'fetch', to: 'mail' },
      { from: 'mail', to: 'end' },
    ],
  },
};

export const routing: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'route',
    version: '0.1.0',
    start_node: 'gate',
    nodes: {
      gate: {
        id: 'gate',
        kind: {
          type: 'condition',
          branches: [
            { condition: 'state.amount > 1000', target: 'big' },
            { condition: 'state.vip == true', target: 'big' },
            { condition: null, target: 'small' },
          ],
        },
      },
      big: { id: 'big', kind: { type: 'python_fn', module: 'flows.pay', function: 'big', output_schema: '' } },
      small: { id: 'small', kind: { type: 'python_fn', module: 'flows.pay', function: 'small', output_schema: '' } },
    },
    edges: [
      { from: 'gate', to: 'big' },
      { from: 'gate', to: 'small' },
      { from: 'big', to: 'end' },
      { from: 'small', to: 'end' },
    ],
  },
};

export const approval: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'hitl',
    version: '0.1.0',
    start_node: 'review',
    nodes: {
      review: {
        id: 'review',
        kind: { type: 'human_approval', description: 'Release v2?', timeout_secs: 86400, fallback_node: 'expired' },
      },
      ship: { id: 'ship', kind: { type: 'python_fn', module: 'rel', function: 'ship', output_schema: '' } },
      revert: { id: 'revert', kind: { type: 'python_fn', module: 'rel', function: 'revert', output_schema: '' } },
      expired: { id: 'expired', kind: { type: 'python_fn', module: 'rel', function: 'expired', output_schema: '' } },
    },
    edges: [
      { from: 'review', to: 'ship', condition: "output.decision == 'approved'" },
      { from: 'review', to: 'revert', condition: "output.decision == 'rejected'" },
      { from: 'ship', to: 'end' },
      { from: 'revert', to: 'end' },
      { from: 'expired', to: 'end' },
    ],
  },
};

export const waiting: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'paid',
    version: '0.1.0',
    start_node: 'await_payment',
    nodes: {
      await_payment: {
        id: 'await_payment',
        kind: { type: 'wait', condition: 'either', correlation_key: 'payment-received', timeout_secs: 3600 },
      },
      check: {
        id: 'check',
        kind: {
          type: 'condition',
          branches: [
            { condition: 'state.amount > 0', target: 'fulfil' },
            { condition: null, target: 'cancel' },
          ],
        },
      },
      fulfil: { id: 'fulfil', kind: { type: 'python_fn', module: 'o', function: 'fulfil', output_schema: '' } },
      cancel: { id: 'cancel', kind: { type: 'python_fn', module: 'o', function: 'cancel', output_schema: '' } },
    },
    edges: [
      { from: 'await_payment', to: 'check' },
      { from: 'check', to: 'fulfil' },
      { from: 'check', to: 'cancel' },
      { from: 'fulfil', to: 'end' },
      { from: 'cancel', to: 'end' },
    ],
  },
};

export const fanOut: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'fan',
    version: '0.1.0',
    start_node: 'split',
    nodes: {
      split: { id: 'split', kind: { type: 'parallel', branches: ['a', 'b'] } },
      a: { id: 'a', kind: { type: 'python_fn', module: 'w', function: 'a', output_schema: '' } },
      b: { id: 'b', kind: { type: 'python_fn', module: 'w', function: 'b', output_schema: '' } },
      merge: { id: 'merge', kind: { type: 'join', wait_for: ['a', 'b'], merge_strategy: 'collect' } },
    },
    edges: [
      { from: 'split', to: 'a' },
      { from: 'split', to: 'b' },
      { from: 'a', to: 'merge' },
      { from: 'b', to: 'merge' },
      { from: 'merge', to: 'end' },
    ],
  },
};

export const parent: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'parent',
    version: '0.1.0',
    start_node: 'child',
    nodes: {
      child: {
        id: 'child',
        kind: {
          type: 'subgraph',
          workflow_ref: 'lin',
          workflow_version: '0.1.0',
          input_mapping: { order_id: 'state.id' },
          output_mapping: { order: 'state.order' },
        },
      },
    },
    edges: [{ from: 'child', to: 'end' }],
  },
};

export const asking: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'ask',
    version: '0.1.0',
    start_node: 'think',
    nodes: {
      think: {
        id: 'think',
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
    edges: [{ from: 'think', to: 'end' }],
    models: { fast: { provider: 'openai', model: 'gpt-4o-mini', temperature: 0.2, max_tokens: 256 } },
    timeouts: { workflow_timeout: 120 },
  },
};

export const guarded: JsonObject = {
  ...MAPS,
  ...{
    workflow_id: 'guarded',
    version: '0.1.0',
    start_node: 'pay',
    nodes: {
      pay: {
        id: 'pay',
        kind: { type: 'tool', tool_ref: 'payments.submit', input_mapping: {}, output_schema: '' },
        retry_policy: 'quick',
        node_timeout_secs: 20,
        policy: { require_approval_for: ['payments.*'] },
      },
    },
    edges: [{ from: 'pay', to: 'end' }],
    retry_policies: {
      quick: { max_attempts: 3, backoff: 'exponential', initial_delay: 1, max_delay: 8, jitter: false, retryable_on: [] },
    },
    policy: { blocked_tools: ['shell.*'] },
    token_budget: { total_tokens: 5000 },
    cost_budget_usd: 0.5,
  },
};
