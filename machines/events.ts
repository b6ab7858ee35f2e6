import type { Json, JsonObject } from './json.ts';

/** The types of events in a log. The API also spells them in PascalCase. */
export const EVENT_TYPES = [
  'workflow_started',
  'workflow_completed',
  'workflow_failed',
  'workflow_cancelled',
  'workflow_paused',
  'workflow_resumed',
  'workflow_retried',
  'workflow_forked',
  'workflow_finalizing',
  'node_scheduled',
  'node_started',
  'tool_call_completed',
  'eval_scored',
  'node_completed',
  'node_failed',
  'node_skipped',
  'node_cancelled',
  'retry_scheduled',
  'node_parked',
  'usage_recorded',
  'interrupt_raised',
  'approval_received',
  'timer_created',
  'timer_fired',
  'external_event_received',
  'child_workflow_waiting',
  'child_workflow_started',
  'child_workflow_paused',
  'child_workflow_resumed',
  'child_workflow_completed',
  'child_workflow_failed',
  'token_budget_exceeded',
  'cost_budget_exceeded',
  'policy_violation',
  'tool_approval_required',
  'strategy_started',
  'plan_generated',
  'iteration_started',
  'iteration_completed',
  'critic_verdict',
  'strategy_completed',
  'strategy_limit_hit',
  'remote_task_started',
  'agent_tool_invoked',
  'agent_tool_progress',
  'agent_tool_turn',
  'agent_tool_completed',
  'agent_tool_terminated',
  'agent_tool_failed',
  'segment_boundary',
  'oauth_token_exchange',
  'autonomy_limit_reached',
  'circuit_breaker_tripped',
  'escalation_required',
  'coordinator_discovery',
  'coordinator_scoring',
  'coordinator_decision',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/**
 * Events that in-process work logs while its attempt goes on (`Progress`). The last one of each type is given to the later attempts of
 * the visit.
 */
export const PROGRESS_TYPES = [
  'remote_task_started',
  'agent_tool_invoked',
  'agent_tool_progress',
  'agent_tool_turn',
  'agent_tool_completed',
  'agent_tool_terminated',
  'agent_tool_failed',
  'oauth_token_exchange',
  'coordinator_discovery',
  'coordinator_scoring',
  'coordinator_decision',
] as const satisfies readonly EventType[];
export type ProgressType = (typeof PROGRESS_TYPES)[number];

/** The data of the last event of each type that the attempts of a visit have logged. */
export type VisitProgress = Readonly<Partial<Record<ProgressType, JsonObject>>>;

const PROGRESS: ReadonlySet<string> = new Set(PROGRESS_TYPES);

export function isProgress(type: string): type is ProgressType {
  return PROGRESS.has(type);
}

/** An event in an execution's log. `data` has the fields for readers, without the node id, and those that a replay needs. */
export interface LogEvent {
  /** 1, 2, 3 … without gaps. */
  readonly sequence: number;
  readonly type: EventType;
  readonly node_id: string | null;
  readonly data: { readonly [key: string]: Json };
}

/** `'node_completed'` → `'NodeCompleted'`. */
export type PascalCase<Text extends string> = Text extends `${infer Word}_${infer Rest}`
  ? `${Capitalize<Word>}${PascalCase<Rest>}`
  : Capitalize<Text>;

/** `node_completed` → `NodeCompleted`. */
export function pascalCase(type: string): string {
  return type.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
