/**
 * The public library: a durable runtime in your process, its stores and tools, and a client for a server elsewhere.
 *
 * Names are camelCase and times are milliseconds (`…Ms`). Three things keep the spelling (snake_case) of what they belong to: workflow
 * documents with the diagnostics about them, the data of events, and the objects of `JamjetClient`, which are the JSON of the REST API.
 *
 * @example
 * import { createRuntime, openSqlite } from 'jamjet-runtime';
 *
 * const store = await openSqlite({ path: 'runs.db' });
 * const runtime = await createRuntime({ store, tools: { double: ({ n }: { n: number }) => ({ n: n * 2 }) } });
 * const caller = { tenantId: 'default', actorId: 'me', actorType: 'human' } as const;
 * const nodes = { a: { kind: { type: 'tool', tool_ref: 'double' } } };
 * await runtime.register(caller, { workflow_id: 'w', version: '1', nodes, edges: [{ from: 'a', to: 'end' }] });
 * const { executionId } = await runtime.start(caller, { workflowId: 'w', input: { n: 21 } });
 * const { state } = await runtime.settled('default', executionId);
 */

import type { WorkflowDefinition } from './builder/definition.ts';
import { type LibraryRuntime, libraryRuntime, toolsOfWorkflows } from './builder/library-runtime.ts';
import { createRuntime as createServerRuntime } from './runtime/index.ts';
import type { RuntimeOptions } from './runtime/options.ts';

export type { Static } from 'typebox';
export { type Diagnostic, InvalidWorkflow } from '../machines/diagnostics.ts';
export type { EventData } from '../machines/events/index.ts';
export type { Json, JsonObject } from '../machines/json.ts';
export type { ActiveNode, Status } from '../machines/run.ts';
export { Type } from '../machines/type.ts';
export { StoreError, type StoreErrorCode } from '../store/port/errors.ts';
export type { Store } from '../store/port/store.ts';
export { openPostgres, type PostgresOptions } from '../store/postgres/open.ts';
export { openSqlite, type SqliteOptions } from '../store/sqlite/open.ts';
export { checkWorkflow } from './authoring/check.ts';
export { type AgentOptions, agent } from './builder/agent.ts';
export {
  type Authored,
  authoredOf,
  type Defined,
  WORKFLOW,
  type WorkflowDefinition,
  type WorkflowTypes,
} from './builder/definition.ts';
export type { ExecutionEvent } from './builder/events.ts';
export type { ExecutionOf, StartedExecution, StartOptions } from './builder/execution.ts';
export { type FleetDefinition, fleet } from './builder/fleet.ts';
export type { LibraryRuntime } from './builder/library-runtime.ts';
export type { InferInput, InferOutput, Schema, SchemaIssue, StandardSchema } from './builder/schema.ts';
export {
  defineTool,
  SchemaMismatch,
  type ToolDefinition,
  type ToolDescription,
  type TypedTool,
  toolDescription,
} from './builder/tool.ts';
export { workflow } from './builder/workflow.ts';
export {
  ApiError,
  type CallOptions,
  type ClientOptions,
  JamjetClient,
  type LiveMessage,
  type LiveTextDelta,
  type LiveUpdate,
  type Reconnect,
  type RemoteExecution,
  type RemoteStartOptions,
  type StreamState,
  type TypedExecution,
  Unreachable,
  type Warning,
} from './client/index.ts';
export type { McpServerOptions, McpServers } from './executors/mcp/endpoint.ts';
export type {
  MemoryCallContext,
  MemoryConnector,
  MemoryConnectors,
  MemoryItem,
  MemoryQuery,
  MemoryResult,
  MemorySearchOptions,
  ToolMemory,
} from './executors/memory/connector.ts';
export type { ModelScript } from './executors/model/script.ts';
export type { ModelPrice, ModelSettings, NamedModel } from './executors/model/settings.ts';
export type { Clock } from './runtime/clock.ts';
export {
  DecisionWouldChange,
  ForkDoesNotReplay,
  type ForkMismatch,
  type PastDecision,
  RuntimeError,
  type RuntimeErrorCode,
} from './runtime/errors.ts';
export type { ExecutionLogger, LogFields } from './runtime/execution-log.ts';
export type { RuntimeOptions } from './runtime/options.ts';
export type * from './runtime/types/caller.ts';
export type * from './runtime/types/executions.ts';
export type * from './runtime/types/history.ts';
export type * from './runtime/types/memory.ts';
export type { Runtime } from './runtime/types/runtime.ts';
export type {
  ClaimWork,
  CompleteWork,
  FailWork,
  HeartbeatWork,
  Tool,
  ToolContext,
  ToolLogEntry,
  Tools,
  Usage,
  WorkerView,
  WorkItemView,
} from './runtime/types/work.ts';
export { readModelScript } from './server/model-script.ts';
export { createWorker, type Worker, type WorkerLogEntry, type WorkerOptions, type WorkerStatus } from './worker/index.ts';

/**
 * Starts a runtime on a store: locks a SQLite database, recovers what an earlier runtime left in progress, and works until
 * `close`. Until then it keeps the process alive, since timers may fall due at any time. Rejects with `StoreError`; its code is
 * `store_locked` when another runtime works on the same SQLite database. Any number of runtimes may share a PostgreSQL database.
 *
 * `workflows`: definitions whose functions the runtime calls, besides `tools`, which come first.
 *
 * @example
 * const store = await openSqlite({ path: 'runs.db' });
 * const runtime = await createRuntime({ store, workflows: [greeting] });
 * const execution = await runtime.start(greeting, { name: 'Ada' });
 * const { state } = await execution.settled();
 * await runtime.close();
 * await store.close();
 */
export async function createRuntime({ workflows = [], ...options }: LibraryOptions): Promise<LibraryRuntime> {
  const own = toolsOfWorkflows(workflows);
  const { tools = {} } = options;
  const toolsOf = typeof tools === 'function' ? tools : () => tools;
  const all = typeof tools === 'function' ? (tenantId: string) => ({ ...own, ...tools(tenantId) }) : { ...own, ...tools };
  const runtime = await createServerRuntime({ ...options, tools: all });
  return libraryRuntime(runtime, (tenantId) => ({ ...own, ...toolsOf(tenantId) }));
}

/** Options of a runtime of the library. */
export interface LibraryOptions extends RuntimeOptions {
  /** Workflows that were defined in TypeScript, and call functions of this process. Default: none. */
  readonly workflows?: readonly WorkflowDefinition[];
}
