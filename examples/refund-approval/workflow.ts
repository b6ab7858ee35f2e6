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
});
