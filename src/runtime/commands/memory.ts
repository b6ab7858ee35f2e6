import { actorOf } from '../actor.ts';
import type { BuiltInMemory } from '../memory/built-in.ts';
import type { Caller } from '../types/caller.ts';
import type { RuntimeMemory } from '../types/memory.ts';
import { type CommandContext, runCommand } from './command.ts';

export function memoryCommands(context: CommandContext, memory: BuiltInMemory): RuntimeMemory {
  const { quotas, runtimeId, stopping } = context;
  return {
    add: (caller, namespace, items) =>
      runCommand(context, caller, { work: 'adds' }, async () => {
        await quotas.assertActive(caller.tenantId);
        return memory.add(writerOf(caller), namespace, items);
      }),
    remove: (caller, namespace, id) =>
      runCommand(context, caller, { work: 'reduces' }, () => memory.remove(writerOf(caller), namespace, id ?? null)),
    removeExpired: () => memory.removeExpired({ actorId: runtimeId, actorType: 'system', request: null }, stopping),
    search: memory.search.bind(memory),
    get: memory.get.bind(memory),
    items: memory.items.bind(memory),
    namespaces: memory.namespaces.bind(memory),
  };
}

function writerOf(caller: Caller) {
  const { actorId, actorType, request } = actorOf(caller);
  return { tenantId: caller.tenantId, actorId, actorType, request };
}
