// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { lookup, summarise } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    customers: Type.Unsafe<{ id: string }[]>({ type: 'array' }),
    scores: Type.Unsafe<(number | { error: string })[]>({ type: 'array' }),
    report: Type.Unsafe<{ best: string | null }>({ type: 'object' }),
  }),
);

export const customerScores = workflow({
  id: 'customer-scores',
  version: '1.0.0',
  description: 'Score a list of customers',
  state: State,
  start: 'score',
  tools: { lookup, summarise },
  nodes: {
    score: {
      type: 'map',
      items: '{{ state.customers }}',
      as: 'customer',
      do: { type: 'tool', toolRef: 'lookup', input: { id: '{{ customer.id }}', place: '{{ index }}' } },
      maxConcurrency: 4,
      timeout: '10s',
      retry: { maxAttempts: 2, initialDelay: '100ms' },
      onItemError: { tolerate: '50%' },
      output: '{{ output.score }}',
      outputKey: 'scores',
      next: 'summarise',
    },
    summarise: {
      type: 'tool',
      tool: 'summarise',
      input: { customers: '{{ state.customers }}', scores: '{{ state.scores }}' },
      outputKey: 'report',
    },
  },
  tests: [
    {
      name: 'one customer is not known',
      input: { customers: [{ id: 'ann' }, { id: 'bob' }, { id: 'zoe' }] },
      results: {
        score: [{ output: { score: 7 } }, { output: { score: 9 } }, { fail: 'not known', retryable: false }],
        summarise: { output: { best: 'bob' } },
      },
      expect: { status: 'completed', state: { scores: [7, 9, { error: 'not known' }] } },
    },
  ],
});
