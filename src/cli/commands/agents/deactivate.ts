import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client.ts';
import type { Usage } from '../../command.ts';
import { ClientCommand } from '../../connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class AgentsDeactivateCommand extends ClientCommand {
  static override paths = [['agents', 'deactivate']];
  static override usage: Usage = {
    details: 'It is no longer federated. Registering it again brings it back.',
    examples: [['Take it out of service', '$0 agents deactivate research-agent']],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const moved = await client.agents.deactivate(this.id);
    if (this.json) this.printJson(moved);
    else this.print(`${this.paint.green('✓')} ${plain(moved.agent_id)} is ${moved.status}`);
    return EXIT.ok;
  }
}
