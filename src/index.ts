/**
 * The public library: a durable runtime in your process, SQLite for it, and workflows and tools in TypeScript. Other entries have the rest:
 * `jamjet-runtime/postgres`, `/worker`, `/client`, `/server` and `/yaml`. What a program opens is loaded when it is opened.
 *
 * Names are camelCase and times are milliseconds (`…Ms`). Workflow documents, with the diagnostics about them, and the data of events keep the
 * spelling (snake_case) of the REST API.
 *
 * @example
 * import { createRuntime, openSqlite } from 'jamjet-runtime';
 *
 * const store = await openSqlite({ path: 'runs.db' });
 * const runtime = await createRuntime({ store, tools: { double: ({ n }: { n: number }) => ({ n: n * 2 }) } });
 * const nodes = { a: { kind: { type: 'tool', tool_ref: 'double' } } };
 * await runtime.register({ workflow_id: 'w', version: '1', nodes, edges: [{ from: 'a', to: 'end' }] });
 * const { executionId } = await runtime.start({ workflowId: 'w', input: { n: 21 } });
 * const { state } = await runtime.settled(executionId);
 */

import type { WorkflowDefinition } from './builder/definition.ts';
import { toolsOfWorkflows } from './builder/workflow-tools.ts';
import { type LibraryRuntime, libraryRuntime } from './library/runtime.ts';
import { engineStore, type Store } from './library/store.ts';
import type { RuntimeSettings } from './runtime/options.ts';

export type { Static } from 'typebox';
export { type Diagnostic, InvalidWorkflow } from '../machines/diagnostics.ts';
export type { EventData, EventType } from '../machines/events/index.ts';
export type { JournalPart, KnownJournal, OperationKind, PartOperation, PartResult } from '../machines/journal.ts';
export type { Json, JsonObject } from '../machines/json.ts';
export type { UsageTotals } from '../machines/messages.ts';
export type { RecordedEvent } from '../machines/replay/recording-stepper.ts';
export type { ActiveNode, Phase, Status } from '../machines/run.ts';
export { type SchemaConstructor, Type } from '../machines/type.ts';
export { StoreError, type StoreErrorCode } from '../store/port/errors.ts';
export type { Missed, Overlap } from '../store/port/resources/cron.ts';
export type { SqliteOptions } from '../store/sqlite/open.ts';
export type { Schedule } from './authoring/schedule.ts';
export { type AgentOptions, type AgentStrategy, agent, type RevisionLimits } from './builder/agent.ts';
export type { Returned } from './builder/checked-result.ts';
export type { UntypedWorkflow, WorkflowDefinition, WorkflowTypes } from './builder/definition.ts';
export { type DurableOptions, durable } from './builder/durable.ts';
export {
  type ActionActivity,
  type DurableMachineOptions,
  durableMachine,
  type MachineActivities,
  type PersistedSnapshot,
} from './builder/durable-machine.ts';
export type { ExecutionEvent } from './builder/events.ts';
export type { ExecutionOf, StartedExecution, StartOptions } from './builder/execution.ts';
export { type FleetDefinition, fleet } from './builder/fleet.ts';
export type { DataPolicy, Duration, PolicyLists, PolicyRule, PolicyRules, Retry } from './builder/node-keys.ts';
export type {
  AnySchema,
  InferInput,
  InferOutput,
  Schema,
  SchemaIssue,
  StandardIssue,
  StandardResult,
  StandardSchema,
} from './builder/schema.ts';
export type {
  EventMap,
  McpServerSettings,
  ModelSettingsOfWorkflow,
  Policies,
  RemoteAgentSettings,
  RetryPolicies,
  ScheduleSettings,
  ServerAuth,
  ToolAddress,
  ToolDeclaration,
  ToolMap,
  WorkflowSettings,
} from './builder/settings.ts';
export type { ReplyUsage, TestDecision, TestReply, VisitedNode, WorkflowTest } from './builder/tests.ts';
export {
  defineTool,
  SchemaMismatch,
  type ToolDefinition,
  type ToolDescription,
  type TypedTool,
  toolDescription,
} from './builder/tool.ts';
export { type WorkflowOptions, workflow } from './builder/workflow.ts';
export type {
  Answer,
  CallArguments,
  CallableWorkflow,
  CalledState,
  CallOptions,
  DurableContext,
  MapOptions,
  Question,
  StepContext,
  StepOptions,
  StepRetry,
  UpdateInput,
  UpdateSchema,
  WaitDuration,
} from './executors/durable/context.ts';
export { CallError, type FailedStep, StepError } from './executors/durable/errors.ts';
export type { Activity, ActivityContext, ActivityOptions } from './executors/durable/machine/activity.ts';
export type { GivenDetails } from './executors/given-details.ts';
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
export type { ModelScript, ScriptedAnswer, ScriptedRule } from './executors/model/script.ts';
export type { ModelPrice, ModelSettings, NamedModel, ProviderAccess, ProviderName } from './executors/model/settings.ts';
export type { ThreadMessage, ToolThread } from './executors/threads/message.ts';
export type { ReportedUsage } from './executors/tool-context/reported-usage.ts';
export type { ToolLog, ToolLogFields, ToolLogLevel, ToolLogLine } from './executors/tool-context/tool-log.ts';
export type {
  CallerRuntime,
  LibraryMemory,
  LibraryRuntime as Runtime,
  LibraryThreads,
  RegisteredDefinition,
  RegisterOptions,
} from './library/runtime.ts';
export type { ScheduledWorkflow, ScheduleRequest, Schedules } from './library/schedules.ts';
export { openSqlite, type Store } from './library/store.ts';
export type { Clock } from './runtime/clock.ts';
export {
  AlreadyRunning,
  DecisionWouldChange,
  ForkDoesNotReplay,
  type ForkMismatch,
  type PastDecision,
  RuntimeError,
  type RuntimeErrorCode,
} from './runtime/errors.ts';
export type { ExecutionLogger, LogFields } from './runtime/execution-log.ts';
export type { RuntimeSettings, Vars } from './runtime/options.ts';
export type * from './runtime/types/caller.ts';
export type { CancelSignal } from './runtime/types/cancel-signal.ts';
export type * from './runtime/types/executions.ts';
export type * from './runtime/types/history.ts';
export type {
  MemoryItemsPage,
  MemoryItemView,
  MemoryNamespaceView,
  MemoryPageRequest,
  MemorySearchResult,
  StoredMemory,
} from './runtime/types/memory.ts';
export type {
  AppendedToThread,
  ThreadMessagesPage,
  ThreadMessagesPageRequest,
  ThreadMessageView,
  ThreadsPage,
  ThreadsPageRequest,
  ThreadView,
} from './runtime/types/threads.ts';
export type {
  ClaimWork,
  CommitOperations,
  CompleteWork,
  FailWork,
  GivenOperation,
  HeartbeatWork,
  Tool,
  ToolContext,
  ToolLogEntry,
  Tools,
  Usage,
  WaitingWorkView,
  WorkerView,
  WorkItemView,
  WorkJournal,
} from './runtime/types/work.ts';

/**
 * Starts a runtime on a store: locks a SQLite database, recovers what an earlier runtime left in progress, and works until
 * `close`. Until then it keeps the process alive, since timers may fall due at any time. Rejects with `StoreError`; its code is
 * `store_locked` when another runtime works on the same SQLite database. Any number of runtimes may share a PostgreSQL database.
 *
 * `workflows`: definitions whose functions the runtime calls, besides `tools`, which come first. They may be started by their ids.
 *
 * @example
 * const store = await openSqlite({ path: 'runs.db' });
 * const runtime = await createRuntime({ store, workflows: [greeting] });
 * const execution = await runtime.start(greeting, { name: 'Ada' });
 * const { state } = await execution.settled();
 * await runtime.close();
 * await store.close();
 */
export async function createRuntime({ store, workflows = [], ...options }: RuntimeOptions): Promise<LibraryRuntime> {
  const own = toolsOfWorkflows(workflows);
  const { tools = {} } = options;
  const toolsOf = typeof tools === 'function' ? tools : () => tools;
  const all = typeof tools === 'function' ? (tenantId: string) => ({ ...own, ...tools(tenantId) }) : { ...own, ...tools };
  const { openRuntime } = await import('./library/open.ts');
  return libraryRuntime({
    ...(await openRuntime({ ...options, store: engineStore(store), tools: all })),
    toolsOf: (tenantId) => ({ ...own, ...toolsOf(tenantId) }),
    workflows,
  });
}

/**
 * Options of `createRuntime`.
 *
 * @example
 * const runtime = await createRuntime({ store, tools: { greet }, concurrency: 16, onError: (error) => console.error(error) });
 */
export interface RuntimeOptions extends RuntimeSettings {
  /** Stays open when the runtime is closed. */
  readonly store: Store;
  /** Workflows that were defined in TypeScript, and call functions of this process. Default: none. */
  readonly workflows?: readonly WorkflowDefinition[];
}
