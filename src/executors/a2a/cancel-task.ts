import type { Abandoned } from '../executor.ts';
import { Conversation } from './conversation.ts';
import type { AgentAccess } from './remote-agents.ts';

/** Asks the agent to stop the task of a visit that has ended without a result. */
export async function cancelTask({ progress, tenantId, errorClass, signal }: Abandoned, access: AgentAccess): Promise<void> {
  const begun = progress.remote_task_started;
  if (begun === undefined || errorClass?.startsWith('task_') === true) return;
  const { agents } = access;
  const address = await agents.locate(String(begun.agent), { ...access, tenantId }, signal);
  const agent = await agents.reach(address, signal);
  const onTask = async (): Promise<void> => {};
  const conversation = await Conversation.open({
    agent,
    outbound: agents.outbound,
    signal,
    isLastAttempt: true,
    stream: false,
    onTask,
  });
  await conversation.cancel(String(begun.task_id));
}
