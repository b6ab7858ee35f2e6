import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Scoring } from '../../nodes/kind.ts';
import type { NodeOutcome } from '../../program/outcome-routes.ts';
import { visitIn } from '../context/active-visits.ts';
import { own } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { meter } from './budgets.ts';
import { usageEventData } from './usage.ts';

type Done = MachineEvent & { readonly type: 'done' };

/** What follows from scores, as `eval_scored` and the output of the node say it. */
type ScoringAction = Scoring['onFail'] | 'continue';

/** The results of scorers, as a worker gives them; anything else in its output is dropped. */
interface Scored {
  readonly passed: boolean;
  readonly results: readonly Json[];
  readonly feedback: string | null;
}

export function hasPassed(output: Json): boolean {
  return isObject(output) && output.passed === true;
}

/** How often the node has sent its work back since it was reached from elsewhere. */
export function retriesOf(step: StepContext, node: string): number {
  return own(step.now.evalRetries ?? {}, node) ?? 0;
}

export function scoredOf(output: Json): Scored {
  const given = isObject(output) ? output : {};
  const passed = hasPassed(output);
  return {
    passed,
    results: Array.isArray(given.scorers) ? (given.scorers as readonly Json[]) : [],
    feedback: !passed && typeof given.feedback === 'string' ? given.feedback : null,
  };
}

/** What follows from a result; after the last retry, a result that does not pass fails the node. */
export function actionOf(step: StepContext, node: string, { onFail, maxRetries }: Scoring, { passed }: Scored): ScoringAction {
  if (passed) return 'continue';
  return onFail === 'retry_with_feedback' && retriesOf(step, node) >= maxRetries ? 'halt' : onFail;
}

/** The output of a node with scores. */
export function scoringOutput({ passed, results, feedback }: Scored, action: ScoringAction): JsonObject {
  return { passed, action, scorers: [...results], ...(feedback === null ? {} : { feedback }) };
}

/** The error of a node that fails because its work does not pass. */
export function scoringError({ results }: Scored): string {
  const messages = results.flatMap((result) =>
    isObject(result) && result.passed !== true ? [`${String(result.scorer)}: ${String(result.message)}`] : [],
  );
  return `did not pass${messages.length === 0 ? '' : `: ${messages.join('; ')}`}`.slice(0, 2_000);
}

/** Logs the scores, with the usage if no `node_completed` follows that has it. */
export function addScored(step: StepContext, event: Done, node: string, activation: number): void {
  const scoring = step.tables.scorings.get(node);
  if (scoring === undefined) return;
  const scored = scoredOf(event.output);
  const action = actionOf(step, node, scoring, scored);
  const { passed, results, feedback } = scored;
  const completes = action !== 'halt' && action !== 'escalate';
  step.addEvent('eval_scored', node, {
    passed,
    action,
    results: [...results],
    ...(feedback === null ? {} : { feedback }),
    duration_ms: event.durationMs,
    ...(completes ? {} : usageEventData(event.usage)),
    activation,
  });
}

/** The result does not pass: the node parks until a person has decided. */
export function askForReview(step: StepContext, event: MachineEvent, node: string): void {
  if (event.type !== 'done') throw new TypeError(`${event.type} scores nothing`);
  const active = step.activeOf(node);
  const { activation } = active;
  addScored(step, event, node, activation);
  const scored = scoredOf(event.output);
  const description = `${node} ${scoringError(scored)}`;
  const since = step.addEvent('interrupt_raised', node, reviewData(step, description, activation));
  const result = scoringOutput(scored, 'escalate');
  const atMs = step.env?.nowMs ?? 0;
  step.setActive(node, Object.assign(visitIn('approval', active), { since, atMs, description, result }));
  meter(step, node, event);
}

/** Data of the `interrupt_raised` with which a person is asked about scores. */
export function reviewData(step: StepContext, description: string, activation: number): JsonObject {
  return { reason: 'eval', description, state_for_review: step.now.state, activation };
}

/** A node with scores has ended its visit: it counts how often it sends its work back, and forgets what that work took. */
export function noteScoring(step: StepContext, node: string, outcome: NodeOutcome): void {
  if (!step.tables.scorings.has(node)) return;
  step.scores.setRetries(node, outcome === 'again' ? retriesOf(step, node) + 1 : 0);
  step.scores.clearMeasures(node);
}
