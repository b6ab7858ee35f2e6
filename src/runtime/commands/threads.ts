import { actorOf } from '../actor.ts';
import type { Threads } from '../threads/threads.ts';
import type { Caller } from '../types/caller.ts';
import type { RuntimeThreads } from '../types/threads.ts';
import { type CommandContext, runCommand } from './command.ts';

export function threadCommands(context: CommandContext, threads: Threads): RuntimeThreads {
  const { quotas } = context;
  return {
    append: (caller, id, messages) =>
      runCommand(context, caller, { work: 'adds' }, async () => {
        await quotas.assertActive(caller.tenantId);
        return threads.append(writerOf(caller), id, messages);
      }),
    remove: (caller, id) => runCommand(context, caller, { work: 'reduces' }, () => threads.remove(writerOf(caller), id)),
    list: threads.list.bind(threads),
    get: threads.get.bind(threads),
    messages: threads.messages.bind(threads),
  };
}

function writerOf(caller: Caller) {
  const { actorId, actorType, request } = actorOf(caller);
  return { tenantId: caller.tenantId, actorId, actorType, request };
}
