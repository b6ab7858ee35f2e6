import { countTo, GraphBuilder, stateText } from './graph.ts';
import { roundsOf, type Strategy } from './strategy.ts';

/** Takes a position, which is challenged and defended until a judge calls the debate settled. */
export const debate: Strategy = {
  config: { judge_model: 'model', max_rounds: 'count' },
  compile(agent) {
    const { goal, model, config } = agent;
    const rounds = roundsOf(agent);
    const graph = new GraphBuilder(model);
    graph.ask(
      '__propose__',
      {
        description: 'Takes a position',
        prompt: `The goal: ${goal}\nTake a position, with reasons and evidence.`,
        answer: '__propose_output__',
        role: { node: 'proposer', event: 'iteration_started' },
      },
      '__counter_0__',
    );
    for (const i of countTo(rounds)) {
      const isLast = i === rounds - 1;
      const argument = i === 0 ? '__propose_output__' : `__respond_${i - 1}_output__`;
      const counter = `__counter_${i}_output__`;
      const ruling = `__judge_${i}_ruling__`;
      graph.ask(
        `__counter_${i}__`,
        {
          description: `Challenges the position, round ${i + 1} of ${rounds}`,
          prompt: `The goal: ${goal}\nThe argument: ${stateText(argument)}\nChallenge it: name its weaknesses and argue against it.`,
          answer: counter,
          role: { node: 'challenger', event: 'tool_called', iteration: i },
        },
        `__judge_${i}__`,
      );
      graph.ask(
        `__judge_${i}__`,
        {
          description: `Judges round ${i + 1}`,
          prompt:
            `The goal: ${goal}\nThe argument: ${stateText(argument)}\nThe counter-argument: ${stateText(counter)}\n` +
            'Is the conclusion well supported by now? Answer with JSON: ' +
            '{"settled": true or false, "score": 0.0 to 1.0, "ruling": "…"}',
          answer: ruling,
          model: config.models.judge_model ?? model,
          role: { node: 'judge', event: 'critic_verdict', iteration: i },
        },
        isLast ? '__finalize__' : `__judge_gate_${i}__`,
      );
      if (isLast) continue;
      graph.gate(`__judge_gate_${i}__`, `state.${ruling}.settled == true`, `__cost_guard_${i}__`, {
        node: 'judge_gate',
        iteration: i,
      });
      graph.costGuard(`__cost_guard_${i}__`, i, `__respond_${i}__`);
      graph.ask(
        `__respond_${i}__`,
        {
          description: `Defends the position after round ${i + 1}`,
          prompt:
            `The goal: ${goal}\nThe counter-argument: ${stateText(counter)}\nThe ruling: ${stateText(ruling)}\n` +
            'Answer it and strengthen the position.',
          answer: `__respond_${i}_output__`,
          role: { node: 'responder', event: 'iteration_started', iteration: i + 1 },
        },
        `__counter_${i + 1}__`,
      );
    }
    const said = countTo(rounds).map((i) =>
      [i === 0 ? '__propose_output__' : `__respond_${i - 1}_output__`, `__counter_${i}_output__`, `__judge_${i}_ruling__`]
        .map(stateText)
        .join('\n'),
    );
    const prompt = `The goal: ${goal}\nThe debate:\n${said.join('\n')}\nWrite the final, well-supported answer.`;
    return graph.finish('__propose__', 'Writes the final answer from the debate', prompt);
  },
};
