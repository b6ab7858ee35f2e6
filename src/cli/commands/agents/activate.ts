import type { AgentMoved, JamjetClient } from '../../../client.ts';
import type { Usage } from '../../command.ts';
import { MoveAgentCommand } from '../../move-agent.ts';

export class AgentsActivateCommand extends MoveAgentCommand {
  static override paths = [['agents', 'activate']];
  static override usage: Usage = {
    details: 'A registered or paused agent becomes active; a deactivated one must be registered again first.',
    examples: [['Let it be found and federated', '$0 agents activate research-agent']],
  };

  protected move({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.activate(this.id);
  }
}
