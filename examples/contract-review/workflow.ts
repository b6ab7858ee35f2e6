// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';

/** The question of the agent while its task waits for the answer, then its verdict. */
type Review = { message: string; task_id: string } | string;

const State = Type.Partial(
  Type.Object({
    agent: Type.String(),
    contract: Type.String(),
    review: Type.Unsafe<Review>({}),
    ask: Type.Unsafe<{ approved: boolean }>({ type: 'object' }),
  }),
);

export const contractReview = workflow({
  id: 'contract-review',
  version: '1.0.0',
  name: 'Contract review',
  description: 'Have a contract reviewed by a lawyer',
  publish: ['a2a', 'mcp'],
  state: State,
  start: 'review',
  nodes: {
    review: {
      type: 'a2a_task',
      remoteAgent: '{{ state.agent }}',
      skill: 'review',
      stream: true,
      input: { contract: '{{ state.contract }}', may_end_early: '{{ state.ask.approved }}' },
      taskId: '{{ state.review.task_id }}',
      onInputRequired: 'ask',
      timeout: '2m',
      retryPolicy: 'io_default',
      next: 'end',
    },
    ask: {
      type: 'human_approval',
      description: '{{ state.review.message }}',
      onApproved: 'review',
      onRejected: 'review',
    },
  },
  tests: [
    {
      name: 'a person decides the question of the agent',
      input: { agent: 'https://lawyer.example.com', contract: 'Five years.' },
      results: {
        review: [
          { output: { message: 'May it end early?', task_id: 't1' }, route: 'on_input_required' },
          { output: 'The contract is sound.' },
        ],
        ask: 'approve',
      },
      expect: {
        status: 'completed',
        state: { review: 'The contract is sound.' },
        visited: ['review', 'ask', 'review'],
      },
    },
    {
      name: 'an agent that asks nothing',
      input: { agent: 'https://lawyer.example.com', contract: 'Five years.' },
      results: { review: { output: 'The contract is sound.' } },
      expect: { status: 'completed', notVisited: ['ask'] },
    },
    {
      name: 'an agent that cannot be reached',
      input: { agent: 'https://lawyer.example.com', contract: 'Five years.' },
      results: { review: { fail: 'no answer', retryable: false } },
      expect: { status: 'failed' },
    },
  ],
});
