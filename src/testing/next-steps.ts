import type { Json } from '../../machines/json.ts';
import type { ActiveNode } from '../../machines/run.ts';
import { activeOf } from '../../machines/step/index.ts';
import type { BranchInputs } from './branch-inputs.ts';
import { fireTimer, type SimState, type SimStep, type SimWorkflow, sendMessage } from './simulation.ts';

/** Something that may happen next, and what it leads to. */
export interface PossibleStep {
  readonly node: string;
  readonly happening: SimStep;
}

/** The user that decides in explored runs. */
const DECIDER = 'tester';

/** Everything that may happen next. One failure that nobody handles is enough for a run. */
export function possibleSteps(world: SimWorkflow, wishes: BranchInputs, scene: SimState): readonly PossibleStep[] {
  return nextNodes(world, scene).flatMap((active) =>
    stepsOf(world, wishes, scene, active).flatMap((happening) => (happening === null ? [] : [{ node: active.node, happening }])),
  );
}

/**
 * The nodes that are played next. Branches that do not race each other are played one after the other, in the order in which they were
 * written: in which order they end makes no difference where they meet. Sources of a first-wins join are played in every order.
 */
export function nextNodes({ program }: SimWorkflow, { run }: SimState): readonly ActiveNode[] {
  const { graph } = program.tables;
  const active = activeOf(program, run);
  const joins = graph.reachable.filter((node) => graph.isFirstJoin(node));
  const races = ({ node }: ActiveNode): boolean => {
    const index = graph.indexOf(node) ?? 0;
    return joins.some((join) => graph.cancellationRegion(join).has(index) || graph.sources(join).includes(index));
  };
  const independent = active.find((candidate) => !races(candidate));
  return independent === undefined ? active : [independent];
}

function stepsOf(world: SimWorkflow, wishes: BranchInputs, scene: SimState, active: ActiveNode): readonly (SimStep | null)[] {
  const { node, activation, attempt, phase, childId } = active;
  const visit = { node, activation, attempt };
  const outputs: readonly Json[] = wishes.outputs.get(node) ?? [{}];
  switch (phase) {
    case 'running':
    case 'queued':
      return [
        ...outputs.map((output) => sendMessage(world, scene, { type: 'done', ...visit, output, durationMs: 0 })),
        ...failures(world, scene, active),
      ];
    case 'child': {
      const childMessage = { type: 'child', ...visit, childId: childId ?? '', childWorkflowId: node } as const;
      return [
        ...outputs.map((result) => sendMessage(world, scene, { ...childMessage, change: { status: 'completed', result } })),
        ...(mayFail(world, scene, node)
          ? [sendMessage(world, scene, { ...childMessage, change: { status: 'failed', error: 'failed' } })]
          : []),
      ];
    }
    case 'backoff':
      return [fireTimer(world, scene, node)];
    case 'held':
    case 'approval':
      return [...decisions(world, scene, active), fireTimer(world, scene, node)];
    case 'waiting':
      return waitOutcomes(world, wishes, scene, active);
    default:
      return [];
  }
}

/** The first attempt fails in a way worth another, where there is one; later ones for good. */
function failures(world: SimWorkflow, scene: SimState, { node, activation, attempt }: ActiveNode): readonly (SimStep | null)[] {
  const { max_attempts, retryable_on } = world.program.tables.nodeOf(node).retry;
  const retryable = attempt === 0 && max_attempts > 1;
  if (!retryable && !mayFail(world, scene, node)) return [];
  const [errorClass] = retryable_on;
  const named = errorClass === undefined ? {} : { errorClass };
  return [sendMessage(world, scene, { type: 'fail', node, activation, attempt, error: 'failed', retryable, ...named })];
}

function decisions(world: SimWorkflow, scene: SimState, { node, phase }: ActiveNode): readonly (SimStep | null)[] {
  const given = { type: 'decide', node, userId: DECIDER, comment: null, patch: null } as const;
  const approved = sendMessage(world, scene, { ...given, decision: 'approved' });
  const ending = phase === 'held' ? 'failed' : 'rejected';
  if (!mayFail(world, scene, node, ending)) return [approved];
  return [approved, sendMessage(world, scene, { ...given, decision: 'rejected' })];
}

/** The event in time; the same event too late, after the time is over. That it comes early is tried when the wait begins. */
function waitOutcomes(
  world: SimWorkflow,
  wishes: BranchInputs,
  scene: SimState,
  { node, waitsFor }: ActiveNode,
): readonly (SimStep | null)[] {
  const timedOut = mayFail(world, scene, node, 'timeout') || waitsFor === null ? fireTimer(world, scene, node) : null;
  if (waitsFor === null) return [timedOut];
  const payloads: readonly Json[] = wishes.outputs.get(node) ?? [{}];
  const inTime = payloads.map((payload) => sendMessage(world, scene, { type: 'event', key: waitsFor, payload }));
  return [...inTime, timedOut];
}

function mayFail(
  world: SimWorkflow,
  { run }: SimState,
  node: string,
  ending: 'failed' | 'rejected' | 'timeout' = 'failed',
): boolean {
  const isHandled = world.ways.of(node, ending).every(({ alternative }) => alternative !== null);
  const context: { readonly failures?: readonly string[] } = run.snapshot.context;
  return isHandled || (context.failures ?? []).length === 0;
}
