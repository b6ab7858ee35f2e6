import type { Credential } from '../../../machines/ir/credential.ts';
import type { McpServer } from '../../../machines/ir/mcp-servers.ts';
import { withVariables } from '../../../machines/variables.ts';
import type { CredentialHeaders } from '../credentials.ts';
import { invalid } from '../http-content.ts';

/** An MCP server that the operator provides to workflows by its name: a URL, or a command that talks on its standard streams. */
export interface McpServerOptions {
  /** `http_sse`: streamable HTTP, else the older HTTP with SSE. Default: `stdio` with a command, else `http_sse`. */
  readonly transport?: 'stdio' | 'streamable_http' | 'http_sse';
  readonly url?: string;
  /** Sent with every request, such as credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly args?: readonly string[];
  /** Variables of the command, beside HOME, LOGNAME, PATH, SHELL, TERM and USER. */
  readonly env?: Readonly<Record<string, string>>;
}

/** MCP servers by the names that nodes call them by. */
export type McpServers = Readonly<Record<string, McpServerOptions>>;

export interface CommandEndpoint {
  readonly kind: 'command';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface HttpEndpoint {
  readonly kind: 'http';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The credential whose headers are still missing. */
  readonly auth?: Credential;
  /** Whether a server that refuses streamable HTTP is tried with SSE. */
  readonly sse: boolean;
  /** Named by the operator, so that it may be in a private network. */
  readonly trusted: boolean;
}

/** Where a server is, with its credentials. */
export type Endpoint = CommandEndpoint | HttpEndpoint;

/** The credentials of a server, which it may repeat in its errors: what its headers or variables hold, also without `Bearer`. */
export function secretsOf(endpoint: Endpoint): readonly string[] {
  const values = Object.values(endpoint.kind === 'command' ? endpoint.env : endpoint.headers);
  return values.flatMap((value) => [value, ...value.split(/\s+/).slice(1)]);
}

/** What a workflow and the operator say of MCP servers. */
export interface KnownServers {
  /** By the operator, to the tenant. */
  readonly provided: McpServers;
  /** The `mcp_servers` of the document. */
  readonly declared: Readonly<Record<string, McpServer>>;
  /** The variables that the operator has given to the tenant. */
  readonly vars: Readonly<Record<string, string>>;
}

/**
 * The server of this name: the operator's, else the document's. Throws `WorkError` `validation` if there is none, and for a command in a
 * document, which only the operator may name.
 */
export function endpointOf(name: string, { provided, declared, vars }: KnownServers): Endpoint {
  const server = Object.hasOwn(provided, name) ? provided[name] : undefined;
  if (server !== undefined) return providedEndpoint(name, server);
  const config = Object.hasOwn(declared, name) ? declared[name] : undefined;
  if (config === undefined)
    throw invalid(`there is no MCP server "${name}": declare its URL in mcp_servers, or let the operator add it to jamjet.toml`);
  if (config.url === undefined)
    throw invalid(`MCP server "${name}" is a command, which a document may not name: let the operator add it to jamjet.toml`);
  const url = withVariables(config.url, vars, (variable) => {
    throw missing(name, variable);
  });
  const auth = config.auth === undefined ? {} : { auth: config.auth };
  return { kind: 'http', url, headers: {}, ...auth, sse: config.transport === 'http_sse', trusted: false };
}

function providedEndpoint(name: string, server: McpServerOptions): Endpoint {
  const { transport, url, headers = {}, command, args = [], env = {} } = server;
  if (command !== undefined && (transport ?? 'stdio') === 'stdio') return { kind: 'command', command, args, env };
  if (url !== undefined && transport !== 'stdio')
    return { kind: 'http', url, headers, sse: transport !== 'streamable_http', trusted: true };
  throw invalid(`MCP server "${name}" of the operator has neither a URL nor a command`);
}

/** The endpoint with an access token in place of its credentials. A command has no use for one. */
export function withBearer(endpoint: Endpoint, token: string): Endpoint {
  if (endpoint.kind === 'command') return endpoint;
  const { auth: _, ...rest } = endpoint;
  const others = Object.entries(endpoint.headers).filter(([name]) => name.toLowerCase() !== 'authorization');
  return { ...rest, headers: { ...Object.fromEntries(others), authorization: `Bearer ${token}` } };
}

/** The endpoint with the headers of its credential. */
export function withCredential(endpoint: HttpEndpoint, { headers }: CredentialHeaders): HttpEndpoint {
  const { auth: _, ...rest } = endpoint;
  return { ...rest, headers: { ...rest.headers, ...headers } };
}

function missing(name: string, variable: string): Error {
  return invalid(`MCP server "${name}" needs the variable ${variable}, which JAMJET_WORKFLOW_ENV does not give to this tenant`);
}
