import type {
  AnyStateMachine,
  ContextFrom,
  EventFromLogic,
  InputFrom,
  OutputFrom,
  Snapshot,
  SnapshotFrom,
  StateMachine,
} from 'xstate';
import { machineProblems } from '../../machines/authored/check.ts';
import { type AuthoredMachine, isMachine, MACHINE } from '../../machines/authored/machine.ts';
import { machineStates } from '../../machines/authored/states.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { Activity, ActivityContext, ActivityOptions } from '../runtime/types/durable.ts';
import type { ToolContext } from '../runtime/types/work.ts';
import { define } from './define.ts';
import type { WorkflowDefinition } from './definition.ts';
import { notDurable } from './durable.ts';
import type { Schema } from './schema.ts';
import { typedTool } from './tool.ts';
import { type AnyWorkflow, workflowFile } from './workflow-file.ts';

/** The parts of a machine's type that its activities are typed by. */
type Parts<M> =
  M extends StateMachine<
    infer _Context,
    infer _Event,
    infer _Children,
    infer Actor,
    infer Action,
    infer _Guard,
    infer _Delay,
    infer _Value,
    infer _Tag,
    infer _Input,
    infer _Output,
    infer _Emitted,
    infer _Meta,
    infer _Schema,
    infer _TransitionMeta
  >
    ? { readonly actor: Actor; readonly action: Action }
    : never;

/** An activity of an action. It is given the `params` of the action; `context` and `event` are in its context. */
export type ActionActivity<Params> = ((params: Params, context: ActivityContext) => unknown) | ActivityOptions<Params>;

/** Activities by the names of a machine's actors and actions. */
export type MachineActivities<M extends AnyStateMachine> = {
  readonly [A in Parts<M>['actor'] as A['src']]?: Activity<InputFrom<A['logic']>, OutputFrom<A['logic']>>;
} & {
  readonly [A in Parts<M>['action'] as A['type']]?: ActionActivity<A['params']>;
};

/** The persisted snapshot of a machine: `createActor(machine, { snapshot })` restores it. */
export type PersistedSnapshot<M extends AnyStateMachine> = Snapshot<OutputFrom<M>> & {
  readonly value: SnapshotFrom<M>['value'];
  readonly context: ContextFrom<M>;
  readonly children: Readonly<Record<string, unknown>>;
};

/** The payloads of a machine's events by their types. */
type EventPayloads<E extends { readonly type: string }> = { readonly [One in E as One['type']]: Omit<One, 'type'> };

/** How a state machine becomes a workflow. */
export interface DurableMachineOptions<M extends AnyStateMachine> {
  /** Id of the workflow. */
  readonly id: string;
  /** Default: `0.1.0`. */
  readonly version?: string;
  readonly name?: string;
  readonly description?: string;
  /** Schema of the machine's input, which each start is checked with. Default: any input. */
  readonly input?: Schema;
  /** What does the work of actors and custom actions, and how often. Default: what the machine has under their names. */
  readonly activities?: MachineActivities<M>;
}

/**
 * Makes a workflow of a state machine of XState 5, whose executions outlive their process. The state of an execution is the persisted snapshot of the
 * machine. `after` and delayed events are durable timers, promise actors and custom actions are steps, whose results are logged; events come by
 * `sendEvent`, with their types as keys. Throws `InvalidWorkflow` if the machine has actors or actions that would not survive, with their places.
 *
 * @example
 * const ticket = durableMachine(machine, { id: 'ticket', version: '1', activities: { notify: { retry: { maxAttempts: 5 } } } });
 * const { executionId, sendEvent } = await runtime.start(ticket, { subject: 'No water' });
 */
export function durableMachine<M extends AnyStateMachine>(
  machine: M,
  options: DurableMachineOptions<M>,
): WorkflowDefinition<{
  input: unknown extends InputFrom<M> ? Readonly<Record<string, unknown>> : InputFrom<M>;
  state: PersistedSnapshot<M>;
  completed: PersistedSnapshot<M>;
  events: EventPayloads<EventFromLogic<M>>;
  nodeId: string;
}> {
  const { id, input, activities = {}, ...header } = options;
  if (!isMachine(machine)) throw notAMachine(machine);
  const authored: AuthoredMachine = { machine, activities };
  const problems = machineProblems(authored);
  if (problems.length > 0) throw new InvalidWorkflow(problems);
  const refuse = (_input: unknown, _context: ToolContext): never => {
    throw notDurable(id);
  };
  const tool = Object.assign(typedTool({ run: refuse }), { [MACHINE]: authored });
  const definition: AnyWorkflow = {
    ...header,
    id,
    ...(input === undefined ? {} : { state: input }),
    tools: { [id]: tool },
    nodes: {
      run: {
        type: 'durable_function',
        function: id,
        calls: callsOf(activities),
        machine: machineStates(machine),
        discardOutput: true,
      },
    },
  };
  return define(durableMachine, () => workflowFile(definition), definition);
}

/** The activities that are workflows. */
function callsOf(activities: object): readonly { readonly id: string }[] | undefined {
  const called = Object.values(activities).filter(
    (activity) => typeof activity === 'object' && activity !== null && 'id' in activity,
  );
  return called.length === 0 ? undefined : called;
}

function notAMachine(value: unknown): InvalidWorkflow {
  const given = value === null ? 'null' : typeof value;
  return new InvalidWorkflow([
    {
      severity: 'error',
      code: 'no_machine',
      node_id: null,
      path: null,
      message: `durableMachine needs a machine of XState 5 as its first argument, not ${given === 'object' ? 'another object' : given}`,
      hint: "make one with setup({ … }).createMachine({ … }) of 'xstate'",
    },
  ]);
}
