import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { integerArgument, jsonArgument } from '../../input/arguments.ts';
import { openTools } from '../../input/open-tools.ts';

class ToolsCallCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Calls a tool once, from this computer, and prints what it gives as JSON. Nothing is stored, and no policy applies. A tool of an MCP server is
named SERVER.TOOL.`,
    examples: [
      ['Call a function of a workflow file', `$0 tools call find_order workflow.yaml --input '{"number": "A-17"}'`],
      ['Call a function of a module', `$0 tools call find_order --tools ./tools.mjs --input @order.json`],
      ['Call a tool of an MCP server of jamjet.toml', `$0 tools call github.get_issue --input '{"number": 7}'`],
    ],
  };

  tool = Option.String({ name: 'name' });
  file = Option.String({ name: 'file', required: false });
  input = Option.String('-i,--input', '{}', { description: 'The arguments: JSON text, @file or - (default {}).' });
  tools = Option.String('--tools', { description: 'Module whose exported functions are tools.' });
  timeout = Option.String('--timeout', '60', { description: 'Seconds to wait at most (default 60).' });

  async execute(): Promise<number> {
    const seconds = integerArgument('--timeout', this.timeout, { min: 1, max: 86_400 });
    const input = await jsonArgument('--input', this.input, this.context);
    const box = await openTools(this.context, { file: this.file, module: this.tools });
    try {
      this.printJson(await box.call(this.tool, input, AbortSignal.timeout(seconds * 1000)));
      return EXIT.ok;
    } finally {
      await box.close();
    }
  }
}

export { ToolsCallCommand as command };
