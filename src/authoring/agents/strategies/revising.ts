import { countTo, GraphBuilder, lastOf, type StrategyGraph, stateText } from './graph.ts';
import { passThreshold, roundsOf, type StrategyAgent } from './strategy.ts';

/** What distinguishes the strategies that revise a first answer until a judge accepts it. */
interface Revising {
  /** The first answer: its node, state key, role and prompt. */
  readonly first: { readonly id: string; readonly answer: string; readonly role: string; readonly prompt: string };
  /** `critic`: nodes `__critic_0__`, `__critic_gate_0__`, state key `__critic_0_verdict__`. */
  readonly judge: string;
  /** The label of the judge's nodes. */
  readonly judgeRole: string;
  readonly judgeModel: string;
  /** What the judge is asked, and the form of its answer. */
  readonly question: string;
  /** The part of the verdict that the revision reads. */
  readonly feedback: (verdict: string) => string;
}

/** The graph of first answer → judge → gate → revision → judge …; the last judge is followed by the final answer in any case. */
export function revisingGraph(agent: StrategyAgent, { first, judge, ...spec }: Revising): StrategyGraph {
  const { goal, model } = agent;
  const rounds = roundsOf(agent);
  const graph = new GraphBuilder(model);
  graph.ask(
    first.id,
    {
      description: 'Writes the first answer',
      prompt: first.prompt,
      answer: first.answer,
      role: { node: first.role, event: 'iteration_started' },
    },
    `__${judge}_0__`,
  );
  for (const i of countTo(rounds)) {
    const judged = i === 0 ? first.answer : `__revise_${i - 1}_output__`;
    const verdict = `__${judge}_${i}_verdict__`;
    const gate = `__${judge}_gate_${i}__`;
    const isLast = i === rounds - 1;
    graph.ask(
      `__${judge}_${i}__`,
      {
        description: `Judges the answer, round ${i + 1} of ${rounds}`,
        prompt: `The goal: ${goal}\nThe answer: ${stateText(judged)}\nIt passes from a score of ${passThreshold(agent)}. ${spec.question}`,
        answer: verdict,
        model: spec.judgeModel,
        role: { node: spec.judgeRole, event: 'critic_verdict', iteration: i },
      },
      isLast ? '__finalize__' : gate,
    );
    if (isLast) continue;
    const revise = `__revise_${i}__`;
    graph.gate(gate, `state.${verdict}.passed == true`, revise, {
      node: `${judge}_gate`,
      iteration: i,
    });
    graph.ask(
      revise,
      {
        description: `Revises the answer after round ${i + 1}`,
        prompt: `The goal: ${goal}\nThe answer: ${stateText(judged)}\nThe verdict: ${spec.feedback(verdict)}\nWrite a better answer.`,
        answer: `__revise_${i}_output__`,
        role: { node: 'revision', event: 'iteration_started', iteration: i + 1 },
      },
      `__${judge}_${i + 1}__`,
    );
  }
  const answers = [first.answer, ...countTo(rounds - 1).map((i) => `__revise_${i}_output__`)];
  const prompt = `The goal: ${goal}\nThe answer: ${lastOf(answers)}\nWrite its final form.`;
  return graph.finish(first.id, 'Writes the final answer', prompt);
}
