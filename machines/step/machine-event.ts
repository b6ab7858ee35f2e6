import type { Appended } from '../appended-lists.ts';
import type { ResultRole } from '../graph/edges.ts';
import type { Json, JsonObject } from '../json.ts';
import type { ThreadTurn, Usage, UsageTotals } from '../messages.ts';

/** Work has ended with a result. */
export interface DoneEvent {
  readonly type: 'done';
  readonly node: string;
  readonly output: Json;
  readonly patch?: Json;
  readonly durationMs: number;
  readonly usage?: Usage;
  readonly appended?: Appended | null;
  readonly route?: ResultRole;
  readonly thread?: ThreadTurn;
}

/**
 * An event for the machine: a message that has been checked and addressed. There is one event type per kind of message, so that
 * XState's cache of transitions does not grow with the graph. The type of a timer's event is the id of the timer.
 */
export type MachineEvent =
  | DoneEvent
  | FailEvent
  | { readonly type: 'claimed'; readonly node: string; readonly workerId: string }
  | { readonly type: 'requeue'; readonly node: string }
  /** A durable function only waits: `park` = for people, events and times, `wait` = also for the next attempt of a step. */
  | { readonly type: 'park' | 'wait'; readonly node: string }
  | {
      readonly type: 'decide';
      readonly node: string;
      readonly decision: 'approved' | 'rejected';
      readonly userId: string;
      readonly comment: string | null;
      readonly patch: Json;
    }
  /** `sequence`: of `external_event_received` in the log. */
  | { readonly type: 'event'; readonly node: string; readonly payload: Json; readonly sequence: number }
  | { readonly type: 'child'; readonly node: string; readonly childId: string; readonly change: ChildChange }
  | { readonly type: 'cancel'; readonly reason: string }
  | { readonly type: 'halt' }
  /** A budget is exceeded: the execution continues at the node for it. */
  | { readonly type: 'overBudget' }
  | TimerFired;

export interface FailEvent {
  readonly type: 'fail';
  readonly node: string;
  readonly error: string;
  readonly errorClass?: string;
  readonly httpStatus?: number;
  readonly details?: JsonObject;
  readonly retryable: boolean;
  /** Milliseconds until the next attempt, if there is one. */
  readonly delayMs: number;
  /** The next attempt waits for this time, which the service has named. */
  readonly parkedUntilMs?: number;
  /** The child execution that failed. */
  readonly childId?: string;
  /** What the attempt, or the child execution, has used. */
  readonly usage?: Usage;
}

export interface TimerFired {
  readonly type: `xstate.after.${string}`;
  readonly node: string;
}

export type ChildChange =
  | { readonly status: 'started'; readonly workflowId: string }
  | { readonly status: 'running' | 'paused' }
  /** `mapped`: the result after the output mapping; absent if there is none. */
  | { readonly status: 'completed'; readonly result: Json; readonly mapped?: Json; readonly usage?: UsageTotals };

export function isTimerEvent(event: MachineEvent): event is TimerFired {
  return event.type.startsWith('xstate.after.');
}
