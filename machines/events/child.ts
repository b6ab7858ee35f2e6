import { atNode, byDefault } from './declaration.ts';
import { absent, activation, attempt, integer, item, json, number, text } from './fields.ts';

const child = { child_execution_id: text('Id of the child execution.') };
const totals = {
  input_tokens: absent(integer('Input tokens that it used in all, its own children included; absent if it used none.')),
  output_tokens: absent(integer('Output tokens that it used in all.')),
  cost_usd: absent(number('What it cost in all, in USD.')),
};

/** A node runs another execution. */
export const CHILD_EVENTS = {
  child_workflow_waiting: atNode({
    letter: 'V',
    description: 'A child execution cannot start yet.',
    fields: {
      reason: byDefault('waiting_for_capacity', text('`waiting_for_capacity`: the tenant is at `max_concurrent_executions`.')),
      ...attempt,
      ...activation,
      ...item,
    },
  }),
  child_workflow_started: atNode({
    letter: 'W',
    description: 'A child execution was started.',
    fields: {
      ...child,
      ...activation,
      child_workflow_id: text('Workflow of the child execution.'),
      continues: absent(text('Child execution that it continues (`continue_as_new`); what that one used follows. Else absent.')),
      ...totals,
      ...item,
    },
    stored: [
      'child_execution_id',
      'child_workflow_id',
      'activation',
      'continues',
      'input_tokens',
      'output_tokens',
      'cost_usd',
      'item',
    ],
  }),
  child_workflow_paused: atNode({
    letter: 'X',
    description: 'The child execution is paused.',
    fields: { ...child, ...activation, ...item },
  }),
  child_workflow_resumed: atNode({
    letter: 'Y',
    description: 'The child execution runs again.',
    fields: { ...child, ...activation, ...item },
  }),
  child_workflow_completed: atNode({
    letter: 'Z',
    description: 'The child execution completed.',
    fields: { ...child, result: json('Its final state.'), ...totals, ...activation, ...item },
    stored: ['child_execution_id', 'result', 'activation', 'input_tokens', 'output_tokens', 'cost_usd', 'item'],
  }),
  child_workflow_failed: atNode({
    letter: 'g',
    description: 'The child execution failed.',
    fields: { ...child, error: text('Why it failed.'), ...totals, ...activation, ...item },
    stored: ['child_execution_id', 'error', 'activation', 'input_tokens', 'output_tokens', 'cost_usd', 'item'],
  }),
};
