import { Option } from 'clipanion';
import type { AgentMoved, JamjetClient } from '../client.ts';
import { ClientCommand } from './connect.ts';
import { EXIT } from './failure.ts';
import { plain } from './terminal/text.ts';

/** A command that takes an agent from one status to another. */
export abstract class MoveAgentCommand extends ClientCommand {
  id = Option.String({ name: 'id' });

  protected abstract move(client: JamjetClient): Promise<AgentMoved>;

  protected async request(client: JamjetClient): Promise<number> {
    const moved = await this.move(client);
    if (this.json) this.printJson(moved);
    else this.print(`${this.paint.green('✓')} ${plain(moved.agent_id)} is ${moved.status}`);
    return EXIT.ok;
  }
}
