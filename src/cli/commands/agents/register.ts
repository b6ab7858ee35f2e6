import { Option } from 'clipanion';
import { isObject } from '../../../../machines/json.ts';
import type { AgentCardInput, JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { jsonArgument } from '../../input/arguments.ts';
import { plain } from '../../terminal/text.ts';

export class AgentsRegisterCommand extends ClientCommand {
  static override paths = [['agents', 'register']];
  static override usage: Usage = {
    details: 'The card is a JSON file, or - for standard input. An id that is registered already gets the new card.',
    examples: [
      ['From a file', '$0 agents register card.json'],
      ['From another program', './describe-agent | $0 agents register -'],
    ],
  };

  card = Option.String({ name: 'card' });

  protected async request(client: JamjetClient): Promise<number> {
    const text = this.card === '-' || this.card.startsWith('@') ? this.card : `@${this.card}`;
    const card = await jsonArgument('CARD', text, this.context);
    if (!isObject(card)) throw usageFailure(`${this.card} is not an agent card: a card is a JSON object`);
    // The server says what is missing in it.
    const agent = await client.agents.register(card as AgentCardInput);
    if (this.json) this.printJson(agent);
    else {
      const { green, bold, dim } = this.paint;
      this.print(`${green('✓')} ${bold(plain(agent.id))} ${agent.status}  ${dim(plain(agent.uri))}`);
      if (agent.status === 'registered') this.note(`  jamjet agents activate ${plain(agent.id)} makes it active`);
    }
    return EXIT.ok;
  }
}
