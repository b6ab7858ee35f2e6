import { Type } from '../type.ts';
import { atNode, byDefault, ofExecution } from './declaration.ts';
import { absent, activation, flag, integer, json, nullable, text, texts } from './fields.ts';

const iteration = { iteration: integer('Its number, from 0.') };

/** An agent works by a strategy. */
export const STRATEGY_EVENTS = {
  strategy_started: ofExecution({
    letter: 'v',
    description: 'The execution works by a strategy. Follows `workflow_started`.',
    fields: { strategy: text('Name of the strategy.'), config: json('Its settings.') },
  }),
  plan_generated: ofExecution({
    letter: 'w',
    description: 'The strategy has a plan. Follows the `node_completed` of the node that wrote it.',
    fields: { steps: texts('Its steps.') },
  }),
  iteration_started: ofExecution({
    letter: 'x',
    description: 'An iteration of the strategy begins.',
    fields: iteration,
  }),
  iteration_completed: ofExecution({
    letter: 'y',
    description: 'An iteration of the strategy is over: the next one begins, or the final answer.',
    fields: {
      ...iteration,
      cost_delta_usd: byDefault(null, nullable(Type.Number(), 'What it cost in USD; null if costs are not counted.')),
      input_tokens: integer('Input tokens that it used.'),
      output_tokens: integer('Output tokens that it used.'),
    },
    stored: ['iteration', 'input_tokens', 'output_tokens', 'cost_delta_usd'],
  }),
  critic_verdict: atNode({
    letter: 'z',
    description: 'A node of the strategy has judged an answer. Follows its `node_completed`.',
    fields: {
      score: nullable(Type.Number(), 'Its score; null if it gave none.'),
      passed: flag('Whether the answer passes, or the debate is settled.'),
      feedback: absent(text('What it said.')),
      ...activation,
    },
  }),
  strategy_completed: ofExecution({
    letter: 'η',
    description: 'The strategy has its answer. Right before `workflow_completed`.',
    fields: {
      iterations: integer('Iterations that began.'),
      total_cost_usd: byDefault(null, nullable(Type.Number(), 'What the execution cost in USD; null if costs are not counted.')),
    },
  }),
  strategy_limit_hit: ofExecution({
    letter: 'l',
    description: 'The execution ended at a `limit_exceeded` node. Always the last event.',
    fields: {
      limit_type: byDefault(
        'limit_exceeded',
        text('The budget that is exceeded, `token_budget` or `cost_budget`; else `limit_exceeded`.'),
      ),
      limit_value: byDefault(null, json('The limit; null if the node names none.')),
      actual_value: byDefault(null, json('What was reached; null if unknown.')),
    },
  }),
};
