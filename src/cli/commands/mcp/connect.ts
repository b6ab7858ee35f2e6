import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { integerArgument } from '../../input/arguments.ts';
import { headersArgument } from '../../input/headers.ts';
import { table } from '../../terminal/table.ts';
import { count, plain } from '../../terminal/text.ts';

const STDIO = 'stdio:';

class McpConnectCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Connects from this computer, and lists the tools that mcp_tool nodes can call. A URL without a path is tried with the path /mcp. A command
is split at its spaces and started without a shell.`,
    examples: [
      ['List the tools of a server', '$0 mcp connect https://mcp.example.com/mcp'],
      ['Send a credential', '$0 mcp connect https://mcp.example.com/mcp -H "Authorization: Bearer $TOKEN"'],
      ['Start a server on standard streams', '$0 mcp connect "stdio:npx -y @modelcontextprotocol/server-everything"'],
    ],
  };

  server = Option.String({ name: 'url' });
  header = Option.Array('-H,--header', [], { description: 'A header that is sent with every request, as "Name: value".' });
  timeout = Option.String('--timeout', '10', { description: 'Seconds to wait at most (default 10).' });

  async execute(): Promise<number> {
    const seconds = integerArgument('--timeout', this.timeout, { min: 1, max: 600 });
    const server = this.#target();
    const headers = headersArgument(this.header);
    const { listMcpTools } = await import('../../../server/mcp-probe.ts');
    const found = await listMcpTools(server, headers, AbortSignal.timeout(seconds * 1000));
    if (this.json) {
      this.printJson(found);
      return EXIT.ok;
    }
    const { paint } = this;
    this.print(`${paint.bold(plain(found.name))} ${plain(found.version)}, ${count(found.tools.length, 'tool')}`);
    const rows = found.tools.map((tool) => [
      plain(tool.name),
      plain(tool.arguments.join(' ')),
      plain(tool.description.trim().split('\n')[0] ?? ''),
    ]);
    if (rows.length > 0)
      this.print(`\n${table([{ title: 'tool' }, { title: 'arguments' }, { title: 'description' }], rows, paint)}`);
    return EXIT.ok;
  }

  #target(): { readonly url: string } | { readonly command: string; readonly args: readonly string[] } {
    if (this.server.startsWith(STDIO)) {
      const [command, ...args] = this.server
        .slice(STDIO.length)
        .split(/\s+/)
        .filter((word) => word !== '');
      if (command === undefined) throw usageFailure('there is no command after stdio:');
      return { command, args };
    }
    const url = URL.canParse(this.server) ? new URL(this.server) : null;
    if (url === null || !/^https?:$/.test(url.protocol))
      throw usageFailure(`give an http:// or https:// URL, or stdio:COMMAND, not ${JSON.stringify(this.server)}`);
    return { url: url.pathname === '/' ? new URL('/mcp', url).href : url.href };
  }
}

export { McpConnectCommand as command };
