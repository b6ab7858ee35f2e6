/** The public library: a durable runtime in your process, its tools, and a client for one elsewhere. */

export { type Diagnostic, InvalidWorkflow } from '../machines/diagnostics.ts';
export type { Json, JsonObject } from '../machines/json.ts';
export type { Usage } from '../machines/messages.ts';
export type { PendingApproval, Status } from '../machines/run.ts';
export { StoreError, type StoreErrorCode } from '../store/port/errors.ts';
export type { Store } from '../store/port/store.ts';
export { openPostgres, type PostgresOptions } from '../store/postgres/open.ts';
export { openSqlite, type SqliteOptions } from '../store/sqlite/open.ts';
export { checkWorkflow } from './authoring/check.ts';
export { ApiError, type ClientOptions, JamjetClient, Unreachable } from './client/index.ts';
export { RuntimeError, type RuntimeErrorCode } from './runtime/errors.ts';
export { createRuntime } from './runtime/index.ts';
export type { RuntimeOptions } from './runtime/options.ts';
export type * from './runtime/types/caller.ts';
export type * from './runtime/types/executions.ts';
export type * from './runtime/types/history.ts';
export type * from './runtime/types/runtime.ts';
export type * from './runtime/types/work.ts';

import type { ToolContext } from './runtime/types/work.ts';

/**
 * A tool with the types of its input and of `ctx` in place. The input is what the node's mapping renders, at run time as unchecked as any JSON:
 * `Input` is your word for it. What the tool returns becomes the node's output; what it throws fails the attempt.
 */
export function defineTool<Input, Output>(
  tool: (input: Input, context: ToolContext) => Output,
): (input: Input, context: ToolContext) => Output {
  return tool;
}
