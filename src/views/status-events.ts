import type { EventType } from '../../machines/events/index.ts';

/**
 * The types of events after which the status or the error of an execution may differ: every step that changes them logs at least one of
 * these. An execution is `paused` while nothing in it runs, so the end of one node changes the status of an execution whose other
 * branches wait: `node_completed` and `node_failed` are among them. The error changes with an end, or a retry, only.
 */
export const STATUS_EVENTS = [
  'workflow_started',
  'workflow_begun',
  'workflow_forked',
  'workflow_retried',
  'workflow_paused',
  'workflow_resumed',
  'workflow_completed',
  'workflow_failed',
  'workflow_cancelled',
  'workflow_finalizing',
  'strategy_limit_hit',
  'segment_boundary',
  'node_completed',
  'node_failed',
  'node_cancelled',
  'interrupt_raised',
  'approval_received',
  'timer_fired',
  'function_parked',
  'step_completed',
  'external_event_received',
  'update_received',
  'child_workflow_paused',
  'child_workflow_resumed',
  'child_workflow_completed',
  'child_workflow_failed',
] as const satisfies readonly EventType[];
