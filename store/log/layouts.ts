import type { Json } from '../port/json.ts';

/** The default is the actor of the entry. */
export const ACTOR = Symbol('actor');

/** Undefined = the key is absent by default. */
export type Default = Json | typeof ACTOR | undefined;

/** How the data of one type of event is stored. */
export interface Layout {
  readonly ofExecution?: boolean;
  /** In the order in which events have them. */
  readonly keys: readonly string[];
  /** In the order in which they are stored, with defaults: those that are seldom left out come first. */
  readonly stored: readonly (string | readonly [key: string, value: Json | typeof ACTOR])[];
}

const ACTIVATION = ['activation', 1] as const;
const ATTEMPT = ['attempt', 0] as const;
const TOTALS = ['input_tokens', 'output_tokens', 'cost_usd'] as const;
const USAGE = [
  'gen_ai_system',
  'gen_ai_model',
  'input_tokens',
  'output_tokens',
  'finish_reason',
  'cost_usd',
  'gen_ai_response_id',
] as const;
const CHILD = { keys: ['child_execution_id', 'activation'], stored: ['child_execution_id', ACTIVATION] } as const;

/**
 * Released shapes. Stored logs depend on them: a shape may get a new key, which is absent by default and stored last. Nothing else may change.
 */
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  workflow_started: {
    ofExecution: true,
    keys: [
      'workflow_id',
      'workflow_version',
      'initial_input',
      'env',
      'step_limit',
      'language',
      'rules',
      'segment_number',
      'continued_from',
      'traceparent',
    ],
    stored: [
      'workflow_id',
      'workflow_version',
      'initial_input',
      'env',
      'step_limit',
      'language',
      'rules',
      'segment_number',
      'continued_from',
      'traceparent',
    ],
  },
  workflow_completed: { ofExecution: true, keys: ['final_state', 'state_spilled'], stored: ['final_state', 'state_spilled'] },
  workflow_failed: { ofExecution: true, keys: ['error', 'corrupt'], stored: ['error', 'corrupt'] },
  workflow_cancelled: { ofExecution: true, keys: ['reason'], stored: [['reason', null]] },
  workflow_paused: { ofExecution: true, keys: ['reason'], stored: [['reason', null]] },
  workflow_resumed: {
    ofExecution: true,
    keys: ['token_budget', 'cost_budget_usd'],
    stored: ['token_budget', 'cost_budget_usd'],
  },
  workflow_retried: { ofExecution: true, keys: ['nodes', 'forgiven'], stored: ['nodes', 'forgiven'] },
  workflow_forked: {
    ofExecution: true,
    keys: ['origin', 'state_patch', 'decisions', 'keep_decisions'],
    stored: ['origin', 'state_patch', 'decisions', 'keep_decisions'],
  },
  workflow_finalizing: { ofExecution: true, keys: ['status', 'reason', 'error'], stored: ['status', 'reason', 'error'] },
  node_scheduled: {
    keys: ['queue_type', 'attempt', 'in_process', 'activation'],
    stored: [['queue_type', 'tool'], ['in_process', true], ATTEMPT, ACTIVATION],
  },
  node_started: {
    keys: ['worker_id', 'attempt', 'activation', 'input', 'input_from', 'input_omitted', 'input_offloaded'],
    stored: ['input', ['worker_id', ACTOR], ATTEMPT, ACTIVATION, 'input_from', 'input_omitted', 'input_offloaded'],
  },
  tool_call_completed: {
    keys: ['tool', 'duration_ms', 'activation'],
    stored: ['tool', ['duration_ms', 0], ACTIVATION],
  },
  node_completed: {
    keys: [
      'output',
      'state_patch',
      'patch_from',
      'output_key',
      'event_sequence',
      'source',
      'duration_ms',
      'gen_ai_system',
      'gen_ai_model',
      'input_tokens',
      'output_tokens',
      'finish_reason',
      'cost_usd',
      'gen_ai_response_id',
      'route',
      'activation',
      'appended',
      'taken',
      'evaluated',
      'output_spilled',
      'usage_refused',
    ],
    stored: [
      'output',
      'taken',
      ['duration_ms', 0],
      ['patch_from', 'output'],
      'output_key',
      ACTIVATION,
      'evaluated',
      'state_patch',
      'input_tokens',
      'output_tokens',
      'gen_ai_model',
      'gen_ai_system',
      'finish_reason',
      'cost_usd',
      'event_sequence',
      'source',
      'output_spilled',
      'gen_ai_response_id',
      'appended',
      'route',
      'usage_refused',
    ],
  },
  node_failed: {
    keys: [
      'error',
      'attempt',
      'retryable',
      'error_class',
      'http_status',
      'error_name',
      'stack',
      'cause',
      'errors',
      ...USAGE,
      'activation',
      'taken',
      'evaluated',
      'usage_refused',
    ],
    stored: [
      'error',
      'error_class',
      ['retryable', false],
      'taken',
      ATTEMPT,
      'http_status',
      ACTIVATION,
      'evaluated',
      ...USAGE,
      'error_name',
      'stack',
      'cause',
      'errors',
      'usage_refused',
    ],
  },
  node_skipped: { keys: ['reason', 'activation'], stored: [['reason', 'branch not taken'], ACTIVATION] },
  node_cancelled: { keys: ['activation'], stored: [ACTIVATION] },
  retry_scheduled: { keys: ['attempt', 'delay_ms', 'activation'], stored: ['delay_ms', ['attempt', 1], ACTIVATION] },
  node_parked: {
    keys: ['attempt', 'delay_ms', 'retry_after', 'activation'],
    stored: ['delay_ms', 'retry_after', ['attempt', 1], ACTIVATION],
  },
  usage_recorded: {
    keys: [...USAGE, 'usage_refused', 'attempt', 'activation', 'child_execution_id'],
    stored: [...USAGE, ATTEMPT, ACTIVATION, 'usage_refused', 'child_execution_id'],
  },
  interrupt_raised: {
    keys: ['reason', 'description', 'state_for_review', 'activation', 'state_spilled'],
    stored: ['description', 'state_for_review', ['reason', 'human_approval'], ACTIVATION, 'state_spilled'],
  },
  approval_received: {
    keys: ['user_id', 'decision', 'comment', 'state_patch', 'activation'],
    stored: ['user_id', ['decision', 'approved'], ['comment', null], ['state_patch', null], ACTIVATION],
  },
  timer_created: { keys: ['fire_at', 'correlation_key', 'activation'], stored: ['fire_at', 'correlation_key', ACTIVATION] },
  timer_fired: { keys: ['activation', 'correlation_key'], stored: ['correlation_key', ACTIVATION] },
  external_event_received: {
    ofExecution: true,
    keys: ['correlation_key', 'payload'],
    stored: ['correlation_key', 'payload'],
  },
  child_workflow_waiting: {
    keys: ['reason', 'attempt', 'activation'],
    stored: [['reason', 'waiting_for_capacity'], ATTEMPT, ACTIVATION],
  },
  child_workflow_started: {
    keys: ['child_execution_id', 'activation', 'child_workflow_id', 'continues', ...TOTALS],
    stored: ['child_execution_id', 'child_workflow_id', ACTIVATION, 'continues', ...TOTALS],
  },
  child_workflow_paused: CHILD,
  child_workflow_resumed: CHILD,
  child_workflow_completed: {
    keys: ['child_execution_id', 'result', ...TOTALS, 'activation'],
    stored: ['child_execution_id', 'result', ACTIVATION, ...TOTALS],
  },
  child_workflow_failed: {
    keys: ['child_execution_id', 'error', ...TOTALS, 'activation'],
    stored: ['child_execution_id', 'error', ACTIVATION, ...TOTALS],
  },
  token_budget_exceeded: { keys: ['kind', 'limit', 'current'], stored: ['kind', 'limit', 'current'] },
  cost_budget_exceeded: { keys: ['limit_usd', 'current_usd'], stored: ['limit_usd', 'current_usd'] },
  policy_violation: {
    keys: ['rule', 'decision', 'policy_scope', 'activation', 'matched'],
    stored: ['rule', 'policy_scope', ['decision', 'blocked'], ACTIVATION, 'matched'],
  },
  tool_approval_required: {
    keys: ['tool_name', 'approver', 'context', 'activation', 'policy_scope', 'matched'],
    stored: ['tool_name', 'context', ['approver', 'human'], ACTIVATION, 'policy_scope', 'matched'],
  },
  eval_scored: {
    keys: [
      'passed',
      'action',
      'results',
      'feedback',
      'duration_ms',
      'gen_ai_system',
      'gen_ai_model',
      'input_tokens',
      'output_tokens',
      'finish_reason',
      'cost_usd',
      'gen_ai_response_id',
      'activation',
      'usage_refused',
    ],
    stored: [
      'results',
      ['passed', true],
      ['action', 'continue'],
      ['duration_ms', 0],
      ACTIVATION,
      'feedback',
      'input_tokens',
      'output_tokens',
      'cost_usd',
      'gen_ai_model',
      'gen_ai_system',
      'finish_reason',
      'gen_ai_response_id',
      'usage_refused',
    ],
  },
  autonomy_limit_reached: {
    keys: ['agent_ref', 'limit_type', 'limit_value', 'actual_value', 'activation'],
    stored: ['agent_ref', 'limit_type', 'limit_value', 'actual_value', ACTIVATION],
  },
  circuit_breaker_tripped: {
    keys: ['agent_ref', 'consecutive_errors', 'threshold', 'activation'],
    stored: ['agent_ref', 'consecutive_errors', 'threshold', ACTIVATION],
  },
  escalation_required: {
    keys: ['agent_ref', 'reason', 'escalation_target', 'activation'],
    stored: ['agent_ref', 'reason', ['escalation_target', 'human_approval'], ACTIVATION],
  },
  segment_boundary: {
    ofExecution: true,
    keys: ['segment_number', 'next_execution_id', 'reason'],
    stored: ['next_execution_id', 'reason', ['segment_number', 0]],
  },
  strategy_limit_hit: {
    ofExecution: true,
    keys: ['limit_type', 'limit_value', 'actual_value'],
    stored: [
      ['limit_type', 'limit_exceeded'],
      ['limit_value', null],
      ['actual_value', null],
    ],
  },
  strategy_started: { ofExecution: true, keys: ['strategy', 'config'], stored: ['strategy', 'config'] },
  plan_generated: { ofExecution: true, keys: ['steps'], stored: ['steps'] },
  iteration_started: { ofExecution: true, keys: ['iteration'], stored: ['iteration'] },
  iteration_completed: {
    ofExecution: true,
    keys: ['iteration', 'cost_delta_usd', 'input_tokens', 'output_tokens'],
    stored: ['iteration', 'input_tokens', 'output_tokens', ['cost_delta_usd', null]],
  },
  critic_verdict: { keys: ['score', 'passed', 'feedback', 'activation'], stored: ['score', 'passed', 'feedback', ACTIVATION] },
  strategy_completed: {
    ofExecution: true,
    keys: ['iterations', 'total_cost_usd'],
    stored: ['iterations', ['total_cost_usd', null]],
  },
  remote_task_started: {
    keys: ['task_id', 'context_id', 'agent', 'attempt', 'activation'],
    stored: ['task_id', 'context_id', 'agent', ATTEMPT, ACTIVATION],
  },
  agent_tool_invoked: {
    keys: ['agent_uri', 'mode', 'protocol', 'input_hash', 'attempt', 'activation'],
    stored: ['agent_uri', 'input_hash', ['mode', 'sync'], ['protocol', 'a2a'], ATTEMPT, ACTIVATION],
  },
  agent_tool_progress: {
    keys: ['chunk_index', 'partial_output_summary', 'attempt', 'activation'],
    stored: ['chunk_index', 'partial_output_summary', ATTEMPT, ACTIVATION],
  },
  agent_tool_turn: {
    keys: ['turn_number', 'direction', 'content_summary', 'tokens', 'cost', 'attempt', 'activation'],
    stored: ['turn_number', 'direction', 'content_summary', ['tokens', 0], ['cost', 0], ATTEMPT, ACTIVATION],
  },
  agent_tool_completed: {
    keys: ['output', 'provenance', 'total_cost', 'latency_ms', 'total_turns', 'attempt', 'activation'],
    stored: ['output', 'latency_ms', ['total_cost', 0], ATTEMPT, ACTIVATION, 'total_turns', 'provenance'],
  },
  agent_tool_terminated: {
    keys: ['reason', 'chunks_received', 'partial_output', 'cost', 'attempt', 'activation'],
    stored: ['reason', 'chunks_received', 'partial_output', 'cost', ATTEMPT, ACTIVATION],
  },
  agent_tool_failed: {
    keys: ['failure_type', 'message', 'retryable', 'attempt', 'activation'],
    stored: ['failure_type', 'message', ['retryable', false], ATTEMPT, ACTIVATION],
  },
  oauth_token_exchange: {
    keys: ['outcome', 'token_endpoint', 'requested_scopes', 'granted_scopes', 'audience', 'error', 'attempt', 'activation'],
    stored: [
      ['outcome', 'granted'],
      'token_endpoint',
      'requested_scopes',
      'granted_scopes',
      'audience',
      'error',
      ATTEMPT,
      ACTIVATION,
    ],
  },
  coordinator_discovery: {
    keys: ['query_skills', 'query_trust_domain', 'candidates', 'filtered_out', 'attempt', 'activation'],
    stored: ['query_skills', 'candidates', ['query_trust_domain', null], 'filtered_out', ATTEMPT, ACTIVATION],
  },
  coordinator_scoring: {
    keys: ['rankings', 'spread', 'weights', 'attempt', 'activation'],
    stored: ['rankings', 'spread', 'weights', ATTEMPT, ACTIVATION],
  },
  coordinator_decision: {
    keys: [
      'selected',
      'method',
      'reasoning',
      'confidence',
      'rejected',
      'tiebreaker_tokens',
      'tiebreaker_cost',
      'attempt',
      'activation',
    ],
    stored: [
      'selected',
      'method',
      'reasoning',
      'confidence',
      'rejected',
      ATTEMPT,
      ACTIVATION,
      ['tiebreaker_tokens', null],
      ['tiebreaker_cost', null],
    ],
  },
};
