import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { consoleLink } from '../connection/console-link.ts';
import { EXIT } from '../failure.ts';
import { openInBrowser } from '../terminal/open.ts';

class ConsoleCommand extends ClientCommand {
  static override usage: Usage = {
    details: `
The console is the server's page for browsers. The link signs in with the rights of your token, for 12 hours. It works once, and only
within five minutes: print another one for another browser.`,
    examples: [
      ['Print a link to the console', '$0 console'],
      ['Open the console in the browser', '$0 console --open'],
      ['Open the console of another server', '$0 console --open --runtime https://flows.example'],
    ],
  };

  open = Option.Boolean('--open', false, { description: 'Open the link in the default browser.' });

  protected async request(client: JamjetClient): Promise<number> {
    const link = await consoleLink(client);
    if (this.json) this.printJson(link);
    else this.print(link.url);
    const problem = this.open ? await openInBrowser(link.url, this.context) : null;
    if (problem !== null) this.warn(`cannot open a browser: ${problem}; open the link yourself`);
    else if (!this.json)
      this.note(link.expires_at === null ? 'authentication is off: no sign-in is needed' : 'signs in once, within five minutes');
    return EXIT.ok;
  }
}

export { ConsoleCommand as command };
