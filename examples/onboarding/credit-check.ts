// The same workflow as credit-check.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { ask_bureau, rate_answer } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    company: Type.String(),
    answer: Type.Unsafe<{ late_payments: number }>({ type: 'object' }),
    rating: Type.String(),
  }),
);

export const creditCheck = workflow({
  id: 'credit-check',
  version: '1.0.0',
  description: 'Ask the credit bureau and rate the result',
  state: State,
  start: 'ask',
  tools: { ask_bureau, rate_answer },
  nodes: {
    ask: {
      type: 'tool',
      tool: 'ask_bureau',
      input: { company: '{{ state.company }}' },
      outputKey: 'answer',
      next: 'rate',
    },
    rate: { type: 'tool', tool: 'rate_answer', input: { late_payments: '{{ state.answer.late_payments }}' } },
  },
});
