import type { Decide } from '../../../machines/messages.ts';
import { actorOf } from '../actor.ts';
import type { MessageOutcome } from '../engine/envelope.ts';
import { ignoredIn } from '../engine/envelope.ts';
import { RuntimeError } from '../errors.ts';
import type { Caller } from '../types/caller.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endOf, runCommand, sendCommand } from './command.ts';
import { requestTexts } from './storable-text.ts';

export function approveCommand(context: CommandContext): Runtime['approve'] {
  return (caller, id, given) => {
    const { decision, nodeId, item, userId, comment, statePatch } = given;
    const work = decision === 'rejected' ? 'reduces' : 'adds';
    return runCommand(context, caller, { work, texts: requestTexts.decision(given) }, async () => {
      if (decision !== 'approved' && decision !== 'rejected')
        throw new RuntimeError('bad_request', `unknown decision: ${decision}`);
      const message: Decide = {
        type: 'decide',
        decision,
        userId: userId ?? caller.actorId,
        comment: comment ?? null,
        patch: statePatch ?? null,
        ...(nodeId === undefined || nodeId === '' ? {} : { node: nodeId }),
        ...(item === undefined ? {} : { item }),
      };
      const outcome = await sendCommand(context, caller, id, message, { actor: actorOf(caller, userId) });
      if ('refused' in outcome) throw await refusal(context, caller, id, message, outcome);
      return { nodeId: outcome.node ?? '', ...ignoredIn(outcome) };
    });
  };
}

async function refusal(
  { executions }: CommandContext,
  { tenantId }: Caller,
  id: string,
  { node }: Decide,
  { refused, nodes }: Extract<MessageOutcome, { refused: string }>,
): Promise<RuntimeError> {
  switch (refused) {
    case 'terminal': {
      const view = await executions.execution(tenantId, id);
      return new RuntimeError('conflict', `execution is ${endOf(view)}; approvals can no longer be decided`);
    }
    case 'several_pending_approvals':
      return new RuntimeError(
        'bad_request',
        `multiple approvals pending (${nodes.join(', ')}); specify node_id${nodes.length === 1 ? ' and item' : ''}`,
      );
    case 'no_pending_approval_on_node':
      return new RuntimeError('conflict', `node '${node}' has no pending approval (unknown or already decided)`);
    default:
      return new RuntimeError('conflict', 'no pending approval on this execution');
  }
}
