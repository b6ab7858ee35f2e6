import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

/** An MCP server that a command starts. */
export interface CommandServer {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The MCP servers with a command in the user's own documents. */
export function commandServers(documents: readonly JsonObject[]): Readonly<Record<string, CommandServer>> {
  const servers = documents.flatMap(({ mcp_servers }) => (isObject(mcp_servers) ? Object.entries(mcp_servers) : []));
  return Object.fromEntries(
    servers.flatMap(([name, raw]): [string, CommandServer][] => {
      const { transport = 'stdio', command, args, env } = isObject(raw) ? raw : {};
      if (transport !== 'stdio' || typeof command !== 'string') return [];
      return [[name, { command, args: texts(args), env: isObject(env) ? textValues(env) : {} }]];
    }),
  );
}

function texts(args: Json | undefined): string[] {
  return Array.isArray(args) ? args.map((arg: Json) => (typeof arg === 'string' ? arg : JSON.stringify(arg))) : [];
}

function textValues(env: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
}
