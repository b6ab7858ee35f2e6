// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { hand_over, send_answer } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    question: Type.String(),
    answer: Type.String(),
    scores: Type.Unsafe<{ passed: boolean; feedback?: string }>({ type: 'object' }),
    receipt: Type.String(),
  }),
);

export const answerQuality = workflow({
  id: 'answer-quality',
  version: '1.0.0',
  description: 'Answer a question, and score the answer before it is sent',
  state: State,
  start: 'write',
  tools: { send_answer, hand_over },
  nodes: {
    write: {
      type: 'model',
      model: 'writer',
      systemPrompt: "You answer customers of a tea shop. Name the page of the shop's site that says so.",
      prompt: '{{ state.question }}\n\n{{ state.eval_feedback }}',
      outputKey: 'answer',
      next: 'score',
    },
    score: {
      type: 'eval',
      scorers: [
        { type: 'assertion', checks: ['len(output) < 400', "'https://' in output"] },
        {
          type: 'llm_judge',
          model: 'judge',
          rubric: 'Does it answer this question, politely? {{ state.question }}',
          minScore: 4,
        },
        { type: 'latency', thresholdMs: 30_000 },
      ],
      onFail: 'retry_with_feedback',
      maxRetries: 2,
      outputKey: 'scores',
      fallback: 'hand_over',
      next: 'send',
    },
    send: { type: 'tool', tool: 'send_answer', input: { answer: '{{ state.answer }}' }, outputKey: 'receipt' },
    hand_over: {
      type: 'tool',
      tool: 'hand_over',
      input: { question: '{{ state.question }}', reason: '{{ state.eval_feedback }}' },
      outputKey: 'receipt',
    },
  },
  tests: [
    {
      name: 'sends a good answer',
      input: { question: 'How long does delivery take?' },
      results: {
        write: { output: 'Two days: https://tea.example/delivery', usage: { inputTokens: 60, outputTokens: 12 } },
        score: true,
      },
      expect: { visited: ['write', 'score', 'send'], state: { eval_passed: true } },
    },
    {
      name: 'writes the answer again with the feedback',
      input: { question: 'How long does delivery take?' },
      results: {
        write: ['Two days.', 'Two days: https://tea.example/delivery'],
        score: [{ passed: false, feedback: 'it names no page' }, true],
      },
      expect: { visited: ['write', 'score', 'write', 'score', 'send'], state: { eval_feedback: null } },
    },
    {
      name: 'hands over after two more attempts',
      input: { question: 'How long does delivery take?' },
      results: { write: 'Two days.', score: false },
      expect: { visited: ['write', 'score', 'write', 'score', 'write', 'score', 'hand_over'] },
    },
  ],
});
