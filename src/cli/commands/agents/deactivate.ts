import type { AgentMoved, JamjetClient } from '../../../client/index.ts';
import { AgentStatusCommand } from '../../base/agent-status-command.ts';
import type { Usage } from '../../base/command.ts';

export class AgentsDeactivateCommand extends AgentStatusCommand {
  static override paths = [['agents', 'deactivate']];
  static override usage: Usage = {
    details: 'It is no longer federated. Registering it again brings it back.',
    examples: [['Take it out of service', '$0 agents deactivate research-agent']],
  };

  protected changeStatus({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.deactivate(this.id);
  }
}
