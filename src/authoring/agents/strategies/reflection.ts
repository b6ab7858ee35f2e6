import { stateText } from './graph.ts';
import { revisingGraph } from './revising.ts';
import type { Strategy } from './strategy.ts';

/** Answers, reflects on the answer, and improves it until it passes. */
export const reflection: Strategy = {
  config: { pass_threshold: 'score', max_rounds: 'count' },
  compile: (agent) =>
    revisingGraph(agent, {
      first: {
        id: '__execute__',
        answer: '__execute_output__',
        role: 'initial_execution',
        prompt: `The goal: ${agent.goal}\nWrite your best answer.`,
      },
      judge: 'reflect',
      judgeRole: 'reflection',
      judgeModel: agent.model,
      question:
        'Reflect on your answer: does it reach the goal? Answer with JSON: ' +
        '{"score": 0.0 to 1.0, "passed": true or false, "gaps": "…", "suggestions": "…"}',
      feedback: stateText,
    }),
};
