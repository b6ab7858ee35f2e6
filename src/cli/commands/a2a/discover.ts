import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { integerArgument } from '../../input/arguments.ts';
import { headersArgument, urlArgument } from '../../input/headers.ts';
import { remoteCardText } from '../../texts/remote-card.ts';

class A2aDiscoverCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Reads the card of an A2A agent from this computer: from /.well-known/agent.json or agent-card.json below the URL or on its host, or from the URL
itself.`,
    examples: [
      ['Show what an agent can do', '$0 a2a discover https://agents.example.com'],
      ['Send a credential', '$0 a2a discover https://agents.example.com -H "Authorization: Bearer $TOKEN"'],
    ],
  };

  url = Option.String({ name: 'url' });
  header = Option.Array('-H,--header', [], { description: 'A header that is sent with the request, as "Name: value".' });
  timeout = Option.String('--timeout', '10', { description: 'Seconds to wait at most (default 10).' });

  async execute(): Promise<number> {
    const seconds = integerArgument('--timeout', this.timeout, { min: 1, max: 600 });
    const url = urlArgument(this.url);
    const headers = headersArgument(this.header);
    const { readRemoteCard } = await import('../../../server/a2a-probe.ts');
    const found = await readRemoteCard(url, headers, AbortSignal.timeout(seconds * 1000));
    if (this.json) this.printJson(found);
    else this.print(remoteCardText(found, this.paint));
    return EXIT.ok;
  }
}

export { A2aDiscoverCommand as command };
