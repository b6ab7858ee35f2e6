import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client.ts';
import type { Usage } from '../../command.ts';
import { ClientCommand } from '../../connect.ts';
import { EXIT } from '../../failure.ts';
import { plain } from '../../terminal/text.ts';

export class AgentsActivateCommand extends ClientCommand {
  static override paths = [['agents', 'activate']];
  static override usage: Usage = {
    details: 'A registered or paused agent becomes active; a deactivated one must be registered again first.',
    examples: [['Let it be found and federated', '$0 agents activate research-agent']],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const moved = await client.agents.activate(this.id);
    if (this.json) this.printJson(moved);
    else this.print(`${this.paint.green('✓')} ${plain(moved.agent_id)} is ${moved.status}`);
    return EXIT.ok;
  }
}
