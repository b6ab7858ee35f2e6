import { Type, workflow } from 'jamjet-runtime';
import { findOrder, payBack } from './tools.ts';

/** Pays an order back; a person decides if it cost more than 100. */
export const refund = workflow({
  id: 'NAME',
  version: '0.1.0',
  state: Type.Object({
    number: Type.String(),
    order: Type.Optional(Type.Object({ item: Type.String(), total: Type.Number() })),
    refund: Type.Optional(Type.Object({ receipt: Type.String() })),
  }),
  tools: { findOrder, payBack },
  nodes: {
    find: { type: 'tool', tool: 'findOrder', input: { number: '{{ state.number }}' }, outputKey: 'order', next: 'check' },
    check: {
      type: 'condition',
      branches: [{ if: 'state.order.total > 100', next: 'review' }],
      default: 'pay',
    },
    review: {
      type: 'human_approval',
      message: 'Pay {{ state.order.total }} back for the {{ state.order.item }}?',
      timeout: '3d',
      onApproved: 'pay',
      onRejected: 'end',
      onTimeout: 'end',
    },
    pay: {
      type: 'tool',
      tool: 'payBack',
      input: { number: '{{ state.number }}', amount: '{{ state.order.total }}' },
      outputKey: 'refund',
      retry: { maxAttempts: 3, delayMs: 200 },
    },
  },
  tests: [
    {
      name: 'a small amount is paid back at once',
      input: { number: 'A-17' },
      results: { find: { item: 'desk lamp', total: 60 }, pay: { receipt: 'r-1' } },
      expect: { visited: ['find', 'check', 'pay'], state: { refund: { receipt: 'r-1' } } },
    },
    {
      name: 'a person may allow a large one',
      input: { number: 'B-4' },
      results: { find: { item: 'arc lamp', total: 480 }, review: { approve: true }, pay: { receipt: 'r-2' } },
      expect: { visited: ['find', 'check', 'review', 'pay'] },
    },
    {
      name: 'or refuse it',
      input: { number: 'B-4' },
      results: { find: { item: 'arc lamp', total: 480 }, review: { reject: true } },
      expect: { visited: ['find', 'check', 'review'], notVisited: ['pay'] },
    },
  ],
});
