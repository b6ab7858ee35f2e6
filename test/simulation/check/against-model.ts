import { appendedIn } from '../../../machines/appended-lists.ts';
import type { Node, Workflow } from '../../../machines/ir/workflow.ts';
import type { Json } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { BUDGET_EXCEEDED } from '../../../machines/step/index.ts';
import { EndlessLoop, Model } from '../../support/model.ts';

/** Events that the model does not cover; the log is compared up to the first of them. */
const NOT_MODELLED = new Set([
  'workflow_paused',
  'workflow_resumed',
  'workflow_retried',
  'workflow_forked',
  'workflow_cancelled',
  'workflow_finalizing',
  'token_budget_exceeded',
  'cost_budget_exceeded',
  'autonomy_limit_reached',
  'circuit_breaker_tripped',
  'child_workflow_waiting',
]);
const POLICY = new Set(['tool_approval_required', 'policy_violation']);
const WORK = new Set(['tool', 'subgraph', 'join', 'eval']);
/** Events that make a node fail or complete in the same step. */
const CAUSES = new Set(['approval_received', 'policy_violation', 'timer_fired', 'eval_scored']);

export interface ModelRun {
  readonly model: Model;
  /** Number of modelled events. */
  readonly events: number;
}

/**
 * Sends the messages of a log to the independent model of the graph rules (`test/support/model.ts`). `ends`: the last events of its steps. Null if
 * the model does not apply, because the workflow loops endlessly within one step.
 */
export function playModel(log: readonly TimedEvent[], workflow: Workflow, ends: readonly number[]): ModelRun | null {
  const events = modelledLength(log, workflow, ends);
  if (events === 0) return null;
  try {
    return { model: play(log.slice(0, events), workflow), events };
  } catch (error) {
    if (error instanceof EndlessLoop) return null;
    throw error;
  }
}

/** Number of events of the steps before the first one that the model does not cover. */
function modelledLength(log: readonly TimedEvent[], workflow: Workflow, ends: readonly number[]): number {
  const ungoverned = new Set(workflow.nodes.flatMap(({ id, policy }) => (policy === null ? [id] : [])));
  // The model does not know the node at which an execution continues beyond its budget.
  const behindBudget = workflow.edges.filter(({ from }) => from === workflow.on_budget_exceeded).map(({ to }) => to);
  const isOther = ({ id, kind }: Node): boolean =>
    ['agent', 'coordinator', 'durable_function', 'map', 'model', 'policy'].includes(kind.type) ||
    (kind.type === 'join' && behindBudget.includes(id));
  const others = new Set(workflow.nodes.filter(isOther).map(({ id }) => id));
  const isUnknown = ({ type, node_id, data }: TimedEvent): boolean =>
    NOT_MODELLED.has(type) ||
    data.activation === 0 ||
    data.error_class === BUDGET_EXCEEDED ||
    data.corrupt === true ||
    // The log has only what was added to the lists of an earlier output.
    appendedIn(data) !== null ||
    others.has(node_id ?? '') ||
    // By the policy of the workflow, or of the tenant.
    (POLICY.has(type) && (ungoverned.has(node_id ?? '') || data.policy_scope === 'tenant'));
  const unknown = log.findIndex((event, i) => isUnknown(event) || isCancel(log, i));
  const isLimit = String(log.at(-1)?.data.error ?? '').includes('step limit');
  if (unknown < 0 && !isLimit) return log.length;
  const first = unknown < 0 ? startOfStep(log, log.length - 1) : unknown;
  return ends.findLast((end) => end <= first) ?? 0;
}

function play(log: readonly TimedEvent[], workflow: Workflow): Model {
  const kinds = new Map(workflow.nodes.map(({ id, kind }) => [id, kind.type as string]));
  const model = new Model(workflow, log[0]?.data.initial_input ?? {});
  // By node: whether its retry waits for a timer, and the type of its last event.
  const backoff = new Set<string>();
  const last = new Map<string, string>();
  for (const { type, node_id, data } of log) {
    const node = node_id ?? '';
    const isMessage = WORK.has(kinds.get(node) ?? '') && !CAUSES.has(last.get(node) ?? '');
    if (type === 'node_completed' && isMessage && wasBegun(last.get(node))) model.done(node, (data.output ?? null) as Json);
    else if (type === 'eval_scored') model.done(node, scoresIn(data));
    else if (type === 'node_failed' && isMessage) model.fail(node, data.retryable === true, String(data.error));
    else if (type === 'retry_scheduled' && Number(data.delay_ms) > 0) backoff.add(node);
    else if (type === 'node_cancelled') backoff.delete(node);
    else if (type === 'node_scheduled' && backoff.delete(node)) model.fire(node);
    else if (type === 'timer_fired') model.fire(node);
    else if (type === 'approval_received')
      model.decide(node, data.decision === 'approved' ? 'approved' : 'rejected', String(data.user_id));
    else if (type === 'external_event_received') model.event(String(data.correlation_key), (data.payload ?? null) as Json);
    else if (type === 'child_workflow_paused' || type === 'child_workflow_resumed')
      model.setWaiting(node, type === 'child_workflow_paused');
    if (node_id !== null) last.set(node, type);
  }
  return model;
}

function scoresIn({ passed, results, feedback }: TimedEvent['data']): Json {
  return { passed: passed === true, scorers: results ?? [], ...(feedback === undefined ? {} : { feedback }) };
}

/** Only started work gets its result in a message; a `collect` join completes by itself. */
function wasBegun(last: string | undefined): boolean {
  return (
    last !== undefined && ['node_scheduled', 'node_started', 'tool_call_completed', 'child_workflow_completed'].includes(last)
  );
}

/** The log of a cancellation, or of an internal error, has the events of the nodes first. */
function isCancel(log: readonly TimedEvent[], at: number): boolean {
  for (let i = at; log[i]?.type === 'node_cancelled'; i += 1) {
    const next = log[i + 1];
    if (next?.type === 'workflow_cancelled' || next?.data.corrupt === true) return true;
  }
  return false;
}

/** Start of the step of an event, according to its time: steps at the same time count as one. */
function startOfStep(log: readonly TimedEvent[], at: number): number {
  let first = at;
  while (first > 0 && log[first - 1]?.at_ms === log[at]?.at_ms) first -= 1;
  return first;
}

/** Runs, skips and cancellations of a log, in the notation of the model. */
export function visitsIn(log: readonly TimedEvent[]): readonly string[] {
  const visits = new Set<string>();
  for (const { type, node_id, data } of log) {
    if (node_id === null) continue;
    const name = `${node_id}:${data.activation}`;
    if (type === 'node_skipped') visits.add(`skipped:${name}`);
    else if (type === 'node_cancelled') visits.add(`cancelled:${name}`);
    else if (['node_scheduled', 'node_started', 'tool_approval_required', 'policy_violation', 'node_completed'].includes(type))
      visits.add(`ran:${name}`);
  }
  return [...visits].sort();
}
