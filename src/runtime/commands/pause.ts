import { actorOf } from '../actor.ts';
import { RuntimeError } from '../errors.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endedError, runCommand, sendCommand } from './command.ts';

export function pauseCommand(context: CommandContext): Runtime['pause'] {
  return (caller, id, reason) =>
    runCommand(context, caller, { work: 'reduces', texts: { names: { reason } } }, async () => {
      const message = { type: 'pause', reason: reason ?? null } as const;
      const outcome = await sendCommand(context, caller, id, message, { actor: actorOf(caller), urgent: true });
      if (!('refused' in outcome)) return;
      if (outcome.refused === 'already_suspended') throw new RuntimeError('conflict', `execution ${id} is paused already`);
      throw await endedError(context, caller, id);
    });
}
