import type { AgentMoved, JamjetClient } from '../../../client.ts';
import type { Usage } from '../../command.ts';
import { MoveAgentCommand } from '../../move-agent.ts';

export class AgentsArchiveCommand extends MoveAgentCommand {
  static override paths = [['agents', 'archive']];
  static override usage: Usage = {
    details: 'A deactivated agent is archived. Registering it again brings it back.',
    examples: [['Put away one that is out of service', '$0 agents archive research-agent']],
  };

  protected move({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.archive(this.id);
  }
}
