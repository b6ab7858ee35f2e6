import { McpConnection } from '../executors/mcp/connection.ts';
import type { Endpoint } from '../executors/mcp/endpoint.ts';
import { Outbound } from '../executors/outbound/index.ts';

export interface McpServerTools {
  readonly name: string;
  readonly version: string;
  readonly tools: readonly { readonly name: string; readonly description: string; readonly arguments: readonly string[] }[];
}

/** Connects to an MCP server from this computer and lists its tools. Rejects with `WorkError`. */
export async function listMcpTools(
  server: { readonly url: string } | { readonly command: string; readonly args: readonly string[] },
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<McpServerTools> {
  const endpoint: Endpoint =
    'url' in server
      ? { kind: 'http', url: server.url, headers, sse: true, trusted: true }
      : { kind: 'command', command: server.command, args: server.args, env: {} };
  const outbound = new Outbound({ allowPrivateAddresses: true });
  const name = 'url' in server ? server.url : server.command;
  const connection = await McpConnection.open({ server: name, endpoint, outbound, signal });
  try {
    const tools = await connection.allTools(signal);
    return {
      ...connection.info,
      tools: tools.map((tool) => ({ name: tool.name, description: tool.description ?? '', arguments: argumentsOf(tool) })),
    };
  } finally {
    await connection.close();
  }
}

/** The names of the arguments; optional ones end with `?`. */
function argumentsOf({
  inputSchema,
}: {
  readonly inputSchema: { properties?: object | undefined; required?: string[] | undefined };
}): string[] {
  const required = new Set(inputSchema.required);
  return Object.keys(inputSchema.properties ?? {}).map((name) => (required.has(name) ? name : `${name}?`));
}
