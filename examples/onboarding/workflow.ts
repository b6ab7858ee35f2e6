// The same workflow as workflow.yaml, in TypeScript. Its subgraph names the definition of the child, which brings its functions along.
import { Type, workflow } from 'jamjet-runtime';
import { creditCheck } from './credit-check.ts';
import { open_account, refuse_account } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    company: Type.String(),
    rating: Type.String(),
    account: Type.String(),
    notice: Type.String(),
  }),
);

export const onboarding = workflow({
  id: 'onboarding',
  version: '1.0.0',
  description: 'Open an account for a company whose credit is good',
  state: State,
  start: 'credit',
  tools: { open_account, refuse_account },
  nodes: {
    credit: {
      type: 'subgraph',
      workflow: creditCheck,
      input: { company: '{{ state.company }}' },
      outputMapping: { rating: 'state.rating' },
      retry: { maxAttempts: 2, delayMs: 500 },
      next: [{ when: "state.rating in ['A', 'B']", to: 'open' }, { else: 'refuse' }],
    },
    open: { type: 'tool', tool: 'open_account', input: { company: '{{ state.company }}' } },
    refuse: {
      type: 'tool',
      tool: 'refuse_account',
      input: { company: '{{ state.company }}', rating: '{{ state.rating }}' },
    },
  },
});
