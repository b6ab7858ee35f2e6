import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ClientCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { DEFAULT_URL } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { urlArgument } from '../../input/headers.ts';
import { plain } from '../../terminal/text.ts';
import { agentDetails } from '../../texts/agent.ts';
import { remoteCardText } from '../../texts/remote-card.ts';

/** Longest wait for the card. */
const TIMEOUT_MS = 10_000;

class AgentsDiscoverCommand extends ClientCommand {
  static override usage: Usage = {
    details: `
Reads the card of an agent: from /.well-known/agent.json or agent-card.json below the URL or on its host, or from the URL itself. This computer
reads it; with --register, the server does, and registers the agent. The server reaches private addresses only with
JAMJET_ALLOW_PRIVATE_ADDRESSES.`,
    examples: [
      ['Show what an agent can do', '$0 agents discover https://agents.example.com'],
      ['Register it', '$0 agents discover https://agents.example.com --register'],
    ],
  };

  url = Option.String({ name: 'url' });
  register = Option.Boolean('-r,--register', false, { description: 'Register the agent.' });
  override runtime = Option.String('--runtime', {
    description: `URL of the server (default: JAMJET_URL, else ${DEFAULT_URL}).`,
  });

  override async execute(): Promise<number> {
    if (this.register) return super.execute();
    const { readRemoteCard } = await import('../../../server/a2a-probe.ts');
    const found = await readRemoteCard(urlArgument(this.url), {}, AbortSignal.timeout(TIMEOUT_MS));
    if (this.json) this.printJson(found);
    else {
      this.print(remoteCardText(found, this.paint));
      this.note(`  Register it with: jamjet agents discover ${plain(this.url)} --register`);
    }
    return EXIT.ok;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const agent = await client.agents.discover(this.url);
    if (this.json) this.printJson(agent);
    else {
      const { paint } = this;
      this.print(`${paint.green('✓')} registered ${paint.bold(plain(agent.id))}\n\n${agentDetails(agent, Date.now(), paint)}`);
    }
    return EXIT.ok;
  }
}

export { AgentsDiscoverCommand as command };
