/**
 * Version of the execution rules. An execution follows one version from its start to its end, so that its log is replayed by the rules that
 * wrote it:
 *
 * 1. First releases. Nodes behind a loop around a subgraph are skipped when the subgraph is left. An execution that reaches its step limit
 *    before a `limit_exceeded` node ends as `limit_exceeded`.
 * 2. Those nodes are skipped as soon as the loop can no longer iterate, and the step limit fails the execution.
 * 3. An execution whose conditions ask for `__cost_exceeded__` goes on when it exceeds a budget. Policies judge the tools that an agent loop is
 *    about to call, by their names, and what they block fails with the class `policy_violation`. `output_to_state` has a meaning.
 *    Limits of autonomy hold attempts.
 * 4. What the runtime keeps in the state (`InternalState`) is written by the results of its nodes alone.
 */
export const RULES = 4;
export const FIRST_RULES = 1;
export const LOOP_RULES = 2;
export const BUDGET_RULES = 3;
export const POLICY_RULES = 3;
export const FIELD_RULES = 3;
export const AUTONOMY_RULES = 3;
export const INTERNAL_STATE_RULES = 4;
