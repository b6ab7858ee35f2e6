import type { JsonObject } from '../../../../machines/json.ts';
import type { ToolContext } from '../../executor.ts';
import type { CallableWorkflow, StepRetry, WaitDuration } from '../context.ts';

/** What an activity of a state machine is told. */
export interface ActivityContext extends ToolContext {
  /** Of an action: the context of the machine when it was executed. */
  readonly context?: JsonObject;
  /** Of an action: the event that led to it. */
  readonly event?: { readonly type: string; readonly [key: string]: unknown };
}

/** How an activity of a machine is carried out. */
export interface ActivityOptions<Input = never, Output = unknown> {
  /** Given the input of an actor, or the `params` of an action. Default: what the machine has under this name. */
  readonly run?: (input: Input, context: ActivityContext) => Output | Promise<Output>;
  /** Default: 3 attempts for an action or a `run` of its own; 1 for an actor of the machine, since `onError` says what follows. */
  readonly retry?: StepRetry;
  /** Of one attempt. Default: no limit. */
  readonly timeout?: WaitDuration;
}

/** What does the work of an actor or an action: a function, a function with a policy, or for an actor another workflow, which is called. */
export type Activity<Input = never, Output = unknown> =
  | ((input: Input, context: ActivityContext) => Output | Promise<Output>)
  | ActivityOptions<Input, Output>
  | CallableWorkflow<Input, Output>;

/** An activity as it is carried out. */
export type ActivityWork =
  | { readonly workflow: CallableWorkflow<unknown, unknown> }
  | (Pick<ActivityOptions, 'retry' | 'timeout'> & {
      readonly run: ((input: unknown, context: ActivityContext) => unknown) | null;
    });

export function workOfActivity(activity: Activity | undefined): ActivityWork {
  if (activity === undefined) return { run: null };
  if (typeof activity === 'function') return { run: activity as never };
  if ('id' in activity) return { workflow: activity as CallableWorkflow<unknown, unknown> };
  const { run = null, retry, timeout } = activity as ActivityOptions;
  return {
    run: run as never,
    ...(retry === undefined ? {} : { retry }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}
