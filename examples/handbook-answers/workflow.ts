// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { answer, learn } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    question: Type.String(),
    learned: Type.Unsafe<{ items: number }>({ type: 'object' }),
    passages: Type.Unsafe<{ id: string; text: string; score: number }[]>({ type: 'array' }),
    answer: Type.Unsafe<{ question: string; text: string; source: string; see_also: string[] }>({ type: 'object' }),
  }),
);

export const handbookAnswers = workflow({
  id: 'handbook-answers',
  version: '1.0.0',
  description: 'Answer questions from a handbook',
  state: State,
  start: 'learn',
  tools: { learn, answer },
  nodes: {
    learn: { type: 'tool', input: { namespace: 'handbook' }, outputKey: 'learned', next: 'find' },
    find: {
      type: 'memory_retrieval',
      memory: 'handbook',
      query: 'state.question',
      limit: 3,
      outputKey: 'passages',
      timeout: '10s',
      next: 'known',
    },
    known: { type: 'condition', branches: [{ if: 'len(state.passages) > 0', next: 'answer' }], default: 'ask' },
    answer: {
      type: 'tool',
      input: { question: '{{ state.question }}', passages: '{{ state.passages }}' },
      outputKey: 'answer',
    },
    ask: { type: 'human_approval', message: 'The handbook says nothing about: {{ state.question }}' },
  },
});
