import { atNode } from './declaration.ts';
import { absent, activation, integer, text } from './fields.ts';

/** The model of an agent has answered. */
export const AGENT_EVENTS = {
  tool_call_rejected: atNode({
    letter: 'υ',
    description:
      'The model of an agent has asked for a tool that it does not have, or with arguments that do not fit. It is told so, and the call is not carried out. Follows the `node_completed` of the turn.',
    fields: {
      tool: text('Name of the tool, as the model has written it.'),
      problem: text('What is wrong, and where.'),
      repair: integer('How often in a row the model has been told of such calls, this time included.'),
      ...activation,
    },
  }),
  agent_handoff: atNode({
    letter: 'ο',
    description: 'Another agent goes on with the conversation. Follows the `node_completed` of the turn.',
    fields: {
      from: text('Node of the agent that hands over.'),
      to: text('Node of the agent that goes on.'),
      reason: absent(text('Why, as the model says; absent if it does not.')),
      ...activation,
    },
    stored: ['to', 'from', 'activation', 'reason'],
  }),
};
