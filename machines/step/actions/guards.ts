import { isRetryable } from '../../ir/error-classes.ts';
import type {
  ChildParams,
  ConditionParams,
  DecisionParams,
  EndParams,
  ForkParams,
  LaneParams,
  NodeParams,
  ResultParams,
  RetryParams,
  ScoringParams,
  SubgraphNodeParams,
  SubgraphParams,
} from '../../program/parameters.ts';
import { own } from '../context/context.ts';
import type { MachineContext, StepContext } from '../context/step-context.ts';
import { NODE, type NodeState } from '../context/subgraph-state.ts';
import type { MachineEvent } from '../machine-event.ts';
import { isChosen } from './conditions.ts';
import { hasPassed, retriesOf } from './scoring.ts';

export interface GuardArgs {
  readonly context: MachineContext;
  readonly event: MachineEvent;
}

/** The guards of compiled machines. They read the step context and change nothing in it. */
export const guards = {
  at: ({ event }: GuardArgs, { node }: NodeParams) => 'node' in event && event.node === node,
  retry: ({ context: { step }, event }: GuardArgs, { node, max, on, at_once }: RetryParams) =>
    event.type === 'fail' &&
    event.node === node &&
    (at_once !== true || event.delayMs === 0) &&
    (step.now.active.get(node)?.attempt ?? 0) + 1 < max &&
    isRetryable(on, event),
  when: ({ context: { step } }: GuardArgs, { node, expr }: ConditionParams) => isChosen(step, node, expr),
  /** Has the evaluation budget been exceeded at the node? */
  exceeded: ({ context: { step } }: GuardArgs, { node }: NodeParams) => step.evaluation.hasExceeded(node),
  routed: ({ event }: GuardArgs, { node, as }: ResultParams) =>
    event.type === 'done' && event.node === node && event.route === as,
  decided: ({ event }: GuardArgs, { node, as }: DecisionParams) =>
    event.type === 'decide' && event.node === node && event.decision === as,
  notPassed: ({ context: { step }, event }: GuardArgs, { node, max }: ScoringParams) =>
    event.type === 'done' &&
    event.node === node &&
    !hasPassed(event.output) &&
    (max === undefined || retriesOf(step, node) < max),
  childIs: ({ event }: GuardArgs, { node, status }: ChildParams) =>
    event.type === 'child' && event.node === node && event.change.status === status,
  /** Does the execution continue as another one? */
  continues: ({ context: { step } }: GuardArgs) => step.halt?.status === 'limit_exceeded' && step.halt.continuedAs !== undefined,
  /** Is the node the next of those that run before the execution ends? */
  isNext: ({ context: { step } }: GuardArgs, { node }: NodeParams) => step.now.ending?.left[0] === node,
  endsAs: ({ context: { step } }: GuardArgs, { as }: EndParams) => step.now.ending?.status === as,
  anyFailed: ({ context: { step } }: GuardArgs) =>
    step.now.failures.length > 0 || step.now.abandoned !== undefined || step.halt !== null,
  /** Is the execution to continue at the node for budgets? */
  rerouted: ({ context: { step } }: GuardArgs) => step.halt?.status === 'rerouted',
  /** Has the step limit or a budget been reached before this node was? */
  halted: ({ context: { step } }: GuardArgs) => step.halt !== null,
  limitReached: ({ context: { step } }: GuardArgs) => step.halt?.status === 'limit_exceeded',
  /** Have all branches of a fork arrived? */
  branchesEnded: ({ context: { step } }: GuardArgs, { fork, of, as }: ForkParams) => {
    const [joined, ended, failed] = own(step.now.forks, fork) ?? [0, 0, 0];
    if (joined + ended + failed < of) return false;
    return as === undefined || (as === 'joined' ? joined : failed) > 0;
  },
  ready: ({ context: { step } }: GuardArgs, params: SubgraphNodeParams) => nodeState(step, params) === NODE.released,
  over: ({ context: { step } }: GuardArgs, params: SubgraphNodeParams) => {
    const state = nodeState(step, params);
    return state === NODE.over || state === NODE.closed;
  },
  cancelled: ({ context: { step } }: GuardArgs, params: SubgraphNodeParams) => nodeState(step, params) === NODE.closed,
  /** Can nothing in the subgraph run any more? `failed`: and has one of its nodes failed? */
  settled: ({ context: { step } }: GuardArgs, { subgraph, failed }: SubgraphParams) => {
    if (step.halt !== null || step.enteredSubgraph(subgraph)?.isSettled !== true) return false;
    const inside = step.tables.containedNodes.get(subgraph);
    return failed !== true || step.now.failures.some((node) => inside?.has(step.indexOf(node)) === true);
  },
  iterates: ({ context: { step } }: GuardArgs, { subgraph, lane, loop }: LaneParams) =>
    step.enteredSubgraph(subgraph)?.isRewinding(lane, loop) === true,
};

function nodeState(step: StepContext, { subgraph, node }: SubgraphNodeParams): NodeState {
  return step.enteredSubgraph(subgraph)?.nodeState(step.indexOf(node)) ?? NODE.undecided;
}
