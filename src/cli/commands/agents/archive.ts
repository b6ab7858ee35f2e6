import type { AgentMoved, JamjetClient } from '../../../client/index.ts';
import { AgentStatusCommand } from '../../base/agent-status-command.ts';
import type { Usage } from '../../base/command.ts';

export class AgentsArchiveCommand extends AgentStatusCommand {
  static override paths = [['agents', 'archive']];
  static override usage: Usage = {
    details: 'A deactivated agent is archived. Registering it again brings it back.',
    examples: [['Put away one that is out of service', '$0 agents archive research-agent']],
  };

  protected changeStatus({ agents }: JamjetClient): Promise<AgentMoved> {
    return agents.archive(this.id);
  }
}
