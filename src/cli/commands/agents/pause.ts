import type { AgentMoved, JamjetClient } from '../../../client/index.ts';
import { AgentStatusCommand } from '../../base/agent-status-command.ts';
import type { Usage } from '../../base/command.ts';

export class AgentsPauseCommand extends AgentStatusCommand {
  static override paths = [['agents', 'pause']];
  static override usage: Usage = {
    details: 'An active agent is paused: it is no longer federated until it is activated again.',
    examples: [['Take it out of service for a while', '$0 agents pause research-agent']],
  };

  protected changeStatus({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.pause(this.id);
  }
}
