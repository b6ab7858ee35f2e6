import type { CheckedNode } from './checked.ts';
import { define } from './define.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { Names } from './node-keys.ts';
import type { KindGiven, NodeAs, ToolKey } from './nodes.ts';
import type { AnySchema, InferInput, Schema } from './schema.ts';
import type {
  EventMap,
  EventPayloads,
  Policies,
  RetryPolicies,
  ScheduleSettings,
  ToolInput,
  ToolMap,
  ToolOutput,
  WorkflowSettings,
} from './settings.ts';
import type { WorkflowTest } from './tests.ts';
import { type AnyWorkflow, workflowFile } from './workflow-file.ts';

type BuiltInRetryPolicy = 'no_retry' | 'fast' | 'io_default' | 'llm_default';

/** The keys of the state that are known; any text if there is no schema. */
type StateKey<State> = unknown extends State ? string : keyof State & string;

/** What a workflow declares, as its nodes may name it. */
interface NamesOf<State, T, E, R, P, Id extends string> extends Names {
  readonly node: Id;
  readonly target: Id | 'end';
  readonly stateKey: StateKey<State>;
  readonly event: keyof E & string;
  readonly retryPolicy: (keyof R & string) | BuiltInRetryPolicy;
  readonly policy: keyof P & string;
  readonly mcpServer: string;
  readonly toolInputs: { readonly [Name in keyof T & string]: ToolInput<T[Name]> };
}

/** State keys that nodes write besides those of the schema. */
type WrittenState<Id extends string> = {
  readonly [Key in
    | Id
    | `${Id}_conversation`
    | `_selected_agent_${string}`
    | `last_model_${string}`
    | `eval_${string}`
    | 'messages'
    | '__cost_exceeded__']: unknown;
};

/** What the tool of a node returns; unknown if the node calls none of the tools, or it does not say so. */
type OutputOf<Given, Id, T> =
  KindGiven<Given> extends 'tool' | 'finalizer'
    ? (
        Given extends { readonly [Key in ToolKey]?: infer Name } & { readonly [Key in ToolKey]: unknown }
          ? Name
          : Id
      ) extends infer Called
      ? Called extends keyof T
        ? ToolOutput<T[Called]>
        : unknown
      : never
    : unknown;

/** The keys that objects have which tools return, whose nodes have no `outputKey`: they become keys of the state. */
type ReturnedState<N, T> = AllOf<
  {
    [Id in keyof N]: N[Id] extends { readonly outputKey: unknown } ? never : FieldsIn<OutputOf<N[Id], Id, T>>;
  }[keyof N]
>;
/** The fields of an object whose keys are known; never = it is none. */
type FieldsIn<Output> = unknown extends Output
  ? never
  : Output extends readonly unknown[]
    ? never
    : Output extends object
      ? string extends keyof Output
        ? never
        : { readonly [Key in keyof Output & string]?: Output[Key] }
      : never;
type AllOf<Alternatives> = [Alternatives] extends [never]
  ? unknown
  : (Alternatives extends unknown ? (given: Alternatives) => void : never) extends (given: infer All) => void
    ? All
    : never;

/** The state of the schema, and what nodes write besides. */
type StateWith<State, Written> = unknown extends State
  ? unknown
  : [Exclude<keyof Written, keyof State>] extends [never]
    ? State
    : State & Omit<Written, keyof State>;

/** The state as conditions and templates see it. */
type StateInTexts<State, N, T> = StateWith<StateWith<State, ReturnedState<N, T>>, WrittenState<keyof N & string>>;

/** The nodes, each checked as its kind says, and by the names of the others. */
type CheckedNodes<N, State, T, E, R, P> = {
  readonly [Id in keyof N]: CheckedNode<
    N[Id],
    NodeAs<NamesOf<State, T, E, R, P, keyof N & string>, Id & string, N[Id]>,
    StateInTexts<State, N, T>,
    State,
    OutputOf<N[Id], Id, T>
  >;
};

/** A workflow with its nodes. */
export interface WorkflowOptions<in out S, in out T, in out E, in out R, in out P, in out N> extends WorkflowSettings<R, P> {
  readonly id: string;
  /** Registering changed content under the same version creates a new revision; executions keep theirs. Default: `0.1.0`. */
  readonly version?: string;
  readonly name?: string;
  readonly description?: string;
  /**
   * The state: what its schema requires is the input of an execution; the other keys are written by nodes. Types the executions, and what
   * conditions, templates and nodes may name.
   */
  readonly state?: S;
  /** The tools that nodes call by name: functions, or where to reach them. */
  readonly tools?: T;
  /** The events that nodes wait for. Without, nodes may wait for any. */
  readonly events?: E;
  /** Default: the first node. */
  readonly start?: keyof N & string;
  /** Default: `fail`. */
  readonly onBudgetExceeded?: 'fail' | 'pause' | (keyof N & string);
  readonly schedule?: ScheduleSettings<NoInfer<InferInput<S>>>;
  /** Tests that `jamjet test` runs. */
  readonly tests?: readonly WorkflowTest<Partial<NoInfer<InferInput<S>>>, NoInfer<keyof N & string>>[];
}

/**
 * Defines a workflow. It has the keys of a [workflow file](../../docs/workflow-yaml.md) in camelCase, and becomes the same document. Names
 * that nothing declares do not compile: kinds, ids of nodes, targets, state keys, tools and events, in conditions and templates too.
 *
 * @example
 * export const greeting = workflow({
 *   id: 'greeting',
 *   version: '1.0.0',
 *   state: Type.Object({ name: Type.String(), greeting: Type.Optional(Type.String()) }),
 *   tools: { compose },
 *   nodes: {
 *     compose: { input: { name: '{{ state.name }}' }, next: 'check' },
 *     check: { type: 'condition', branches: [{ if: 'len(state.greeting) > 20', next: 'review' }], default: 'end' },
 *     review: { type: 'human_approval', message: 'Send “{{ state.greeting }}”?', onApproved: 'end', onRejected: 'end' },
 *   },
 * });
 */
export function workflow<
  const N extends { readonly [id: string]: object },
  const S extends Schema = AnySchema,
  const T extends ToolMap = ToolMap,
  E extends EventMap = EventMap,
  R extends RetryPolicies = Record<never, never>,
  P extends Policies = Record<never, never>,
>(
  definition: WorkflowOptions<S, T, E, R, P, N> & {
    /** The nodes by their ids. The first one is the start. */
    readonly nodes: (N | object) & NoInfer<CheckedNodes<N, InferInput<S>, T, E, R, P>>;
  },
): WorkflowDefinition<{
  input: InferInput<S>;
  state: StateWith<InferInput<S>, ReturnedState<N, T>>;
  completed: StateWith<InferInput<S>, ReturnedState<N, T>>;
  events: EventPayloads<E>;
  nodeId: keyof N & string;
}> {
  const untyped = definition as object as AnyWorkflow;
  return define(workflow, () => workflowFile(untyped), untyped);
}
