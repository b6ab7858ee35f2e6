import type { DurableContext } from '../runtime/types/durable.ts';
import type { ToolContext } from '../runtime/types/work.ts';
import type { Returned } from './checked-result.ts';
import { define } from './define.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { AnySchema, InferInput, InferOutput, Schema } from './schema.ts';
import { typedTool } from './tool.ts';
import { type AnyWorkflow, workflowFile } from './workflow-file.ts';

/** A function whose operations are logged, so that it outlives its process. */
export interface DurableOptions<
  in out I extends Schema,
  in out O extends Schema,
  in out R = InferInput<O> | Promise<InferInput<O>>,
> {
  /** Id of the workflow, and name of the function. */
  readonly id: string;
  /** Default: `0.1.0`. */
  readonly version?: string;
  readonly name?: string;
  readonly description?: string;
  /** What an execution is started with. */
  readonly input?: I;
  /** What the function returns: an object becomes part of the state. */
  readonly output?: O;
  /** Workflows that it calls, by id or definition: it may call no other. Default: any in the process of the server, none in a worker. */
  readonly calls?: readonly (string | { readonly id: string })[];
  readonly run: (context: DurableContext<NoInfer<InferInput<I>>>, input: NoInfer<InferOutput<I>>) => Returned<R, InferInput<O>>;
}

/** The state of an execution: what it was started with, and the fields of what the function has returned, once it has. */
type StateOf<Input, Output> = Output extends object ? Input & Partial<Output> : Input;
type CompletedState<Input, Output> = Output extends object ? Input & Output : Input;

/**
 * Defines a durable function: a workflow that is written as code. What it does goes through its context, which logs each operation before the function
 * goes on. After a crash the function runs again from its top, and operations that have a result give it back at once.
 *
 * @example
 * export const onboarding = durable({
 *   id: 'onboarding',
 *   input: Type.Object({ email: Type.String() }),
 *   run: async (ctx, { email }) => {
 *     const user = await ctx.step('create user', () => users.create(email), { retry: { maxAttempts: 5 } });
 *     await ctx.sleep('3d');
 *     const paid = await ctx.event('payment', { timeout: '7d' });
 *     return { id: user.id, paid: paid !== null };
 *   },
 * });
 */
export function durable<const I extends Schema = AnySchema, const O extends Schema = AnySchema, R = unknown>(
  options: DurableOptions<I, O, R>,
): WorkflowDefinition<{
  input: InferInput<I>;
  state: StateOf<InferInput<I>, InferOutput<O>>;
  completed: CompletedState<InferInput<I>, InferOutput<O>>;
  events: Record<string, unknown>;
  nodeId: string;
}> {
  const { id, input, output, calls, run, ...header } = options;
  const perform = (given: unknown, context: ToolContext): unknown => run(durableContext(id, context) as never, given as never);
  const sides = { ...(input === undefined ? {} : { input }), ...(output === undefined ? {} : { output }) };
  const tool = typedTool({ ...sides, run: perform as never });
  const definition: AnyWorkflow = {
    ...header,
    id,
    ...(input === undefined ? {} : { state: input }),
    tools: { [id]: tool },
    nodes: { [NODE]: { type: 'durable_function', function: id, calls } },
  };
  return define(durable, () => workflowFile(definition), definition);
}

/** The id of the only node. */
const NODE = 'run';

/** A function may be called by its name in a node of another kind, which has no journal. */
function durableContext(id: string, context: object): DurableContext {
  if ('step' in context && 'sleep' in context) return context as DurableContext;
  throw notDurable(id);
}

/** The function is called where there is no journal. */
export function notDurable(id: string): Error {
  const error = new TypeError(`"${id}" is a durable function: call it in a node of type durable_function`);
  return Object.assign(error, { retryable: false, errorClass: 'validation' });
}
