import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { AgentDirectory } from '../executors/a2a/directory.ts';
import type { McpServers } from '../executors/mcp/endpoint.ts';
import type { MemoryConnectors } from '../executors/memory/connector.ts';
import type { ModelSettings } from '../executors/model/settings.ts';
import type { Clock } from './clock.ts';
import type { ExecutionLogger } from './execution-log.ts';
import type { RandomBytes } from './ids.ts';
import type { SpanRecording } from './traces.ts';
import type { ToolLogEntry, Tools } from './types/work.ts';

export const DEFAULTS = {
  stepLimit: 10_000,
  concurrency: 256,
  maxSlotWaitMs: 30 * 60_000,
  maxPending: 20_000,
  cacheBytes: 64 * 1024 * 1024,
  artifactThresholdBytes: 8192,
  checkpointLogBytes: 4096,
  liveFunctions: 1_000,
};
/** How long `close` lets in-process work finish by default. */
export const DEFAULT_GRACE_MS = 10_000;

/** Variables of the `env` root of expressions, by their names. */
export type Vars = Readonly<Record<string, string>>;

/** What a program sets of its runtime, besides the store. */
export interface RuntimeSettings {
  /**
   * The name of this runtime, e.g. in events and in the list of workers; default: a random one. No two runtimes may ever share
   * it.
   */
  readonly id?: string;
  /**
   * In-process tools, by the `tool_ref` that calls them: for all tenants, or by a function of the tenant, which must always
   * return the same. A node whose tool is missing waits for an external worker.
   */
  readonly tools?: Tools | ((tenantId: string) => Tools);
  /** Called with each line that a tool writes to `context.log`; default: they are dropped. */
  readonly onToolLog?: (entry: ToolLogEntry) => void;
  /**
   * Told of failed attempts and of conditions that could not be evaluated (`warn`), failed executions (`error`), and the start and end of executions (`info`), each with `execution`, `tenant`
   * and `workflow`; default: nothing is logged. A logger of pino fits.
   *
   * @example
   * createRuntime({ store, logger: pino() });
   * // {"level":40,…,"execution":"exec_…","tenant":"default","workflow":"order","node":"charge","attempt":0,"error":"card declined","msg":"attempt failed"}
   */
  readonly logger?: ExecutionLogger;
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Completed nodes after which an execution fails; default 10,000. */
  readonly stepLimit?: number;
  /** In-process attempts of one tenant that run at the same time; default 256. A third more slots are for other tenants. */
  readonly concurrency?: number;
  /** How long an in-process attempt may wait for a slot before it fails, retryably, in milliseconds; default 30 minutes. */
  readonly maxSlotWaitMs?: number;
  /** Memory for cached executions, in bytes; default 64 MiB. */
  readonly cacheBytes?: number;
  /** Durable functions that stay in memory for the first 30 seconds that they wait; the others run again from their top. Default 1,000. */
  readonly liveFunctions?: number;
  /** Outputs whose JSON is larger than this, in bytes, are stored as artifacts beside the log; 0 = none; default 8192. */
  readonly artifactThresholdBytes?: number;
  /**
   * The variables of the `env` root of expressions: for all tenants, or by a function of the tenant, which must always return the
   * same.
   */
  readonly vars?: Vars | ((tenantId: string) => Vars);
  /** Keys, addresses and names of the models that `model` nodes use; default: none, so that they fail. */
  readonly models?: ModelSettings;
  /**
   * MCP servers that `mcp_tool` nodes call by name: for all tenants, or by a function of the tenant, which must always return the
   * same. They come before those of the same name in documents. A command runs on this machine, as the user of this process.
   */
  readonly mcpServers?: McpServers | ((tenantId: string) => McpServers);
  /**
   * Memories elsewhere that `memory_retrieval` nodes and tools reach by name: for all tenants, or by a function of the tenant, which
   * must always return the same. Other names are namespaces of the built-in memory, in the store.
   */
  readonly memory?: MemoryConnectors | ((tenantId: string) => MemoryConnectors);
  /** 32 bytes that seal the subject tokens of executions in the store. Default: they are kept in memory, and lost with the process. */
  readonly secretKey?: Uint8Array;
  /** May `http` nodes and tools reach loopback and private addresses? Default false. */
  readonly allowPrivateAddresses?: boolean;
  /** Called with conditions and templates that could not be evaluated; they count as false and null. */
  readonly onDiagnostic?: (executionId: string, problem: string) => void;
  /**
   * Called with errors that no caller waits for, e.g. of a store that cannot be reached or an execution that cannot be loaded.
   */
  readonly onError?: (error: unknown) => void;
}

/** What the server sets besides. */
export interface ServerRuntimeOptions extends RuntimeSettings {
  /** Stays open when the runtime is closed. */
  readonly store: ExecutionStore;
  /** The names that a function `tools` may return for any tenant, which other runtimes and `workers` list; default: none. */
  readonly toolNames?: readonly string[];
  /** May the tenant use a tool of another runtime on the database? For what `workers` lists. Default: yes. */
  readonly isToolGranted?: (tenantId: string, tool: string) => boolean;
  /** Source of the random part of ids; default: the operating system. A simulation passes a repeatable one. */
  readonly randomBytes?: RandomBytes;
  /** Waiting messages and attempts above which new requests are refused as `overloaded`; default 20,000. */
  readonly maxPending?: number;
  /**
   * A snapshot is stored once the log since the last one is larger than this, in bytes, and than the snapshot; 0 = with every
   * commit; default 4096.
   */
  readonly checkpointLogBytes?: number;
  /** Globs of the models that a tenant may use; empty = all. Default: all. */
  readonly modelAllowlist?: (tenantId: string) => Promise<readonly string[]>;
  /** The registered agents, which nodes call by their ids; default: none. */
  readonly agents?: AgentDirectory;
  /** Base URL of a server that selects agents for `coordinator` nodes; default: the runtime does it itself. */
  readonly coordinatorUrl?: string;
  /**
   * The stored executions that this runtime works on, beside those that it starts; default: all. A one-shot run on a shared file
   * leaves the others alone.
   */
  readonly shouldProcess?: (executionId: string) => boolean;
  /**
   * Does this runtime start the work of executions? Default true. One that does not records decisions, events and cancels: work that follows
   * waits for a later runtime.
   */
  readonly startsWork?: boolean;
  /**
   * Records spans, and decides of which executions. Attempts are then given a `traceparent` of their own; default: they are given that with which
   * the execution was started.
   */
  readonly tracing?: SpanRecording;
}
