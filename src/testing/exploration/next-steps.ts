import { RESULT_ROLES } from '../../../machines/graph/edges.ts';
import { isObject, type Json } from '../../../machines/json.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import type { ActiveNode } from '../../../machines/run.ts';
import { activeOf, failuresOf } from '../../../machines/step/index.ts';
import { fireTimer, type SimState, type SimStep, type SimWorkflow, sendMessage } from '../simulation/simulation.ts';
import type { BranchInputs } from './branch-inputs.ts';

/** A step that may happen next. */
export interface PossibleStep {
  readonly node: string;
  readonly step: SimStep;
}

/** User id of decisions in explored runs. */
const DECIDER = 'tester';

/** All steps that may happen next, with at most one unhandled failure per run. */
export function possibleSteps(workflow: SimWorkflow, branchInputs: BranchInputs, state: SimState): readonly PossibleStep[] {
  return nextNodes(workflow, state).flatMap((active) =>
    stepsOf(workflow, branchInputs, state, active).flatMap((step) => (step === null ? [] : [{ node: active.node, step }])),
  );
}

/**
 * The nodes that advance next. Parallel branches advance one after the other in the order of the file, because the order in which they end
 * makes no difference at their join. Sources of a first-wins join advance in every order.
 */
export function nextNodes({ program }: SimWorkflow, { run }: SimState): readonly ActiveNode[] {
  const { graph } = program.tables;
  // What is in progress of a node that works on a list are its items.
  const active = activeOf(program, run).filter(({ phase }) => phase !== 'items');
  const joins = graph.reachable.filter((node) => graph.isFirstJoin(node));
  const races = ({ node }: ActiveNode): boolean => {
    const index = graph.indexOf(node) ?? 0;
    return joins.some((join) => graph.cancellationRegion(join).has(index) || graph.sources(join).includes(index));
  };
  const independent = active.find((candidate) => !races(candidate));
  return independent === undefined ? active : [independent];
}

function stepsOf(
  workflow: SimWorkflow,
  branchInputs: BranchInputs,
  state: SimState,
  active: ActiveNode,
): readonly (SimStep | null)[] {
  const { node, activation, attempt, item, phase, childId } = active;
  const visit = { node, activation, attempt, item };
  // Outputs that conditions ask for are those of the node, not of an item.
  const outputs: readonly Json[] = (item === undefined ? branchInputs.outputs.get(node) : undefined) ?? [{}];
  switch (phase) {
    case 'running':
    case 'queued':
      return [
        ...resultsOf(workflow, state, node, outputs).map((result) =>
          sendMessage(workflow, state, { type: 'done', ...visit, ...result, durationMs: 0 }),
        ),
        ...RESULT_ROLES.filter((route) => workflow.branches.of(node, route).length > 0).map((route) =>
          sendMessage(workflow, state, { type: 'done', ...visit, output: {}, durationMs: 0, route }),
        ),
        ...failures(workflow, state, active),
      ];
    case 'child': {
      const childMessage = { type: 'child', ...visit, childId: childId ?? '', childWorkflowId: node } as const;
      return [
        ...outputs.map((result) => sendMessage(workflow, state, { ...childMessage, change: { status: 'completed', result } })),
        ...(mayFail(workflow, state, node)
          ? [sendMessage(workflow, state, { ...childMessage, change: { status: 'failed', error: 'failed' } })]
          : []),
      ];
    }
    case 'backoff':
      return [fireTimer(workflow, state, active)];
    case 'awaiting_approval':
    case 'approval':
      return [...decisions(workflow, state, active), fireTimer(workflow, state, active)];
    case 'waiting':
      return waitOutcomes(workflow, branchInputs, state, active);
    default:
      return [];
  }
}

/** The results of work with these outputs. Work that scores other work finds that it passes, and that it does not. */
function resultsOf(
  workflow: SimWorkflow,
  state: SimState,
  node: string,
  outputs: readonly Json[],
): readonly { readonly output: Json; readonly patch?: Json }[] {
  const { kind } = workflow.program.tables.nodeOf(node);
  const definition = definitionOf(kind);
  const results = (outputs: readonly Json[]) => outputs.map((output) => definition.testResult(kind, { output }));
  const onFail = definition.scoring(kind)?.onFail;
  if (onFail === undefined) return results(outputs);
  const mayHalt = (onFail !== 'halt' && onFail !== 'retry_with_feedback') || mayFail(workflow, state, node);
  const scored = outputs.flatMap((output) => {
    const given = isObject(output) ? output : {};
    return typeof given.passed === 'boolean' ? [given] : [true, false].map((passed) => ({ ...given, passed }));
  });
  return results(scored.filter(({ passed }) => passed === true || mayHalt));
}

/** The first attempt fails retryably if the policy allows a retry; later attempts fail finally. */
function failures(
  workflow: SimWorkflow,
  state: SimState,
  { node, activation, attempt, item }: ActiveNode,
): readonly (SimStep | null)[] {
  const { max_attempts, retryable_on } = workflow.program.tables.nodeOf(node).retry;
  const retryable = attempt === 0 && max_attempts > 1;
  if (!retryable && !mayFail(workflow, state, node)) return [];
  const [errorClass] = retryable_on;
  const named = errorClass === undefined ? {} : { errorClass };
  return [sendMessage(workflow, state, { type: 'fail', node, activation, attempt, item, error: 'failed', retryable, ...named })];
}

function decisions(workflow: SimWorkflow, state: SimState, { node, item, phase }: ActiveNode): readonly (SimStep | null)[] {
  const given = { type: 'decide', node, item, userId: DECIDER, comment: null, patch: null } as const;
  const approved = sendMessage(workflow, state, { ...given, decision: 'approved' });
  const outcome = phase === 'awaiting_approval' ? 'failed' : 'rejected';
  if (!mayFail(workflow, state, node, outcome)) return [approved];
  return [approved, sendMessage(workflow, state, { ...given, decision: 'rejected' })];
}

/** The event on time, and the timeout. Early and late events are explored in explore.ts. */
function waitOutcomes(
  workflow: SimWorkflow,
  branchInputs: BranchInputs,
  state: SimState,
  active: ActiveNode,
): readonly (SimStep | null)[] {
  const { node, waitsFor } = active;
  const timedOut = mayFail(workflow, state, node, 'timeout') || waitsFor === null ? fireTimer(workflow, state, active) : null;
  if (waitsFor === null) return [timedOut];
  const payloads: readonly Json[] = branchInputs.outputs.get(node) ?? [{}];
  const inTime = payloads.map((payload) => sendMessage(workflow, state, { type: 'event', key: waitsFor, payload }));
  return [...inTime, timedOut];
}

function mayFail(
  workflow: SimWorkflow,
  { run }: SimState,
  node: string,
  outcome: 'failed' | 'rejected' | 'timeout' = 'failed',
): boolean {
  const isHandled = workflow.branches.of(node, outcome).every(({ alternative }) => alternative !== null);
  return isHandled || failuresOf(run).length === 0;
}
