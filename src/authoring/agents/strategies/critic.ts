import { stateText } from './graph.ts';
import { revisingGraph } from './revising.ts';
import type { Strategy } from './strategy.ts';

/** Writes a draft, which a critic judges and the model revises until it passes. */
export const critic: Strategy = {
  config: { critic_model: 'model', pass_threshold: 'score', max_rounds: 'count' },
  compile: (agent) =>
    revisingGraph(agent, {
      first: {
        id: '__draft__',
        answer: '__draft_output__',
        role: 'draft_generation',
        prompt: `The goal: ${agent.goal}\nWrite the best first draft that you can.`,
      },
      judge: 'critic',
      judgeRole: 'critic_eval',
      judgeModel: agent.config.models.critic_model ?? agent.model,
      question: 'Judge it against the goal. Answer with JSON: {"score": 0.0 to 1.0, "passed": true or false, "feedback": "…"}',
      feedback: (verdict) => stateText(`${verdict}.feedback`),
    }),
};
