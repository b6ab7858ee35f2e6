import { actorOf } from '../actor.ts';
import { RuntimeError } from '../errors.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endOf, runCommand } from './command.ts';

export function cancelCommand(context: CommandContext): Runtime['cancel'] {
  const { engine, executions } = context;
  return (caller, id, reason = 'user request') =>
    runCommand(context, caller, { work: 'reduces', texts: { names: { reason } }, executionId: id }, async () => {
      const outcome = await engine.send(id, { type: 'cancel', reason }, { actor: actorOf(caller), urgent: true });
      if (!('refused' in outcome)) return;
      const view = await executions.execution(caller.tenantId, id);
      throw new RuntimeError('already_terminal', `execution ${id} is already in terminal state: ${endOf(view)}`);
    });
}
