import type { AgentMoved, JamjetClient } from '../../../client.ts';
import type { Usage } from '../../command.ts';
import { MoveAgentCommand } from '../../move-agent.ts';

export class AgentsDeactivateCommand extends MoveAgentCommand {
  static override paths = [['agents', 'deactivate']];
  static override usage: Usage = {
    details: 'It is no longer federated. Registering it again brings it back.',
    examples: [['Take it out of service', '$0 agents deactivate research-agent']],
  };

  protected move({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.deactivate(this.id);
  }
}
