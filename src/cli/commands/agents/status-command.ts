import { type CommandClass, Option } from 'clipanion';
import type { AgentStatusChange, JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { requestCommand } from '../../base/request-command.ts';
import type { Context } from '../../context.ts';
import { plain } from '../../terminal/text.ts';

type Transition = 'activate' | 'pause' | 'deactivate' | 'archive';

/** A command that changes the status of an agent. */
export function agentStatusCommand(transition: Transition, usage: Usage): CommandClass<Context> {
  return requestCommand({
    usage,
    options: () => ({ id: Option.String({ name: 'id' }) }),
    call: ({ agents }: JamjetClient, { id }): Promise<AgentStatusChange> => agents[transition](id),
    text: ({ agent_id, status }, { paint }) => `${paint.green('✓')} ${plain(agent_id)} is ${status}`,
  });
}
