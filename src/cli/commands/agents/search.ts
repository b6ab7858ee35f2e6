import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ReadOnlyCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { agentTable } from '../../texts/agent.ts';

export class AgentsSearchCommand extends ReadOnlyCommand {
  static override paths = [['agents', 'search']];
  static override usage: Usage = {
    details: 'An agent must have all of the skills. Case does not count.',
    examples: [
      ['Agents that can do both', '$0 agents search research summarize'],
      ['Of one trust domain (the label trust_domain of their cards)', '$0 agents search research --trust-domain acme'],
    ],
  };

  skills = Option.Rest({ name: 'skill' });
  trustDomain = Option.String('--trust-domain', { description: 'Only agents of this trust domain.' });

  protected async request(client: JamjetClient): Promise<number> {
    const found = await client.agents.search({
      ...(this.skills.length === 0 ? {} : { skills: this.skills.join(',') }),
      ...(this.trustDomain === undefined ? {} : { trust_domain: this.trustDomain }),
    });
    if (this.json) this.printJson(found);
    else if (found.agents.length === 0) this.note('no agent has all of that');
    else this.print(agentTable(found.agents, Date.now(), this.paint));
    return EXIT.ok;
  }
}
