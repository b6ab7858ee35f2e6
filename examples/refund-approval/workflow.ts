// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { look_up_order, pay_refund, tell_customer } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    order_id: Type.String(),
    reason: Type.String(),
    order: Type.Unsafe<{ total: number; customer: string }>({ type: 'object' }),
    review: Type.Unsafe<{ approved: boolean; comment: string | null }>({ type: 'object' }),
    refund: Type.Unsafe<{ reference: string }>({ type: 'object' }),
    outcome: Type.String(),
  }),
);

export const refundApproval = workflow({
  id: 'refund-approval',
  version: '1.0.0',
  description: 'Refund an order, with an approval above 50.00',
  state: State,
  start: 'look_up',
  tools: { look_up_order, pay_refund, tell_customer },
  nodes: {
    look_up: {
      type: 'tool',
      tool: 'look_up_order',
      input: { order_id: '{{ state.order_id }}' },
      outputKey: 'order',
      next: 'decide',
    },
    decide: {
      type: 'condition',
      branches: [{ if: 'state.order.total <= 50', next: 'refund' }],
      default: 'review',
    },
    review: {
      type: 'human_approval',
      message: 'Refund {{ state.order.total }} to {{ state.order.customer }}? Reason given: {{ state.reason }}',
      timeout: '3d',
      onApproved: 'refund',
      onRejected: 'decline',
      onTimeout: 'decline',
    },
    refund: {
      type: 'tool',
      tool: 'pay_refund',
      input: { order_id: '{{ state.order_id }}', amount: '{{ state.order.total }}' },
      outputKey: 'refund',
      timeout: '10s',
      retry: { maxAttempts: 4, backoff: 'exponential', delayMs: 200, retryableOn: ['server_error', 'timeout'] },
      next: 'confirm',
    },
    confirm: {
      type: 'tool',
      tool: 'tell_customer',
      input: {
        customer: '{{ state.order.customer }}',
        text: '{{ state.order.total }} for order {{ state.order_id }} is on its way, reference {{ state.refund.reference }}.',
      },
      outputKey: 'outcome',
    },
    decline: {
      type: 'tool',
      tool: 'tell_customer',
      input: {
        customer: '{{ state.order.customer }}',
        text: "We cannot refund order {{ state.order_id }}. {{ state.review.comment | default('') }}",
      },
      outputKey: 'outcome',
    },
  },
  tests: [
    {
      name: 'pays a small refund without an approval',
      input: { order_id: 'A-1001', reason: 'too small' },
      results: {
        look_up: { total: 24.5, customer: 'ann@example.com' },
        refund: { reference: 'R-1' },
      },
      expect: {
        visited: ['look_up', 'decide', 'refund', 'confirm'],
        state: { refund: { reference: 'R-1' } },
      },
    },
    {
      name: 'retries the payment after the approval',
      input: { order_id: 'A-1042' },
      results: {
        look_up: { total: 180, customer: 'tariq@example.com' },
        review: { approve: { comment: 'the photo shows it' } },
        refund: [{ fail: 'the gateway is busy', errorClass: 'server_error' }, { reference: 'R-2' }],
      },
      expect: {
        visited: ['look_up', 'decide', 'review', 'refund', 'confirm'],
        state: { review: { approved: true }, refund: { reference: 'R-2' } },
      },
    },
    {
      name: 'declines after a rejection',
      results: { look_up: { total: 180 }, review: 'reject' },
      expect: { visited: ['look_up', 'decide', 'review', 'decline'], notVisited: ['refund'] },
    },
    {
      name: 'declines after three days without a decision',
      results: { look_up: { total: 180 }, review: 'timeout' },
      expect: { visited: ['look_up', 'decide', 'review', 'decline'] },
    },
    {
      name: 'fails for an unknown order',
      results: { look_up: { fail: 'no such order', retryable: false } },
      expect: { status: 'failed', error: 'no such order', visited: ['look_up'] },
    },
  ],
});
