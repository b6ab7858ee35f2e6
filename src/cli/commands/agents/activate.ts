import type { AgentMoved, JamjetClient } from '../../../client/index.ts';
import { AgentStatusCommand } from '../../base/agent-status-command.ts';
import type { Usage } from '../../base/command.ts';

export class AgentsActivateCommand extends AgentStatusCommand {
  static override paths = [['agents', 'activate']];
  static override usage: Usage = {
    details: 'A registered or paused agent becomes active; a deactivated one must be registered again first.',
    examples: [['Let it be found and federated', '$0 agents activate research-agent']],
  };

  protected changeStatus({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.activate(this.id);
  }
}
