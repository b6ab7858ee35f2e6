/** An external worker of a server: `import { createWorker } from 'jamjet-runtime/worker'`. */
export type { Json, JsonObject } from '../../machines/json.ts';
export { Type } from '../../machines/type.ts';
export type { InferInput, InferOutput, Schema, SchemaIssue, StandardSchema } from '../builder/schema.ts';
export {
  defineTool,
  SchemaMismatch,
  type ToolDefinition,
  type ToolDescription,
  type TypedTool,
  toolDescription,
} from '../builder/tool.ts';
export type { GivenDetails } from '../executors/given-details.ts';
export type { ToolLogFields, ToolLogLevel } from '../executors/tool-context/tool-log.ts';
export type { Tool, ToolContext, Tools } from '../runtime/types/work.ts';
export {
  createWorker,
  type Provider,
  type Worker,
  type WorkerLogEntry,
  type WorkerOptions,
  type WorkerStatus,
} from '../worker/index.ts';
