import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ReadOnlyCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { agentDetails } from '../../texts/agent.ts';

export class AgentsInspectCommand extends ReadOnlyCommand {
  static override paths = [['agents', 'inspect']];
  static override usage: Usage = {
    examples: [
      ['What it can do and where it is', '$0 agents inspect research-agent'],
      ['The whole card', '$0 agents inspect research-agent --json | jq .card'],
    ],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const agent = await client.agents.get(this.id);
    if (this.json) this.printJson(agent);
    else this.print(agentDetails(agent, Date.now(), this.paint));
    return EXIT.ok;
  }
}
