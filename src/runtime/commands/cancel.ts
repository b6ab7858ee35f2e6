import { actorOf } from '../actor.ts';
import { RuntimeError } from '../errors.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endOf, runCommand, sendCommand } from './command.ts';

export function cancelCommand(context: CommandContext): Runtime['cancel'] {
  return (caller, id, reason = 'user request') =>
    runCommand(context, caller, { work: 'reduces', texts: { names: { reason } } }, async () => {
      const outcome = await sendCommand(
        context,
        caller,
        id,
        { type: 'cancel', reason },
        { actor: actorOf(caller), urgent: true },
      );
      if (!('refused' in outcome)) return;
      const view = await context.executions.execution(caller.tenantId, id);
      throw new RuntimeError('already_terminal', `execution ${id} is already in terminal state: ${endOf(view)}`);
    });
}
