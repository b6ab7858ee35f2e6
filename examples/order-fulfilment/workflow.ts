// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import * as tools from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    order_id: Type.String(),
    items: Type.Array(Type.Unsafe<{ sku: string; quantity: number }>({ type: 'object' })),
    stock: Type.Unsafe<{ available: boolean }>({ type: 'object' }),
    risk: Type.Unsafe<{ score: number }>({ type: 'object' }),
    amount: Type.Number(),
    shipment: Type.Unsafe<{ tracking: string }>({ type: 'object' }),
    outcome: Type.String(),
  }),
);

export const orderFulfilment = workflow({
  id: 'order-fulfilment',
  version: '1.0.0',
  description: 'Check, wait for the payment and ship; release the stock without a payment',
  state: State,
  start: 'check',
  tools,
  events: { 'payment-received': Type.Object({ amount: Type.Number() }) },
  nodes: {
    check: { type: 'parallel', branches: ['reserve', 'score'], join: 'checked' },
    reserve: {
      type: 'tool',
      tool: 'reserve_stock',
      input: { order_id: '{{ state.order_id }}', items: '{{ state.items }}' },
      outputKey: 'stock',
    },
    score: { type: 'tool', tool: 'score_risk', input: { items: '{{ state.items }}' }, outputKey: 'risk' },
    checked: { type: 'join', waitFor: ['reserve', 'score'], next: 'acceptable' },
    acceptable: {
      type: 'condition',
      branches: [{ if: 'state.stock.available and state.risk.score < 0.8', next: 'payment' }],
      default: 'release',
    },
    // A payment that arrives before the checks are done is buffered until this node waits for it.
    payment: { type: 'wait', event: 'payment-received', timeout: '48h', onTimeout: 'release', next: 'ship' },
    ship: {
      type: 'tool',
      tool: 'ship_order',
      input: { order_id: '{{ state.order_id }}', paid: '{{ state.amount }}' },
      outputKey: 'shipment',
      retryPolicy: 'io_default',
      next: 'done',
    },
    release: { type: 'tool', tool: 'release_stock', input: { order_id: '{{ state.order_id }}' }, next: 'done' },
    done: { type: 'end' },
  },
  tests: [
    {
      name: 'ships a paid order',
      results: {
        reserve: { available: true },
        score: { score: 0.1 },
        payment: { event: { amount: 63 } },
        ship: { tracking: 'T-1' },
      },
      expect: {
        visited: ['check', 'reserve', 'score', 'checked', 'acceptable', 'payment', 'ship'],
        state: { amount: 63, shipment: { tracking: 'T-1' } },
      },
    },
    {
      name: 'buffers an early payment',
      results: {
        reserve: { available: true },
        score: { score: 0.1 },
        payment: { event: { amount: 63 }, at: 'early' },
      },
      expect: { visitedIncludes: ['ship'], state: { amount: 63 } },
    },
    {
      name: 'releases the stock after two days without a payment',
      results: {
        reserve: { available: true },
        score: { score: 0.1 },
        payment: 'timeout',
      },
      expect: { visitedIncludes: ['payment', 'release'], notVisited: ['ship'] },
    },
    {
      name: 'requires no payment for an unavailable order',
      results: { reserve: { available: false } },
      expect: { visitedIncludes: ['release'], notVisited: ['payment'] },
    },
  ],
});
