import { Option } from 'clipanion';
import { requestCommand } from '../base/request-command.ts';
import { choiceArgument, ITEMS, integerArgument, jsonArgument } from '../input/arguments.ts';
import { plain } from '../terminal/text.ts';

const DECISIONS = ['approved', 'rejected'] as const;

export const command = requestCommand({
  usage: {
    details: `The name of the token is recorded as the actor; --on-behalf-of adds another name, which is not verified. When several approvals
are pending, --node-id selects one.`,
    examples: [
      ['Approve', '$0 approve exec_0199…'],
      ['Reject and give a reason', '$0 approve exec_0199… --decision rejected --comment "over budget"'],
      [
        'Approve one of several and change the state',
        `$0 approve exec_0199… --node-id review --state-patch '{"priority": "high"}'`,
      ],
    ],
  },
  executionOptions: ['id'],
  changesOffline: true,
  options: () => ({
    id: Option.String({ name: 'id' }),
    decision: Option.String('-d,--decision', 'approved', { description: 'approved (the default) or rejected.' }),
    nodeId: Option.String('--node-id', { description: 'The node whose approval is decided.' }),
    item: Option.String('--item', { description: 'Of a node that works on a list: the item whose approval is decided.' }),
    onBehalfOf: Option.String('--on-behalf-of,--user-id', {
      description: 'The person the decision is made for, recorded beside the token name.',
    }),
    comment: Option.String('-c,--comment', { description: 'A comment recorded with the decision.' }),
    statePatch: Option.String('--state-patch', { description: 'A JSON merge patch for the state: JSON text, @file or -.' }),
  }),
  call: async (client, { id, decision, nodeId, item, onBehalfOf, comment, statePatch }, context) => {
    const choice = choiceArgument('--decision', decision, DECISIONS);
    return client.approve(id, {
      decision: choice,
      ...(nodeId === undefined ? {} : { node_id: nodeId }),
      ...(item === undefined ? {} : { item: integerArgument('--item', item, ITEMS) }),
      ...(onBehalfOf === undefined ? {} : { user_id: onBehalfOf }),
      ...(comment === undefined ? {} : { comment }),
      ...(statePatch === undefined ? {} : { state_patch: await jsonArgument('--state-patch', statePatch, context) }),
    });
  },
  text: ({ node_id, execution_id }, { paint }, { decision }) => {
    const verdict = decision === 'rejected' ? paint.red('✗ rejected') : paint.green('✓ approved');
    return `${verdict}  ${plain(node_id)}  ${paint.dim(execution_id)}`;
  },
});
