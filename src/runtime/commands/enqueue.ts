import type { NewWorkItem } from '../../../store/port/work-items.ts';
import { actorOf } from '../actor.ts';
import { RuntimeError } from '../errors.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, runCommand, sendCommand } from './command.ts';

export function enqueueCommand(context: CommandContext): Runtime['enqueue'] {
  const { clock, ids, quotas } = context;
  return (caller, { executionId, nodeId, queueType, payload }) =>
    runCommand(context, caller, { work: 'adds', texts: { values: { payload } } }, async () => {
      await quotas.mayStore(caller.tenantId);
      const createdAtMs = clock.nowMs();
      const workItem: NewWorkItem = {
        id: ids.workItem(createdAtMs),
        nodeId,
        // Belongs to no visit of a node. There is one attempt: an item whose lease expires is not handed out again.
        activation: 0,
        item: null,
        attempt: 0,
        maxAttempts: 1,
        queue: queueType,
        // A worker has a tool of the node's name for it.
        tool: nodeId,
        payload: JSON.stringify(payload),
        timeoutMs: null,
        createdAtMs,
      };
      const message = { type: 'enqueue', node: nodeId, queue: queueType } as const;
      const outcome = await sendCommand(context, caller, executionId, message, { actor: actorOf(caller), workItem });
      if (!('refused' in outcome)) return { workItemId: workItem.id };
      if (outcome.refused === 'unknown_node')
        throw new RuntimeError('bad_request', `execution ${executionId} has no node '${nodeId}'`);
      throw new RuntimeError('conflict', `execution ${executionId} has ended; it takes no more work`);
    });
}
