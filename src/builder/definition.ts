import type { Diagnostic } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { AuthoredObject } from '../authoring/object-source.ts';
import type { Schedule } from '../authoring/schedule.ts';
import type { Tools } from '../runtime/types/work.ts';

/**
 * Marks a value as a workflow, or several, that a program has defined; its value is an `Authored`. It is a registered symbol, so that another
 * copy of this package recognises what a file exports.
 */
export const WORKFLOW: unique symbol = Symbol.for('jamjet-runtime.workflow') as never;

/** A workflow file that a program has made, and its functions. */
export interface Authored extends AuthoredObject {
  /** The functions that its nodes call, by name. */
  readonly tools: Tools;
}

/** Anything that stands for a workflow file: a workflow, an agent, a fleet. */
export interface Defined {
  readonly [WORKFLOW]: Authored;
}

/** What is known to the compiler of the executions of a workflow. */
export interface WorkflowTypes {
  readonly input: unknown;
  readonly state: unknown;
  /** The state of those that have completed. */
  readonly completed: unknown;
  readonly events: { readonly [key: string]: unknown };
  readonly nodeId: string;
}

/** What is known of the executions of a workflow that is named by its id. */
export interface UntypedWorkflow extends WorkflowTypes {
  readonly input: Json;
  readonly state: JsonObject;
}

/**
 * A workflow that was defined in TypeScript. It is compiled when its document is first asked for.
 *
 * @example
 * const { executionId } = await runtime.start(greeting, { name: 'Ada' });
 */
export interface WorkflowDefinition<Types extends WorkflowTypes = WorkflowTypes> {
  readonly id: string;
  readonly version: string;
  /** The document (IR) to register. Throws `InvalidWorkflow` with all problems, each with its path, if there is an error. */
  readonly document: JsonObject;
  /** All problems, warnings included. */
  readonly diagnostics: readonly Diagnostic[];
  /** When executions of it are to be started; null = it says nothing. Throws like `document`. */
  readonly schedule: Schedule | null;
  /** The functions that its nodes call in process, by name: for `createRuntime({ tools })`. */
  readonly tools: Tools;
  /** The workflows that its subgraphs and the tools of its agents run, if they were given as definitions; those come before the ones that need them. */
  readonly subworkflows: readonly WorkflowDefinition[];
  /** Only for types. */
  readonly '~types'?: Types;
}

/** What a value of another module stands for; null = it is no workflow. */
export function authoredOf(value: unknown): Authored | null {
  return typeof value === 'object' && value !== null && WORKFLOW in value ? (value as Defined)[WORKFLOW] : null;
}

export function isDefinition(value: unknown): value is WorkflowDefinition {
  return typeof value === 'object' && value !== null && WORKFLOW in value && 'subworkflows' in value;
}
