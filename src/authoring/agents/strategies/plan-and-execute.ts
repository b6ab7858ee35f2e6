import { countTo, GraphBuilder, stateText } from './graph.ts';
import { type Strategy, type StrategyAgent, toolList } from './strategy.ts';

/** Writes a plan, then does its steps one by one; a verifier may judge each step. */
export const planAndExecute: Strategy = {
  config: { verifier_model: 'model' },
  compile(agent) {
    const { goal, model, maxIterations: steps } = agent;
    const verifier = agent.config.models.verifier_model;
    const graph = new GraphBuilder(model);
    graph.ask(
      '__plan__',
      {
        description: 'Writes the plan',
        prompt:
          `The goal: ${goal}\nTools you may assume: ${toolList(agent)}\n` +
          `Write a plan of at most ${steps} concrete steps. Answer with JSON: {"steps": ["…", "…"]}`,
        system: 'You plan work. Answer with valid JSON only.',
        answer: '__plan__',
        role: { node: 'plan_generation', event: 'plan_generated' },
      },
      '__cost_guard_0__',
    );
    for (const i of countTo(steps)) {
      const next = i === steps - 1 ? '__finalize__' : `__cost_guard_${i + 1}__`;
      graph.costGuard(`__cost_guard_${i}__`, i, `__step_${i}__`);
      graph.ask(
        `__step_${i}__`,
        {
          description: `Does step ${i + 1} of ${steps}`,
          prompt: stepPrompt(agent, i),
          answer: `__step_${i}_output__`,
          role: { node: 'step_executor', event: 'iteration_started', iteration: i },
        },
        verifier === undefined ? next : `__verify_${i}__`,
      );
      if (verifier === undefined) continue;
      graph.ask(
        `__verify_${i}__`,
        {
          description: `Judges step ${i + 1}`,
          prompt:
            `The goal: ${goal}\nThe result of step ${i + 1}: ${stateText(`__step_${i}_output__`)}\n` +
            'Does it serve the goal? Answer with JSON: {"passed": true or false, "score": 0.0 to 1.0, "feedback": "…"}',
          answer: `__verify_${i}_result__`,
          model: verifier,
          role: { node: 'verifier', event: 'critic_verdict', iteration: i },
        },
        next,
      );
    }
    const results = countTo(steps).map((i) => `${i + 1}. ${stateText(`__step_${i}_output__`)}`);
    const prompt = `The goal: ${goal}\nThe results of the steps:\n${results.join('\n')}\nWrite the final answer from them.`;
    return graph.finish('__plan__', 'Writes the final answer from all steps', prompt);
  },
};

function stepPrompt({ goal, maxIterations: steps, config }: StrategyAgent, i: number): string {
  const before = i === 0 ? '' : `The result of the step before: ${stateText(`__step_${i - 1}_output__`)}\n`;
  const judged =
    i === 0 || config.models.verifier_model === undefined ? '' : `Its verdict: ${stateText(`__verify_${i - 1}_result__`)}\n`;
  return (
    `The goal: ${goal}\nThe plan: ${stateText('__plan__')}\n${before}${judged}` +
    `Do step ${i + 1} of at most ${steps} and report its result. If the plan has no such step, say so in one sentence.`
  );
}
