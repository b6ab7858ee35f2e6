import type { Static } from 'typebox';
import { isObject, type Json } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { Type } from '../type.ts';
import { variablesIn } from '../variables.ts';
import { Credential, readCredential } from './credential.ts';

const TRANSPORTS = ['stdio', 'streamable_http', 'http_sse'] as const;

/** In normal form. */
export const McpServer = Type.Object(
  {
    transport: Type.Enum(TRANSPORTS, {
      description: '`http_sse`: streamable HTTP, else the older HTTP with SSE. Default: `stdio` with a command, else `http_sse`.',
    }),
    url: Type.Optional(
      Type.String({
        description: `URL of the server. \`$\{NAME}\` stands for a variable that the operator has given to the tenant.`,
      }),
    ),
    auth: Type.Optional(Credential),
    command: Type.Optional(
      Type.String({ description: '`stdio`: the command that starts the server. Only runtimes in a process of yours run it.' }),
    ),
    args: Type.Array(Type.String(), { description: '`stdio`: arguments of the command. Default: none.' }),
    env: Type.Record(Type.String(), Type.String(), { description: '`stdio`: variables of the command. Default: none.' }),
  },
  { description: 'An MCP server that `mcp_tool` nodes call by its name.' },
);
export type McpServer = Static<typeof McpServer>;

/** The servers that nodes call. Entries that no node calls are not read, because several workflows may share a catalog. */
export function readMcpServers(fields: Fields, called: ReadonlySet<string>): Record<string, McpServer> {
  const servers = fields.object('mcp_servers') ?? {};
  const read = fields.inside('mcp_servers', servers);
  return Object.fromEntries(
    Object.entries(servers).flatMap(([name, raw]): [string, McpServer][] => {
      if (!called.has(name)) return [];
      const server = readServer(read, name, raw);
      return server === null ? [] : [[name, server]];
    }),
  );
}

function readServer(servers: Fields, name: string, raw: Json): McpServer | null {
  if (!isObject(raw)) {
    servers.error('wrong_type', name, 'must be an object {transport, url} or {transport, command, args}');
    return null;
  }
  const fields = servers.inside(name, raw);
  if (raw.transport === 'web_socket') {
    fields.error('not_available', 'transport', '"web_socket" is not available in this runtime', 'write streamable_http');
    return null;
  }
  const hasCommand = fields.text('command') !== undefined;
  const transport = fields.oneOf(['transport'], TRANSPORTS) ?? (hasCommand ? 'stdio' : 'http_sse');
  const auth = readCredential(fields);
  const stdio = transport === 'stdio';
  return {
    transport,
    ...(stdio ? { command: fields.requiredText('command') } : { url: readUrl(fields), ...optional('auth', auth) }),
    args: (fields.list('args') ?? []).map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
    env: fields.labels('env'),
  };
}

function readUrl(fields: Fields): string {
  const url = fields.requiredText('url');
  // What a variable stands for is known when the server is called.
  const isKnown = variablesIn(url).length === 0;
  if (isKnown && url !== '' && !/^https?:\/\/[^\s/]/i.test(url))
    fields.error('bad_url', 'url', 'must be an http:// or https:// URL');
  return url;
}
