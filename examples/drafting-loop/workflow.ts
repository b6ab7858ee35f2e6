// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { publish_draft, review_draft, write_draft } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    topic: Type.String(),
    draft: Type.String(),
    round: Type.Integer(),
    review: Type.Unsafe<{ words: number; score: number }>({ type: 'object' }),
    verdict: Type.String(),
  }),
);

export const draftingLoop = workflow({
  id: 'drafting-loop',
  version: '1.0.0',
  description: 'Write and review a text until it is good enough',
  state: State,
  start: 'write',
  tools: { write_draft, review_draft, publish_draft },
  nodes: {
    write: {
      type: 'tool',
      tool: 'write_draft',
      input: { topic: '{{ state.topic }}', draft: '{{ state.draft }}', round: '{{ state.round }}' },
      next: 'judge',
    },
    judge: {
      type: 'tool',
      tool: 'review_draft',
      input: { draft: '{{ state.draft }}' },
      outputKey: 'review',
      next: [
        { when: 'state.review.score >= 0.8', to: 'publish' },
        { when: 'state.round >= 3', to: 'give_up' },
        { else: 'write' },
      ],
    },
    publish: { type: 'tool', tool: 'publish_draft', input: { verdict: 'published', round: '{{ state.round }}' } },
    give_up: { type: 'tool', tool: 'publish_draft', input: { verdict: 'shelved', round: '{{ state.round }}' } },
  },
  tests: [
    {
      name: 'repeats until the review is good enough',
      results: {
        write: [{ round: 1 }, { round: 2 }],
        judge: [{ score: 0.4 }, { score: 0.9 }],
      },
      expect: { visited: ['write', 'judge', 'write', 'judge', 'publish'], state: { round: 2 } },
    },
    {
      name: 'gives up after three iterations',
      results: {
        write: [{ round: 1 }, { round: 2 }, { round: 3 }],
        judge: { score: 0.4 },
      },
      expect: { visitedIncludes: ['give_up'], notVisited: ['publish'] },
    },
  ],
});
