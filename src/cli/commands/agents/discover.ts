import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';
import { agentDetails } from '../../texts/agent.ts';

export class AgentsDiscoverCommand extends ClientCommand {
  static override paths = [['agents', 'discover']];
  static override usage: Usage = {
    details: `The runtime, not this computer, fetches the card: from /.well-known/agent.json or agent-card.json below the URL, or from the URL
itself. It reaches private addresses only where JAMJET_ALLOW_PRIVATE_ADDRESSES lets it.`,
    examples: [['By its address', '$0 agents discover https://agents.example.com']],
  };

  url = Option.String({ name: 'url' });

  protected async request(client: JamjetClient): Promise<number> {
    const agent = await client.agents.discover(this.url);
    if (this.json) this.printJson(agent);
    else {
      this.print(`${this.paint.green('✓')} discovered ${this.paint.bold(plain(agent.id))}\n`);
      this.print(agentDetails(agent, Date.now(), this.paint));
    }
    return EXIT.ok;
  }
}
