/**
 * The types of an entry's events, in a text short enough for an index: one token per event, in order. A search counts and finds events by the tokens of
 * their types, without reading the log itself.
 *
 * The token of a released type is a letter, which never changes; other types are written out in hexadecimal digits, which are no such letters. So no token
 * contains another.
 */
const LETTERS: Readonly<Record<string, string>> = {
  workflow_started: 'A',
  workflow_completed: 'B',
  workflow_failed: 'C',
  workflow_cancelled: 'D',
  workflow_paused: 'E',
  workflow_resumed: 'F',
  workflow_retried: 'G',
  workflow_forked: 'H',
  node_scheduled: 'I',
  node_started: 'J',
  tool_call_completed: 'K',
  node_completed: 'L',
  node_failed: 'M',
  node_skipped: 'N',
  node_cancelled: 'O',
  retry_scheduled: 'P',
  interrupt_raised: 'Q',
  approval_received: 'R',
  timer_created: 'S',
  timer_fired: 'T',
  external_event_received: 'U',
  child_workflow_waiting: 'V',
  child_workflow_started: 'W',
  child_workflow_paused: 'X',
  child_workflow_resumed: 'Y',
  child_workflow_completed: 'Z',
  child_workflow_failed: 'g',
  token_budget_exceeded: 'h',
  cost_budget_exceeded: 'i',
  policy_violation: 'j',
  workflow_finalizing: 'ζ',
  tool_approval_required: 'k',
  strategy_limit_hit: 'l',
  node_parked: 'm',
  remote_task_started: 'n',
  eval_scored: 'u',
  agent_tool_invoked: 'o',
  agent_tool_progress: 'p',
  agent_tool_turn: 'q',
  agent_tool_completed: 'r',
  agent_tool_terminated: 's',
  agent_tool_failed: 't',
  strategy_started: 'v',
  plan_generated: 'w',
  iteration_started: 'x',
  iteration_completed: 'y',
  critic_verdict: 'z',
  strategy_completed: 'η',
  segment_boundary: 'α',
  oauth_token_exchange: 'ε',
  autonomy_limit_reached: 'β',
  escalation_required: 'γ',
  circuit_breaker_tripped: 'δ',
  coordinator_discovery: 'θ',
  coordinator_scoring: 'ι',
  coordinator_decision: 'κ',
  usage_recorded: 'λ',
};

const letters: ReadonlyMap<string, string> = new Map(Object.entries(LETTERS));

/** The tokens of several events. */
export function typeTokens(events: readonly { readonly type: string }[]): string {
  let tokens = '';
  for (const { type } of events) tokens += typeToken(type);
  return tokens;
}

export function typeToken(type: string): string {
  return letters.get(type) ?? `{${Buffer.from(type.replaceAll('\0', '\ufffd')).toString('hex')}}`;
}

/** The tokens one by one. */
export function splitTokens(tokens: string): readonly string[] {
  return tokens.match(/\{[^}]*\}|./g) ?? [];
}
