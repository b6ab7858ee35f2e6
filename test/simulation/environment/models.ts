// The runtime loads it with the first call; in a simulation nothing may take real time.
import '../../../src/executors/model/failure.ts';
import { type ModelScript, readScript } from '../../../src/executors/model/script.ts';

const usage = { input_tokens: 30, output_tokens: 10, cost_usd: 0.3 };
const call = (name: string, n: number) => ({ name, arguments: { mark: `call${n}` } });

/** Tasks of agents, each a rule of the script; the last has no answer. */
export const TASKS = ['answer', 'look up', 'compare', 'research', 'fail'] as const;

/** What judges are asked: each a rule of the script. */
export const VERDICTS = ['praise', 'blame'] as const;

/** What models answer: a function of the conversation, so the same in every process. */
export const SCRIPT: ModelScript = readScript([
  { match: 'praise', answers: [{ text: '{"score": 5, "reason": "good"}', usage }] },
  { match: 'blame', answers: [{ text: '{"score": 1, "reason": "bad"}', usage }] },
  { match: 'answer', answers: [{ text: 'an answer', usage }] },
  {
    match: 'look up',
    answers: [
      { tools: [call('g0', 1)], usage },
      { text: 'found', usage },
    ],
  },
  {
    match: 'compare',
    answers: [
      { tools: [call('g0', 1), call('g1', 2), call('g0', 3)], usage },
      { text: 'same', usage },
    ],
  },
  {
    match: 'research',
    answers: [
      { tools: [call('g1', 1)], usage },
      { tools: [call('nothing', 2), call('g0', 3)], usage },
      { text: 'it is so', usage },
    ],
  },
]);
