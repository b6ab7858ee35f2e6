import { Type } from '../type.ts';
import { byDefault, internal, ofExecution } from './declaration.ts';
import { absent, flag, integer, json, nullable, number, object, oneOf, text, time } from './fields.ts';

const tokenBudget = Type.Object(
  {
    input_tokens: absent(integer('Input tokens in all.')),
    output_tokens: absent(integer('Output tokens in all.')),
    total_tokens: absent(integer('Input and output tokens in all.')),
  },
  { description: 'New totals of tokens; absent = unchanged.' },
);

const copiedDecision = Type.Object(
  {
    node_id: text('Node whose approval was decided.'),
    sequence: integer('Sequence of the `approval_received` event.'),
    user_id: text('Who decided.'),
    execution_id: absent(text('Descendant in which the decision was made; absent for the original execution.')),
    would_change: absent(flag('The person was shown something else than the patched state would show.')),
  },
  { description: 'A decision that the fork includes.' },
);

/** An execution begins, ends, and is paused, retried or forked. */
export const EXECUTION_EVENTS = {
  /** `env`, `rules` and `language` fix what a replay must repeat, whatever the runtime has become since. */
  workflow_started: ofExecution({
    letter: 'A',
    description: 'The execution was started. Always the first event.',
    fields: {
      workflow_id: text('Workflow that runs.'),
      workflow_version: text('Version of the workflow.'),
      initial_input: json('Input of the execution.'),
      env: absent(
        Type.Record(Type.String(), Type.String(), {
          description: 'Values of `env.…` that conditions see; absent if none is used.',
        }),
      ),
      step_limit: absent(integer('Node completions after which the execution fails; absent = 10000.')),
      language: absent(integer('Version of the expression language; absent = 1.')),
      rules: absent(integer('Version of the execution rules; absent = 1.')),
      segment_number: absent(integer('Which segment of its chain the execution is; absent = 0, the first.')),
      continued_from: absent(text('Execution that it continues; absent if it continues none.')),
      traceparent: absent(
        text('Place in the trace within which it was started, as in the header `traceparent`; absent if there is none.'),
      ),
      start_at: absent(time('When it begins; absent = with this event.')),
      carried: absent(
        object(
          'What it takes over from the execution that it continues: the `node` at which it begins, with its `inputs` or, for a durable function, its `input`, buffered `events`, and what has been used and counted. Absent = nothing but the state.',
        ),
      ),
    },
  }),
  workflow_begun: ofExecution({
    letter: 'ω',
    description: 'The execution, which was started for later, begins.',
    fields: {},
  }),
  workflow_completed: ofExecution({
    letter: 'B',
    description: 'The execution completed. Always the last event.',
    fields: { final_state: json('State at the end.'), state_spilled: internal() },
  }),
  workflow_failed: ofExecution({
    letter: 'C',
    description: 'The execution failed. The last event unless `workflow_retried` follows.',
    fields: {
      error: text('Why it failed.'),
      corrupt: absent(flag('True if an internal error ended the execution; absent otherwise.')),
    },
  }),
  workflow_cancelled: ofExecution({
    letter: 'D',
    description: 'The execution was cancelled. Always the last event.',
    fields: {
      reason: byDefault(null, nullable(Type.String(), 'Why it was cancelled; null if no reason was given.')),
    },
  }),
  workflow_paused: ofExecution({
    letter: 'E',
    description: 'An operator paused the execution, or it exceeded a budget with `on_budget_exceeded: pause`.',
    fields: {
      reason: byDefault(null, nullable(Type.String(), 'Why it was paused; null if no reason was given.')),
    },
  }),
  workflow_resumed: ofExecution({
    letter: 'F',
    description: 'An operator resumed the execution.',
    fields: {
      token_budget: absent(tokenBudget),
      cost_budget_usd: absent(number('New total of cost in USD; absent = unchanged.')),
    },
  }),
  workflow_retried: ofExecution({
    letter: 'G',
    description: 'A failed execution was retried: its failed nodes run again.',
    fields: {
      nodes: Type.Array(Type.String(), { description: 'Nodes that run again.' }),
      forgiven: Type.Array(Type.Integer(), {
        description: 'Sequences of the `node_failed` events that the retry undoes, in ascending order.',
      }),
    },
  }),
  workflow_forked: ofExecution({
    letter: 'H',
    description: 'The execution is a fork and continues on its own. The events before it were copied.',
    fields: {
      origin: Type.Object(
        {
          execution_id: text('Execution that was forked.'),
          sequence: integer('Sequence of the last copied event.'),
        },
        { description: 'Where the fork began.' },
      ),
      state_patch: json('JSON merge patch (RFC 7396) that was applied to the state; `{}` or null = none.'),
      decisions: absent(Type.Array(copiedDecision, { description: 'Decisions that were copied; absent if there are none.' })),
      keep_decisions: absent(
        flag('True if an operator copied decisions that were made on something else than the patched state; absent otherwise.'),
      ),
    },
  }),
  workflow_finalizing: ofExecution({
    letter: 'ζ',
    description: 'The execution is about to end: what was in progress is cancelled, and its finalizers run.',
    fields: {
      status: oneOf(['completed', 'failed', 'cancelled', 'limit_exceeded'], 'How it ends.'),
      reason: absent(
        nullable(Type.String(), 'Why it was cancelled; null if no reason was given, absent unless it is cancelled.'),
      ),
      error: absent(nullable(Type.String(), 'Why it failed; absent unless it fails.')),
    },
  }),
};
