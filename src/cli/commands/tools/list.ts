import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { integerArgument } from '../../input/arguments.ts';
import { openTools } from '../../input/open-tools.ts';
import { table } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';

class ToolsListCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
The tools of a workflow file, of a module (--tools), and of the MCP servers that the file or jamjet.toml names. Fails if a server cannot be
reached; the tools of the others are listed all the same.`,
    examples: [
      ['List the tools of a workflow file', '$0 tools list workflow.yaml'],
      ['List the functions of a module', '$0 tools list --tools ./tools.mjs'],
      ['List the tools of the MCP servers of jamjet.toml', '$0 tools list'],
    ],
  };

  file = Option.String({ name: 'file', required: false });
  tools = Option.String('--tools', { description: 'Module whose exported functions are tools.' });
  timeout = Option.String('--timeout', '10', { description: 'Seconds to wait for servers at most (default 10).' });

  async execute(): Promise<number> {
    const seconds = integerArgument('--timeout', this.timeout, { min: 1, max: 600 });
    const box = await openTools(this.context, { file: this.file, module: this.tools });
    let reached = true;
    try {
      const entries = await box.list(AbortSignal.timeout(seconds * 1000), (server, error) => {
        reached = false;
        this.warn(`MCP server ${plain(server)}: ${plain(error instanceof Error ? error.message : String(error))}`);
      });
      if (this.json) this.printJson(entries);
      else if (entries.length === 0) this.print('no tools');
      else {
        const columns = ['tool', 'kind', 'arguments', 'description'].map((title) => ({ title }));
        const rows = entries.map((entry) => [
          plain(entry.name),
          plain(entry.kind),
          plain(entry.arguments.join(' ')),
          plain((entry.description || entry.from).trim().split('\n')[0] ?? ''),
        ]);
        this.print(table(columns, rows, this.paint));
      }
    } finally {
      await box.close();
    }
    return reached ? EXIT.ok : EXIT.failed;
  }
}

export { ToolsListCommand as command };
