import { randomUUID } from 'node:crypto';
import type { McpServer } from '../../machines/ir/mcp-servers.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import type { ToolConfig } from '../../machines/ir/workflow.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { toolDescription } from '../builder/tool.ts';
import { type Executor, WorkError } from '../executors/executor.ts';
import { functionExecutor } from '../executors/function.ts';
import { httpToolExecutor } from '../executors/http-tool.ts';
import { McpConnections } from '../executors/mcp/connections.ts';
import type { McpServers } from '../executors/mcp/endpoint.ts';
import { mcpToolExecutor } from '../executors/mcp-tool.ts';
import { Outbound } from '../executors/outbound/index.ts';
import { nextProgress } from '../executors/tool-context/progress.ts';
import type { ReportedUsage } from '../executors/tool-context/reported-usage.ts';
import { type ToolLogFields, type ToolLogLevel, toolLog } from '../executors/tool-context/tool-log.ts';
import { UsageMeter } from '../executors/tool-context/usage-meter.ts';
import type { Tools } from '../runtime/types/work.ts';
import type { Config } from './config.ts';
import { mcpServersOf, readOperatorFile } from './operator-file.ts';
import { varsOf } from './tenant-grants.ts';

const TENANT = 'default';

/** Where tools come from, for `jamjet tools`. */
export interface ToolSources {
  readonly config: Config;
  /** Functions of a module, and those that the workflow file names. */
  readonly functions: Tools;
  /** The documents of the workflow file. */
  readonly documents: readonly JsonObject[];
  /** MCP servers that the workflow file starts by a command. */
  readonly commandServers: McpServers;
  /** Who calls, for the context of functions. */
  readonly actor: string;
  /** Takes what functions log. */
  readonly onLog: (level: ToolLogLevel, message: string, fields: ToolLogFields) => void;
}

export interface ToolEntry {
  /** As `call` takes it; `server.tool` for a tool of an MCP server. */
  readonly name: string;
  readonly kind: string;
  /** The MCP server, URL or function behind it; '' = a function of this process. */
  readonly from: string;
  readonly description: string;
  /** Names of its arguments; optional ones end with `?`. Empty = unknown. */
  readonly arguments: readonly string[];
}

/** The tools of a workflow file, of a module, and of the MCP servers that the file or the operator provides; called from this computer. */
export class ToolBox {
  readonly #sources: ToolSources;
  readonly #provided: McpServers;
  readonly #declaredServers: Readonly<Record<string, McpServer>>;
  readonly #catalog: Readonly<Record<string, ToolConfig>>;
  readonly #connections: McpConnections;
  readonly #outbound = new Outbound({ allowPrivateAddresses: true });

  static async open(sources: ToolSources): Promise<ToolBox> {
    const operator = await readOperatorFile(sources.config.operatorFile);
    return new ToolBox(sources, { ...sources.commandServers, ...mcpServersOf(operator, TENANT) });
  }

  private constructor(sources: ToolSources, provided: McpServers) {
    this.#sources = sources;
    this.#provided = provided;
    const workflows = sources.documents.map((document) => normalise(document).workflow);
    this.#declaredServers = Object.assign({}, ...workflows.map(({ mcp_servers }) => mcp_servers));
    this.#catalog = Object.assign({}, ...workflows.map(({ tools }) => tools));
    this.#connections = new McpConnections({ serversOf: () => provided, outbound: this.#outbound });
  }

  /** Tools of servers that cannot be reached are missing; `onProblem` is told why. */
  async list(signal: AbortSignal, onProblem: (server: string, error: unknown) => void): Promise<readonly ToolEntry[]> {
    const entries: ToolEntry[] = Object.keys(this.#sources.functions).map((name) => this.#entry(name, 'function', ''));
    for (const [name, { kind, reference }] of Object.entries(this.#catalog))
      if (!Object.hasOwn(this.#sources.functions, name)) entries.push(this.#entry(name, kind, reference));
    for (const server of this.#servers()) {
      try {
        const tools = await this.#connections.use(this.#serverCall(server, signal), (connection) => connection.allTools(signal));
        for (const { name, description = '', inputSchema } of tools)
          entries.push({
            name: `${server}.${name}`,
            kind: 'mcp',
            from: server,
            description,
            arguments: argumentsIn(inputSchema as Json),
          });
      } catch (error) {
        onProblem(server, error);
      }
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Calls a tool once. Throws `UnknownTool` if there is none of that name. */
  async call(name: string, input: Json, signal: AbortSignal): Promise<Json> {
    const executor = this.#executorOf(name);
    const work = {
      node: name,
      activation: 1,
      attempt: 0,
      maxAttempts: 1,
      timeoutSecs: null,
      input,
      inputErrors: [],
      progress: {},
      state: {},
      payload: {},
    };
    const id = randomUUID();
    const context = {
      signal,
      tenantId: TENANT,
      executionId: `call_${id}`,
      nodeId: name,
      attempt: 0,
      idempotencyKey: id,
      startedBy: { actorId: this.#sources.actor, actorType: 'human' as const },
      labels: {},
      memory: NO_MEMORY,
      // Checked as in an execution, though nothing counts or shows them.
      reportUsage: (usage: ReportedUsage) => new UsageMeter().add(usage),
      progress: (progress: number | string) => void nextProgress(null, progress),
      log: toolLog((level, message, fields) => this.#sources.onLog(level, message, fields)),
      heartbeat: async () => signal.throwIfAborted(),
    };
    try {
      return (await Promise.race([executor(work, context), rejectedAt(signal)])).output;
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  #executorOf(name: string): Executor {
    const { functions, config } = this.#sources;
    const local = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (local !== undefined) return functionExecutor(local);
    const declared = Object.hasOwn(this.#catalog, name) ? this.#catalog[name] : undefined;
    if (declared?.kind === 'http') return httpToolExecutor(this.#outbound, declared.reference);
    if (declared !== undefined)
      throw new WorkError(`${name} is a ${declared.kind} function (${declared.reference}): only a worker can call it`, {
        retryable: false,
        errorClass: 'validation',
      });
    const server = this.#servers().find((known) => name.startsWith(`${known}.`));
    if (server === undefined) throw new UnknownTool(name);
    const kind = { type: 'mcp_tool' as const, server, tool: name.slice(server.length + 1), input_mapping: {} };
    return mcpToolExecutor(kind, {
      connections: this.#connections,
      declared: this.#declaredServers,
      vars: varsOf(config.workflowVars, TENANT),
    });
  }

  #servers(): readonly string[] {
    return [...new Set([...Object.keys(this.#provided), ...Object.keys(this.#declaredServers)])];
  }

  #serverCall(server: string, signal: AbortSignal) {
    const vars = varsOf(this.#sources.config.workflowVars, TENANT);
    return { tenantId: TENANT, server, declared: this.#declaredServers, vars, signal };
  }

  #entry(name: string, kind: string, from: string): ToolEntry {
    const declared = Object.hasOwn(this.#catalog, name) ? this.#catalog[name] : undefined;
    const known = toolDescription(Object.hasOwn(this.#sources.functions, name) ? this.#sources.functions[name] : undefined);
    const description = declared?.description ?? known?.description ?? '';
    const schema = declared?.input_schema ?? known?.inputSchema ?? null;
    return { name, kind, from, description, arguments: argumentsIn(schema) };
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}

const noMemory = (): Promise<never> => Promise.reject(new Error('a tool that is called without an execution has no memory'));
const NO_MEMORY = { search: noMemory, add: noMemory, remove: noMemory };

/** For functions that do not look at their signal. */
function rejectedAt(signal: AbortSignal): Promise<never> {
  return new Promise((_done, fail) => {
    signal.addEventListener('abort', () => fail(new Error('it did not end in time')), { once: true });
  });
}

/** No source has a tool of this name. */
class UnknownTool extends Error {
  readonly code = 'unknown_tool';

  constructor(name: string) {
    super(`there is no tool "${name}"`);
  }
}

function argumentsIn(schema: Json): string[] {
  const { properties = {}, required = [] } = isObject(schema) ? schema : {};
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.keys(isObject(properties) ? properties : {}).map((name) => (needed.has(name) ? name : `${name}?`));
}
