import { Option } from 'clipanion';
import type { AgentMoved, JamjetClient } from '../../client/index.ts';
import { ClientCommand } from '../connection/connect.ts';
import { EXIT } from '../failure.ts';
import { plain } from '../terminal/text.ts';

/** A command that takes an agent from one status to another. */
export abstract class AgentStatusCommand extends ClientCommand {
  id = Option.String({ name: 'id' });

  protected abstract changeStatus(client: JamjetClient): Promise<AgentMoved>;

  protected async request(client: JamjetClient): Promise<number> {
    const moved = await this.changeStatus(client);
    if (this.json) this.printJson(moved);
    else this.print(`${this.paint.green('✓')} ${plain(moved.agent_id)} is ${moved.status}`);
    return EXIT.ok;
  }
}
