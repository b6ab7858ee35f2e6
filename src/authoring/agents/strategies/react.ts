import { countTo, GraphBuilder, stateText } from './graph.ts';
import { type Strategy, type StrategyAgent, toolList } from './strategy.ts';

/** Thinks, observes, and thinks again. */
export const react: Strategy = {
  config: {},
  compile(agent) {
    const { goal, model, maxIterations: rounds } = agent;
    const graph = new GraphBuilder(model);
    for (const i of countTo(rounds)) {
      const isLast = i === rounds - 1;
      graph.ask(
        `__think_${i}__`,
        {
          description: `Thought ${i + 1} of ${rounds}`,
          prompt: thought(agent, i),
          answer: `__think_${i}_output__`,
          role: { node: 'react_think', event: 'iteration_started', iteration: i },
        },
        `__react_guard_${i}__`,
      );
      graph.costGuard(`__react_guard_${i}__`, i, isLast ? '__finalize__' : `__observe_${i}__`);
      if (isLast) continue;
      graph.ask(
        `__observe_${i}__`,
        {
          description: `Observation ${i + 1}`,
          prompt:
            `The goal: ${goal}\nThe thought: ${stateText(`__think_${i}_output__`)}\n` +
            'Say what follows from it, from what you know. Answer with JSON: {"observation": "…", "progress": "…"}',
          answer: `__observe_${i}_output__`,
          role: { node: 'react_observe', event: 'tool_called', iteration: i },
        },
        `__think_${i + 1}__`,
      );
    }
    const notes = countTo(rounds).map((i) =>
      [stateText(`__think_${i}_output__`), ...(i === rounds - 1 ? [] : [stateText(`__observe_${i}_output__`)])].join('\n'),
    );
    const prompt = `The goal: ${goal}\nThoughts and observations:\n${notes.join('\n')}\nWrite the final answer from them.`;
    return graph.finish('__think_0__', 'Writes the final answer from all thoughts', prompt);
  },
};

function thought(agent: StrategyAgent, i: number): string {
  const before = i === 0 ? '' : `The last observation: ${stateText(`__observe_${i - 1}_output__`)}\n`;
  return (
    `The goal: ${agent.goal}\nTools you may assume: ${toolList(agent)}\n${before}` +
    `This is thought ${i + 1} of ${agent.maxIterations}. What is next? The action is the name of a tool, or FINISH when you can ` +
    'answer. Answer with JSON: {"thought": "…", "action": "…", "input": {}}'
  );
}
