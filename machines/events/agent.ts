import { atNode } from './declaration.ts';
import { activation, integer, text } from './fields.ts';

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
};
