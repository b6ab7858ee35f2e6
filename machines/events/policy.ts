import { Type } from '../type.ts';
import { atNode, byDefault, ofExecution } from './declaration.ts';
import { absent, activation, integer, item, json, matched, nullable, number, object, oneOf, text } from './fields.ts';

const agentRef = 'The registered agent that the node names, else the node';

/** A budget or a limit is reached, or a policy forbids something or asks a person. */
export const POLICY_EVENTS = {
  token_budget_exceeded: atNode({
    letter: 'h',
    description: 'The execution has used more tokens than allowed.',
    fields: {
      kind: oneOf(['input_tokens', 'output_tokens', 'total_tokens'], 'Which total was exceeded.'),
      limit: integer('Tokens allowed.'),
      current: integer('Tokens used.'),
    },
  }),
  cost_budget_exceeded: atNode({
    letter: 'i',
    description: 'The execution has cost more than allowed.',
    fields: {
      limit_usd: number('Cost allowed, in USD.'),
      current_usd: number('Cost so far, in USD.'),
    },
  }),
  policy_violation: atNode({
    letter: 'j',
    description: 'A policy forbids the node, which fails; or a policy node has found a violation.',
    fields: {
      rule: text('Name that the policy blocks.'),
      decision: byDefault('blocked', text('`blocked`, or `warned` by a policy node that does not fail.')),
      policy_scope: oneOf(['tenant', 'workflow', 'node', 'unknown'], 'Whose policy it is.'),
      ...activation,
      ...matched,
      ...item,
    },
    stored: ['rule', 'policy_scope', 'decision', 'activation', 'matched', 'item'],
  }),
  tool_approval_required: atNode({
    letter: 'k',
    description: 'A policy requires approval before the node runs.',
    fields: {
      tool_name: text('Tool to be approved.'),
      approver: byDefault('human', text('Who decides: `human`.')),
      context: object(
        'What the decision is about: `node_id`, and `calls`, the tool calls of a model that the node carries out: `{name, arguments}`.',
      ),
      ...activation,
      policy_scope: absent(
        oneOf(['tenant', 'workflow'], 'Whose policy it is; absent if a policy of the workflow or of the node holds a tool.'),
      ),
      ...matched,
      ...item,
    },
    stored: ['tool_name', 'context', 'approver', 'activation', 'policy_scope', 'matched', 'item'],
  }),
  autonomy_limit_reached: atNode({
    letter: 'β',
    description: 'An agent, or a node, has reached a limit of its autonomy. `escalation_required` follows.',
    fields: {
      agent_ref: text(`${agentRef} whose limit it is.`),
      limit_type: text('`max_iterations`, `max_tool_calls`, `token_budget`, `cost_budget` or `time_budget` (in seconds).'),
      limit_value: json('The limit.'),
      actual_value: json('What was reached.'),
      ...activation,
      ...item,
    },
  }),
  circuit_breaker_tripped: atNode({
    letter: 'δ',
    description: 'So many attempts in a row have failed that no other begins. `escalation_required` follows.',
    fields: {
      agent_ref: text(`${agentRef}.`),
      consecutive_errors: integer('Failed attempts in a row.'),
      threshold: integer('How many are allowed.'),
      ...activation,
      ...item,
    },
  }),
  escalation_required: atNode({
    letter: 'γ',
    description: 'A person decides whether the node may go on. `tool_approval_required` follows.',
    fields: {
      agent_ref: text(`${agentRef}.`),
      reason: text('Why.'),
      escalation_target: byDefault('human_approval', text('`human_approval`.')),
      ...activation,
      ...item,
    },
  }),
  segment_boundary: ofExecution({
    letter: 'α',
    description: 'The execution continues as another one (`continue_as_new`). Always the last event.',
    fields: {
      segment_number: byDefault(0, integer('Which segment of its chain the execution is: 0, 1, 2 …')),
      next_execution_id: text('Execution that begins with its state.'),
      reason: nullable(Type.String(), 'The budget that it has exceeded, or the limit that it has passed.'),
    },
    stored: ['next_execution_id', 'reason', 'segment_number'],
  }),
};
