import { readFile } from 'node:fs/promises';
import type { Json } from '../../machines/json.ts';
import type { McpServerOptions, McpServers } from '../executors/mcp/endpoint.ts';
import type { NamedModel } from '../executors/model/settings.ts';
import { ConfigError, type Environment, type OperatorFile } from './config.ts';
import { namedModel } from './model-settings.ts';
import { InvalidValue } from './tenant-grants.ts';

/** What the operator sets in `jamjet.toml`. */
export interface OperatorSettings {
  readonly mcpServers: readonly OperatorMcpServer[];
  /** Models by the names that workflows use for them. */
  readonly models: Readonly<Record<string, NamedModel>>;
}

export interface OperatorMcpServer {
  readonly name: string;
  /** Null = every tenant may use it. */
  readonly tenants: readonly string[] | null;
  readonly options: McpServerOptions;
}

type Table = Readonly<Record<string, unknown>>;

const TRANSPORTS = ['stdio', 'streamable_http', 'http_sse'];
const SERVER_KEYS = ['transport', 'url', 'headers', 'command', 'args', 'env', 'tenants'];

/**
 * Reads the operator's file. Without one, nothing is set, unless JAMJET_CONFIG names it. `${NAME}` in a text stands for a variable,
 * so that the file need not hold secrets. Throws `ConfigError` with all problems found.
 */
export async function readOperatorFile({ path, isRequired, env }: OperatorFile): Promise<OperatorSettings> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !isRequired) return { mcpServers: [], models: {} };
    throw new ConfigError([`cannot read ${path}: ${code ?? String(error)}`]);
  }
  const { parse } = await import('smol-toml');
  let document: Table;
  try {
    document = parse(text);
  } catch (error) {
    throw new ConfigError([`${path}: ${String((error as Error).message).split('\n')[0]}`]);
  }
  const problems: string[] = [];
  const reader = new Reader(env, (problem) => problems.push(`${path}: ${problem}`));
  const settings = { mcpServers: reader.mcpServers(document), models: reader.models(document) };
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/** The MCP servers of a tenant, by name. */
export function mcpServersOf({ mcpServers }: Pick<OperatorSettings, 'mcpServers'>, tenantId: string): McpServers {
  const own = mcpServers.filter(({ tenants }) => tenants === null || tenants.includes(tenantId));
  return Object.fromEntries(own.map(({ name, options }) => [name, options]));
}

class Reader {
  readonly #env: Environment;
  readonly #report: (problem: string) => void;

  constructor(env: Environment, report: (problem: string) => void) {
    this.#env = env;
    this.#report = report;
  }

  mcpServers(document: Table): OperatorMcpServer[] {
    const servers = this.#table('mcp.servers', this.#table('mcp', document.mcp).servers);
    return Object.entries(servers).map(([name, raw]) => {
      const where = `mcp.servers.${name}`;
      const table = this.#table(where, raw);
      for (const key of Object.keys(table))
        if (!SERVER_KEYS.includes(key)) this.#report(`${where}.${key} is not a known key (${SERVER_KEYS.join(', ')})`);
      const transport = this.#text(`${where}.transport`, table.transport);
      if (transport !== undefined && !TRANSPORTS.includes(transport))
        this.#report(`${where}.transport must be one of ${TRANSPORTS.join(', ')}`);
      const url = this.#text(`${where}.url`, table.url);
      const command = this.#text(`${where}.command`, table.command);
      if ((url === undefined) === (command === undefined)) this.#report(`${where} must have either a url or a command`);
      else if (transport !== undefined && (transport === 'stdio') !== (command !== undefined))
        this.#report(`${where}.transport does not fit its ${command === undefined ? 'url' : 'command'}`);
      const options = {
        ...(transport === undefined ? {} : { transport: transport as 'stdio' | 'streamable_http' | 'http_sse' }),
        ...(url === undefined ? {} : { url }),
        ...(command === undefined ? {} : { command }),
        headers: this.#texts(`${where}.headers`, table.headers),
        args: this.#list(`${where}.args`, table.args),
        env: this.#texts(`${where}.env`, table.env),
      };
      return { name, tenants: table.tenants === undefined ? null : this.#list(`${where}.tenants`, table.tenants), options };
    });
  }

  /** `[models]`: by name, `"provider/model"` or a table as in `JAMJET_MODELS`. */
  models(document: Table): Readonly<Record<string, NamedModel>> {
    const entries = Object.entries(this.#table('models', document.models));
    return Object.fromEntries(
      entries.flatMap(([name, raw]) => {
        const where = `models.${name}`;
        const entry =
          typeof raw === 'string'
            ? raw
            : Object.fromEntries(
                Object.entries(this.#table(where, raw)).map(([key, value]) => [
                  key,
                  typeof value === 'string' ? this.#text(`${where}.${key}`, value) : value,
                ]),
              );
        try {
          return [[name, namedModel(name, entry as Json, this.#env)] as const];
        } catch (error) {
          if (!(error instanceof InvalidValue)) throw error;
          this.#report(`models: ${error.message}`);
          return [];
        }
      }),
    );
  }

  #table(where: string, value: unknown): Table {
    if (value === undefined) return {};
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table;
    this.#report(`${where} must be a table`);
    return {};
  }

  #texts(where: string, value: unknown): Record<string, string> {
    const entries = Object.entries(this.#table(where, value));
    return Object.fromEntries(entries.map(([key, text]) => [key, this.#text(`${where}.${key}`, text) ?? '']));
  }

  #list(where: string, value: unknown): string[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((item, index) => this.#text(`${where}[${index}]`, item) ?? '');
    this.#report(`${where} must be a list of texts`);
    return [];
  }

  #text(where: string, value: unknown): string | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'string') {
      this.#report(`${where} must be a text`);
      return undefined;
    }
    return value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const found = this.#env[name];
      if (found === undefined) this.#report(`${where} needs the variable ${name}, which is not set`);
      return found ?? '';
    });
  }
}
