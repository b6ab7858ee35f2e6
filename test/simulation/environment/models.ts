// The runtime loads it with the first call; in a simulation nothing may take real time.
import '../../../src/executors/model/failure.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type ModelScript, readScript } from '../../../src/executors/model/script.ts';

const usage = { input_tokens: 30, output_tokens: 10, cost_usd: 0.3 };
const call = (name: string, n: number) => ({ name, arguments: { mark: `call${n}` } });

/** Tasks of agents, each a rule of the script; the last has no answer. */
export const TASKS = ['answer', 'look up', 'compare', 'research', 'fail'] as const;

/** What judges are asked: each a rule of the script. */
export const VERDICTS = ['praise', 'blame'] as const;

/** What models answer: a function of the conversation, so the same in every process. */
export const SCRIPT: ModelScript = readScript([
  ...strategies(),
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

/** What strategies ask: a first answer does not pass, and a better one does. */
function strategies(): readonly JsonObject[] {
  return [
    { match: 'Write a better answer', answers: [{ text: 'better', usage }] },
    { match: 'strengthen the position', answers: [{ text: 'better', usage }] },
    { match: 'Answer with JSON: {"steps"', answers: [{ text: '{"steps": ["one", "two"]}', usage }] },
    { match: 'The argument: better', answers: [{ text: '{"settled": true, "score": 0.9, "ruling": "good"}', usage }] },
    { match: '"settled": true or false', answers: [{ text: '{"settled": false, "score": 0.1, "ruling": "bad"}', usage }] },
    { match: 'The answer: better', answers: [{ text: '{"passed": true, "score": 0.9, "feedback": "good"}', usage }] },
    { match: '"passed": true or false', answers: [{ text: '{"passed": false, "score": 0.1, "feedback": "bad"}', usage }] },
    { match: 'The goal: pursue', answers: [{ text: 'a step', usage }] },
  ];
}
