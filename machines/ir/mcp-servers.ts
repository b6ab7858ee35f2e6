import { type Static, Type } from 'typebox';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { variablesIn } from '../variables.ts';

const TRANSPORTS = ['stdio', 'streamable_http', 'http_sse'] as const;

export const McpAuth = Type.Union(
  [
    Type.Object({
      type: Type.Literal('bearer', { description: 'Sent as `Authorization: Bearer …`.' }),
      token_env: Type.String({ description: 'Variable with the token.' }),
    }),
    Type.Object({
      type: Type.Literal('api_key', { description: 'Sent as a header of its own.' }),
      header: Type.String({ description: 'Name of the header.' }),
      key_env: Type.String({ description: 'Variable with the key.' }),
    }),
  ],
  { description: 'The credential that is sent to the server: a variable that the operator has given to the tenant.' },
);
export type McpAuth = Static<typeof McpAuth>;

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
    auth: Type.Optional(McpAuth),
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
  const auth = readAuth(fields);
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

function readAuth(fields: Fields): McpAuth | undefined {
  const raw: JsonObject | undefined = fields.object('auth');
  if (raw === undefined) return undefined;
  const auth = fields.inside('auth', raw);
  const type = auth.oneOf(['type'], ['bearer', 'api_key', 'oauth2'] as const);
  if (type === 'bearer') return { type, token_env: auth.requiredText('token_env') };
  if (type === 'api_key') return { type, header: auth.requiredText('header'), key_env: auth.requiredText('key_env') };
  if (type === undefined && raw.type === undefined) auth.error('missing_key', 'type', 'is required');
  if (type === 'oauth2')
    auth.error('not_available', 'type', '"oauth2" is not available for MCP servers in this runtime yet', 'use a bearer token');
  return undefined;
}
