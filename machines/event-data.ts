import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox';
import type { EventType } from './events.ts';
import type { JsonObject } from './json.ts';

// What the events of an execution's log say, by type: the source of the OpenAPI document and of docs/events.md.

const text = (description: string) => Type.String({ description });
const integer = (description: string) => Type.Integer({ description });
const number = (description: string) => Type.Number({ description });
const flag = (description: string) => Type.Boolean({ description });
const time = (description: string) => Type.String({ format: 'date-time', description });
const json = (description: string) => Type.Unsafe<unknown>({ description });
const object = (description: string) => Type.Unsafe<Record<string, unknown>>({ type: 'object', description });
const texts = (description: string) => Type.Array(Type.String(), { description });
const oneOf = <const T extends string[]>(values: readonly [...T], description: string) => Type.Enum<T>(values, { description });
const nullable = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description });
const absent = Type.Optional;

const nodeId = { node_id: text('Id of the node.') };
const activation = {
  activation: integer('Visit to the node: 1, 2, 3 …; 0 for work that was enqueued beside the workflow.'),
};
const attempt = { attempt: integer('Attempt of the visit, counted from 0.') };
const child = { child_execution_id: text('Id of the child execution.') };

/** What the runtime did at a node during one of its visits. */
const atNode = <T extends TProperties>(description: string, properties: T) =>
  Type.Object({ ...nodeId, ...activation, ...properties }, { description });
/** What concerns the whole execution. */
const ofExecution = <T extends TProperties>(description: string, properties: T) => Type.Object(properties, { description });

const usage = {
  gen_ai_system: absent(text('Provider of the model that was used.')),
  gen_ai_model: absent(text('Model that was used.')),
  input_tokens: absent(integer('Input tokens that were used.')),
  output_tokens: absent(integer('Output tokens that were used.')),
  finish_reason: absent(text('Why the model stopped.')),
  cost_usd: absent(number('Cost in USD.')),
  gen_ai_response_id: absent(text('Id that the provider gave to the response.')),
  usage_refused: absent(
    Type.Object(
      {
        input_tokens: absent(number('Input tokens as reported.')),
        output_tokens: absent(number('Output tokens as reported.')),
        cost_usd: absent(number('Cost in USD as reported.')),
        max_tokens: absent(number('Tokens of either kind that a call may report.')),
        max_cost_usd: absent(number('Cost in USD that the call may report.')),
      },
      { description: 'What was reported beyond the limits of a call, and counts neither for budgets nor for the month.' },
    ),
  ),
};

const totals = {
  input_tokens: absent(integer('Input tokens that it used in all, its own children included; absent if it used none.')),
  output_tokens: absent(integer('Output tokens that it used in all.')),
  cost_usd: absent(number('What it cost in all, in USD.')),
};
const score = Type.Object(
  {
    scorer: text('Type of the scorer.'),
    passed: flag('Whether it passed.'),
    score: nullable(
      Type.Number(),
      'Its score: 1 to 5 of a judge, 0 or 1 of assertions, milliseconds, or US dollars; null = none.',
    ),
    message: text('Why.'),
  },
  { description: 'The result of a scorer. A custom scorer may add fields.' },
);

/** Also in the API's visits to nodes. */
export const EvaluatedCondition = Type.Object(
  {
    target: text('Node to which the edge leads, or `end`.'),
    condition: text('The condition, as written.'),
    value: absent(json('What it evaluated to; true or false instead of a list, an object or a text above 100 characters.')),
    problem: absent(text('Why it could not be evaluated; it counts as false.')),
  },
  { description: 'A condition that was evaluated.' },
);
const routing = {
  taken: absent(
    Type.Array(Type.String(), {
      description:
        'Targets of the edges that were followed: ids of nodes, or `end`; empty if none was. Absent if the node has no edges.',
    }),
  ),
  evaluated: absent(
    Type.Array(EvaluatedCondition, {
      description: 'Conditions that were evaluated, up to the first that held. Absent if there are none.',
    }),
  ),
};

const tokenBudget = Type.Object(
  {
    input_tokens: absent(integer('Input tokens in all.')),
    output_tokens: absent(integer('Output tokens in all.')),
    total_tokens: absent(integer('Input and output tokens in all.')),
  },
  { description: 'New totals of tokens; absent = unchanged.' },
);

const appendedList = Type.Object(
  {
    kept: integer('How many items of the list in the state come before the items of the event.'),
    since: integer('Sequence of the last event that has the list whole.'),
    in_output: absent(flag('True if the output has the same list as the patch, and is stored likewise.')),
  },
  { description: 'A list that a patch makes longer.' },
);

const matched = absent(
  text(
    'The rule: its list and the glob that matches, or `model_allowlist`. Absent for policies of the workflow and of the node.',
  ),
);

const copiedDecision = Type.Object(
  {
    node_id: text('Node whose approval was decided.'),
    sequence: integer('Sequence of the `approval_received` event.'),
    user_id: text('Who decided.'),
    execution_id: absent(text('Descendant in which the decision was made; absent for the original execution.')),
    would_change: absent(flag('The person was shown something else than the patched state would show.')),
  },
  { description: 'A decision that the fork includes.' },
);

/** `workflow_started.env`, `rules` and `language` fix what a replay must repeat, whatever the runtime has become since. */
export const EVENT_DATA = {
  workflow_started: ofExecution('The execution was started. Always the first event.', {
    workflow_id: text('Workflow that runs.'),
    workflow_version: text('Version of the workflow.'),
    initial_input: json('Input of the execution.'),
    env: absent(
      Type.Record(Type.String(), Type.String(), {
        description: 'Values of `env.…` that conditions see; absent if none is used.',
      }),
    ),
    step_limit: absent(integer('Node completions after which the execution fails; absent = 10000.')),
    language: absent(integer('Version of the expression language; absent = 1.')),
    rules: absent(integer('Version of the execution rules; absent = 1.')),
    segment_number: absent(integer('Which segment of its chain the execution is; absent = 0, the first.')),
    continued_from: absent(text('Execution that it continues; absent if it continues none.')),
    traceparent: absent(
      text('Place in the trace within which it was started, as in the header `traceparent`; absent if there is none.'),
    ),
  }),
  workflow_completed: ofExecution('The execution completed. Always the last event.', {
    final_state: json('State at the end.'),
  }),
  workflow_failed: ofExecution('The execution failed. The last event unless `workflow_retried` follows.', {
    error: text('Why it failed.'),
    corrupt: absent(flag('True if an internal error ended the execution; absent otherwise.')),
  }),
  workflow_cancelled: ofExecution('The execution was cancelled. Always the last event.', {
    reason: nullable(Type.String(), 'Why it was cancelled; null if no reason was given.'),
  }),
  workflow_paused: ofExecution('An operator paused the execution, or it exceeded a budget with `on_budget_exceeded: pause`.', {
    reason: nullable(Type.String(), 'Why it was paused; null if no reason was given.'),
  }),
  workflow_resumed: ofExecution('An operator resumed the execution.', {
    token_budget: absent(tokenBudget),
    cost_budget_usd: absent(number('New total of cost in USD; absent = unchanged.')),
  }),
  workflow_retried: ofExecution('A failed execution was retried: its failed nodes run again.', {
    nodes: Type.Array(Type.String(), { description: 'Nodes that run again.' }),
    forgiven: Type.Array(Type.Integer(), {
      description: 'Sequences of the `node_failed` events that the retry undoes, in ascending order.',
    }),
  }),
  workflow_forked: ofExecution('The execution is a fork and continues on its own. The events before it were copied.', {
    origin: Type.Object(
      {
        execution_id: text('Execution that was forked.'),
        sequence: integer('Sequence of the last copied event.'),
      },
      { description: 'Where the fork began.' },
    ),
    state_patch: json('JSON merge patch (RFC 7396) that was applied to the state; `{}` or null = none.'),
    decisions: absent(Type.Array(copiedDecision, { description: 'Decisions that were copied; absent if there are none.' })),
    keep_decisions: absent(
      flag('True if an operator copied decisions that were made on something else than the patched state; absent otherwise.'),
    ),
  }),
  workflow_finalizing: ofExecution('The execution is about to end: what was in progress is cancelled, and its finalizers run.', {
    status: oneOf(['completed', 'failed', 'cancelled', 'limit_exceeded'], 'How it ends.'),
    reason: absent(nullable(Type.String(), 'Why it was cancelled; null if no reason was given, absent unless it is cancelled.')),
    error: absent(nullable(Type.String(), 'Why it failed; absent unless it fails.')),
  }),
  node_scheduled: atNode('An attempt was queued.', {
    queue_type: text('Queue from which workers claim it.'),
    ...attempt,
    in_process: absent(flag('True if the runtime itself does the work; absent for external workers.')),
  }),
  node_started: atNode('An attempt, or a wait, began.', {
    worker_id: absent(text('Worker or runtime that does the work; absent for nodes that wait.')),
    ...attempt,
    input: absent(
      json(
        'Input of the attempt: its rendered mapping, or the whole state. Values of `env`, and lists of the state above about 1 KiB that the mapping takes whole, are named (`{{ env.NAME }}`, `{{ state.messages }}`) and not given. Absent for nodes that wait.',
      ),
    ),
    input_from: absent(
      oneOf(['state'], 'In place of `input`: the whole state at this event, when it is larger than about 8 KiB.'),
    ),
    input_omitted: absent(
      flag(
        'True if `input` is not recorded: rendering it takes too much work, the inputs of one step are too large, or the data policy does not retain it.',
      ),
    ),
  }),
  tool_call_completed: atNode('A tool returned. Written right before `node_completed`.', {
    tool: text('Name of the tool.'),
    duration_ms: number('Milliseconds the call took.'),
  }),
  eval_scored: atNode('An eval node has scored the work before it. Written right before what follows from it.', {
    passed: flag('Whether all scorers passed.'),
    action: text('What follows: `continue` (all passed), or `log_and_continue`, `retry_with_feedback`, `escalate` or `halt`.'),
    results: Type.Array(score, { description: 'One result per scorer, in the order of the node.' }),
    feedback: absent(text('What did not pass, for the work that runs again; absent if all passed.')),
    duration_ms: integer('Milliseconds that the attempt took.'),
    ...usage,
  }),
  node_completed: atNode('The node completed.', {
    output: json('Output of the node.'),
    state_patch: json('JSON merge patch (RFC 7396) that was applied to the state.'),
    duration_ms: number('Milliseconds the attempt took; 0 for nodes that do no work.'),
    ...routing,
    appended: absent(
      Type.Record(Type.String(), appendedList, {
        description:
          'Lists of which `output` and `state_patch` have only the items that the state did not have before, by JSON pointer into the patch. Only the stored log has it (`jamjet audit`, exports): the events of an execution are given with their lists whole.',
      }),
    ),
    event_sequence: absent(integer('Sequence of the external event that ended the wait; absent otherwise.')),
    source: absent(text('Node whose output a `first` join took; absent otherwise.')),
    ...usage,
    route: absent(text('Route that the result asked for: `on_input_required`; absent otherwise.')),
  }),
  node_failed: atNode('An attempt, or the node for good, failed.', {
    error: text('What went wrong.'),
    ...attempt,
    retryable: flag('Whether another attempt follows.'),
    error_class: absent(text('Class of the error; absent if unknown.')),
    http_status: absent(integer('Status of the HTTP response with which the attempt failed; absent if there was none.')),
    error_name: absent(text('Name of the error, e.g. `TypeError`; absent for what is no error.')),
    stack: absent(
      text(
        'Frames of its stack, one per line, the innermost first; at most 20. Paths are relative to the folder of the process that did the work. Absent if there is none.',
      ),
    ),
    cause: absent(json('The error that caused it: `{name?, message, stack?, cause?, errors?}`; absent if there is none.')),
    errors: absent(json('All errors of an `AggregateError`, in the same form; the first 10. Absent for other errors.')),
    ...usage,
    ...routing,
  }),
  node_skipped: atNode('The node does not run: no edge to it was followed.', {
    reason: text('Why.'),
  }),
  node_cancelled: atNode('The node was stopped: the execution ended, or a `first` join took another branch.', {}),
  retry_scheduled: atNode('Another attempt will follow.', {
    ...attempt,
    delay_ms: integer('Milliseconds until that attempt is queued.'),
  }),
  node_parked: atNode(
    'The provider of a model is over its limit. In place of `retry_scheduled`: another attempt will follow when it says.',
    {
      ...attempt,
      delay_ms: integer('Milliseconds until that attempt is queued.'),
      retry_after: time('When that attempt is queued.'),
    },
  ),
  usage_recorded: atNode(
    'An attempt that was given up, or that begins again after a stop of its runtime, has used something all the same.',
    { ...attempt, ...usage, child_execution_id: absent(text('Its child execution that has; absent if it is its own work.')) },
  ),
  interrupt_raised: atNode('A person is asked for a decision.', {
    reason: text('`human_approval`.'),
    description: text('What the person is asked.'),
    state_for_review: json('State at that time.'),
  }),
  approval_received: atNode('A decision was recorded.', {
    user_id: text('Who decided: the person named in the request, else the token.'),
    decision: oneOf(['approved', 'rejected'], 'The decision.'),
    comment: nullable(Type.String(), 'Comment given with the decision; null if there is none.'),
    state_patch: json('JSON merge patch (RFC 7396) that was applied to the state; null = none.'),
  }),
  timer_created: atNode('A wait will end at a time.', {
    fire_at: time('When the timer fires.'),
    correlation_key: absent(text('Key of the event that would end the wait earlier; absent for timers.')),
  }),
  timer_fired: atNode('The time of a wait, of an approval or of a retry has come.', {
    correlation_key: absent(text('Key of the event that did not come; absent for timers.')),
  }),
  external_event_received: ofExecution('An event was sent to the execution.', {
    correlation_key: text('Key by which nodes wait for the event.'),
    payload: json('Payload of the event.'),
  }),
  child_workflow_waiting: atNode('A child execution cannot start yet.', {
    reason: text('`waiting_for_capacity`: the tenant is at `max_concurrent_executions`.'),
    ...attempt,
  }),
  child_workflow_started: atNode('A child execution was started.', {
    ...child,
    child_workflow_id: text('Workflow of the child execution.'),
    continues: absent(text('Child execution that it continues (`continue_as_new`); what that one used follows. Else absent.')),
    ...totals,
  }),
  child_workflow_paused: atNode('The child execution is paused.', child),
  child_workflow_resumed: atNode('The child execution runs again.', child),
  child_workflow_completed: atNode('The child execution completed.', {
    ...child,
    result: json('Its final state.'),
    ...totals,
  }),
  child_workflow_failed: atNode('The child execution failed.', {
    ...child,
    error: text('Why it failed.'),
    ...totals,
  }),
  token_budget_exceeded: Type.Object(
    {
      ...nodeId,
      kind: oneOf(['input_tokens', 'output_tokens', 'total_tokens'], 'Which total was exceeded.'),
      limit: integer('Tokens allowed.'),
      current: integer('Tokens used.'),
    },
    { description: 'The execution has used more tokens than allowed.' },
  ),
  cost_budget_exceeded: Type.Object(
    {
      ...nodeId,
      limit_usd: number('Cost allowed, in USD.'),
      current_usd: number('Cost so far, in USD.'),
    },
    { description: 'The execution has cost more than allowed.' },
  ),
  policy_violation: atNode('A policy forbids the node, which fails; or a policy node has found a violation.', {
    rule: text('Name that the policy blocks.'),
    decision: text('`blocked`, or `warned` by a policy node that does not fail.'),
    policy_scope: oneOf(['tenant', 'workflow', 'node', 'unknown'], 'Whose policy it is.'),
    matched,
  }),
  tool_approval_required: atNode('A policy requires approval before the node runs.', {
    tool_name: text('Tool to be approved.'),
    approver: text('Who decides: `human`.'),
    context: object(
      'What the decision is about: `node_id`, and `calls`, the tool calls of a model that the node carries out: `{name, arguments}`.',
    ),
    policy_scope: absent(
      oneOf(['tenant', 'workflow'], 'Whose policy it is; absent if a policy of the workflow or of the node holds a tool.'),
    ),
    matched,
  }),
  autonomy_limit_reached: atNode('An agent, or a node, has reached a limit of its autonomy. `escalation_required` follows.', {
    agent_ref: text('The registered agent that the node names, else the node whose limit it is.'),
    limit_type: text('`max_iterations`, `max_tool_calls`, `token_budget`, `cost_budget` or `time_budget` (in seconds).'),
    limit_value: json('The limit.'),
    actual_value: json('What was reached.'),
  }),
  circuit_breaker_tripped: atNode('So many attempts in a row have failed that no other begins. `escalation_required` follows.', {
    agent_ref: text('The registered agent that the node names, else the node.'),
    consecutive_errors: integer('Failed attempts in a row.'),
    threshold: integer('How many are allowed.'),
  }),
  escalation_required: atNode('A person decides whether the node may go on. `tool_approval_required` follows.', {
    agent_ref: text('The registered agent that the node names, else the node.'),
    reason: text('Why.'),
    escalation_target: text('`human_approval`.'),
  }),
  segment_boundary: ofExecution(
    'The execution has exceeded a budget and continues as another one (`continue_as_new`). Always the last event.',
    {
      segment_number: integer('Which segment of its chain the execution is: 0, 1, 2 …'),
      next_execution_id: text('Execution that begins with its state and a new budget.'),
      reason: nullable(Type.String(), 'The budget that it has exceeded.'),
    },
  ),
  strategy_started: ofExecution('The execution works by a strategy. Follows `workflow_started`.', {
    strategy: text('Name of the strategy.'),
    config: json('Its settings.'),
  }),
  plan_generated: ofExecution('The strategy has a plan. Follows the `node_completed` of the node that wrote it.', {
    steps: Type.Array(Type.String(), { description: 'Its steps.' }),
  }),
  iteration_started: ofExecution('An iteration of the strategy begins.', { iteration: integer('Its number, from 0.') }),
  iteration_completed: ofExecution('An iteration of the strategy is over: the next one begins, or the final answer.', {
    iteration: integer('Its number, from 0.'),
    cost_delta_usd: nullable(Type.Number(), 'What it cost in USD; null if costs are not counted.'),
    input_tokens: integer('Input tokens that it used.'),
    output_tokens: integer('Output tokens that it used.'),
  }),
  critic_verdict: atNode('A node of the strategy has judged an answer. Follows its `node_completed`.', {
    score: nullable(Type.Number(), 'Its score; null if it gave none.'),
    passed: flag('Whether the answer passes, or the debate is settled.'),
    feedback: absent(text('What it said.')),
  }),
  strategy_completed: ofExecution('The strategy has its answer. Right before `workflow_completed`.', {
    iterations: integer('Iterations that began.'),
    total_cost_usd: nullable(Type.Number(), 'What the execution cost in USD; null if costs are not counted.'),
  }),
  strategy_limit_hit: ofExecution('The execution ended at a `limit_exceeded` node. Always the last event.', {
    limit_type: text('The budget that is exceeded, `token_budget` or `cost_budget`; else `limit_exceeded`.'),
    limit_value: json('The limit; null if the node names none.'),
    actual_value: json('What was reached; null if unknown.'),
  }),
  remote_task_started: atNode('A remote agent has accepted a task. Later attempts of the visit continue it.', {
    task_id: text('Id of the task at the agent.'),
    context_id: text('Id of the conversation at the agent; empty if it has none.'),
    agent: text('URL of the agent.'),
    ...attempt,
  }),
  agent_tool_invoked: atNode('An agent is called as a tool.', {
    agent_uri: text('URL of the agent.'),
    mode: oneOf(['sync', 'streaming', 'conversational'], 'How it is called.'),
    protocol: oneOf(['a2a', 'http'], '`a2a`, or `http` for agents without a card: `tasks/send`.'),
    input_hash: text('SHA-256 of the input, in hexadecimal digits.'),
    ...attempt,
  }),
  agent_tool_progress: atNode('An agent that is called as a tool has sent a part of its output.', {
    chunk_index: integer('Number of the last part, counted from 0. Parts that come close together share one event.'),
    partial_output_summary: text('The beginning of the part.'),
    ...attempt,
  }),
  agent_tool_turn: atNode('A turn of a conversation with an agent.', {
    turn_number: integer('Number of the turn, counted from 1.'),
    direction: oneOf(['outbound', 'inbound'], '`outbound`: to the agent.'),
    content_summary: text('The beginning of the message.'),
    tokens: integer('Tokens that the agent reports for the turn; 0 if it reports none.'),
    cost: number('Cost in USD that the agent reports for the turn; 0 if it reports none.'),
    ...attempt,
  }),
  agent_tool_completed: atNode('An agent that was called as a tool has given its result.', {
    output: json('Its result; null above 8 KiB: `node_completed` has it.'),
    provenance: absent(json('Where the result comes from, as the agent says; absent if it does not.')),
    total_cost: number('Cost in USD that the agent reports; 0 if it reports none.'),
    latency_ms: integer('Milliseconds since it was called.'),
    total_turns: absent(integer('Turns of the conversation; absent in other modes.')),
    ...attempt,
  }),
  agent_tool_terminated: atNode('An agent that was called as a tool was stopped.', {
    reason: text('`budget_exceeded`, `max_turns` or `cancelled`.'),
    chunks_received: integer('Parts of its output that have come.'),
    partial_output: json('What has come; null if nothing has, or above 8 KiB.'),
    cost: number('Cost in USD so far, as the agent reports it.'),
    ...attempt,
  }),
  agent_tool_failed: atNode('The call of an agent as a tool failed. `node_failed` follows.', {
    failure_type: text('Class of the error.'),
    message: text('What went wrong.'),
    retryable: flag('Whether another attempt may succeed.'),
    ...attempt,
  }),
  oauth_token_exchange: atNode('An attempt has asked for an access token of the person on whose behalf the execution runs.', {
    outcome: oneOf(['granted', 'refused'], '`refused`: `node_failed` follows.'),
    token_endpoint: text('URL of the token endpoint, as the workflow names it.'),
    requested_scopes: texts('Scopes that were asked for.'),
    granted_scopes: nullable(texts('Scopes.'), 'Scopes of the token; null if it was refused.'),
    audience: absent(text('Service that the token is for; absent if the workflow names none.')),
    error: absent(text('Why it was refused; absent when it was granted.')),
    ...attempt,
  }),
  coordinator_discovery: atNode('A coordinator has looked for agents.', {
    query_skills: Type.Array(Type.String(), { description: 'Skills that the agent must have.' }),
    query_trust_domain: nullable(Type.String(), 'Trust domain that it must be of; null = any.'),
    candidates: Type.Array(
      object('`{uri, agent_id, name, skills, latency_class, cost_class, trust_domain, reasoning_modes, history?}`.'),
      {
        description: 'Agents that can do the task; the first 50.',
      },
    ),
    filtered_out: Type.Array(object('`{uri, reason}`.'), { description: 'Agents that cannot, and why; the first 50.' }),
    ...attempt,
  }),
  coordinator_scoring: atNode('A coordinator has scored agents.', {
    rankings: Type.Array(object('`{uri, scores, composite}`.'), { description: 'The best first; the first 50.' }),
    spread: number('Difference of the two best composites; 1 if there is only one.'),
    weights: object('How much each score counts.'),
    ...attempt,
  }),
  coordinator_decision: atNode('A coordinator has selected an agent, or found none.', {
    selected: nullable(Type.String(), 'URI of the agent; null if there is none.'),
    method: text(
      '`single_candidate`, `structured`, `below_threshold`, `llm_tiebreaker`, `tiebreaker_failed` or `no_candidates`; a coordinator server may have others.',
    ),
    reasoning: nullable(Type.String(), 'Why; null if nothing is said.'),
    confidence: number('From 0 to 1.'),
    rejected: Type.Array(object('`{uri, reason}`.'), { description: 'The others; the first 50.' }),
    tiebreaker_tokens: nullable(object('`{input, output}`.'), 'Tokens that the tiebreaker used; null if none was asked.'),
    tiebreaker_cost: nullable(Type.Number(), 'What it cost in USD; null if unknown.'),
    ...attempt,
  }),
} satisfies Readonly<Record<EventType, TObject>>;

/** What an event of a type says, in snake_case. */
export type EventData<Type extends EventType> = JsonObject & Static<(typeof EVENT_DATA)[Type]>;
