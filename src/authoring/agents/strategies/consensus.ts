import { countTo, GraphBuilder, stateText } from './graph.ts';
import type { Strategy } from './strategy.ts';

/** Asks for several independent answers, lets the model vote for one, and a judge refine it. */
export const consensus: Strategy = {
  config: { num_agents: 'count', judge_model: 'model' },
  compile({ goal, model, config }) {
    const count = config.numbers.num_agents ?? 3;
    const graph = new GraphBuilder(model);
    for (const i of countTo(count)) {
      const isLast = i === count - 1;
      graph.ask(
        `__agent_${i}__`,
        {
          description: `Answer ${i + 1} of ${count}`,
          prompt: `The goal: ${goal}\nYou are number ${i + 1} of ${count} who answer independently. Write your best answer.`,
          answer: `__agent_${i}_output__`,
          role: { node: 'parallel_agent', event: 'iteration_started', iteration: i },
        },
        isLast ? '__vote__' : `__cost_guard_${i}__`,
      );
      if (!isLast) graph.costGuard(`__cost_guard_${i}__`, i, `__agent_${i + 1}__`);
    }
    const answers = countTo(count).map((i) => `Answer ${i}: ${stateText(`__agent_${i}_output__`)}`);
    graph.ask(
      '__vote__',
      {
        description: 'Votes for the best answer',
        prompt:
          `The goal: ${goal}\n${answers.join('\n')}\nWhich answer is the best? Answer with JSON: ` +
          '{"votes": [{"agent": 0, "score": 0.0 to 1.0, "reason": "…"}], "winner": 0}',
        answer: '__vote_result__',
        role: { node: 'voting', event: 'critic_verdict' },
      },
      '__judge__',
    );
    graph.ask(
      '__judge__',
      {
        description: 'Checks the vote and refines the answer',
        prompt:
          `The goal: ${goal}\n${answers.join('\n')}\nThe vote: ${stateText('__vote_result__')}\n` +
          `The winner: ${stateText('__vote_result__.winner')}\nCheck the choice, and write a refined answer.`,
        answer: '__judge_output__',
        model: config.models.judge_model ?? model,
        role: { node: 'judge', event: 'strategy_completed' },
      },
      '__finalize__',
    );
    const prompt = `The goal: ${goal}\nThe refined answer: ${stateText('__judge_output__')}\nWrite its final form.`;
    return graph.finish('__agent_0__', 'Writes the final answer', prompt);
  },
};
