import type { AgentMoved, JamjetClient } from '../../../client.ts';
import type { Usage } from '../../command.ts';
import { MoveAgentCommand } from '../../move-agent.ts';

export class AgentsPauseCommand extends MoveAgentCommand {
  static override paths = [['agents', 'pause']];
  static override usage: Usage = {
    details: 'An active agent is paused: it is no longer federated until it is activated again.',
    examples: [['Take it out of service for a while', '$0 agents pause research-agent']],
  };

  protected move({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.pause(this.id);
  }
}
