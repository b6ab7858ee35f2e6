/** The public library: a durable runtime in your process, its tools, and a client for one elsewhere. */

export { type Diagnostic, InvalidWorkflow } from '../machines/diagnostics.ts';
export { StoreError } from '../store/errors.ts';
export { openSqlite } from '../store/sqlite/open.ts';
export type { Store } from '../store/store.ts';
export { ApiError, JamjetClient, Unreachable } from './client.ts';
export { createRuntime } from './runtime/create-runtime.ts';
export { RuntimeError } from './runtime/errors.ts';
export type { RuntimeOptions } from './runtime/options.ts';
export type * from './runtime/types.ts';

import type { ToolContext } from './runtime/types.ts';

/** A tool with the types of its input and of `ctx` in place. */
export function defineTool<Input, Output>(
  tool: (input: Input, context: ToolContext) => Output,
): (input: Input, context: ToolContext) => Output {
  return tool;
}
