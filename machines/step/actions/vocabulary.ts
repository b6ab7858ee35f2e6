import type {
  CompleteParams,
  ContextUpdate,
  EndParams,
  FailParams,
  LaneParams,
  NodeParams,
  RerouteParams,
  SubgraphNodeParams,
} from '../../program/parameters.ts';
import { BACKOFF, PARKED } from '../../program/state-ids.ts';
import type { MachineContext, StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { approveHeldNode, attemptStarted, childChanged, complete, fail, passControlNode, retry } from './actions.ts';
import { finalize } from './finalize.ts';
import { guards } from './guards.ts';
import { leaveOverBudget } from './over-budget.ts';
import { reroute } from './reroute.ts';
import { askForReview } from './scoring.ts';

interface ActionArgs {
  readonly context: MachineContext;
  readonly event: MachineEvent;
}

type Change<P> = (step: StepContext, event: MachineEvent, params: P) => void;

/** An action changes nothing once the execution is halted. */
function action<P>(change: Change<P>) {
  return ({ context: { step }, event }: ActionArgs, params: P): void => {
    if (step.halt === null) change(step, event, params);
  };
}

/**
 * The fixed vocabulary of compiled machines. Configs name these guards, actions and the one delay, with parameters; so a config is
 * plain JSON that can be exported, compared and drawn. Guards read the step context, actions change it; neither does anything else.
 */
export const vocabulary = {
  guards,
  actions: {
    update: action<{ readonly update?: ContextUpdate }>((step, _, { update }) => step.followTransition(null, update)),
    choose: action<CompleteParams>((step, _, { node, update }) => step.followTransition(node, update)),
    complete: action(complete),
    fail: action(fail),
    exceed: action<FailParams>((step, _, params) => leaveOverBudget(step, params)),
    retry: action<NodeParams>((step, event, { node }) => retry(step, event, node)),
    pass: action(passControlNode),
    approve: action<NodeParams>((step, event, { node }) => approveHeldNode(step, event, node)),
    review: action<NodeParams>((step, event, { node }) => askForReview(step, event, node)),
    claimed: action<NodeParams>((step, event, { node }) => attemptStarted(step, event, node)),
    childChanged: action<NodeParams>((step, event, { node }) => childChanged(step, event, node)),
    enter: action<SubgraphNodeParams>((step, _, { subgraph, node }) => step.subgraph(subgraph).nodeEntered(node)),
    reroute: ({ context: { step } }: ActionArgs, params: RerouteParams): void => reroute(step, params),
    rewindLane: action<LaneParams>((step, _, { subgraph, lane }) => step.laneRewound(subgraph, lane)),
    /** Also of a halted execution, which goes on with the nodes that run before its end. */
    finalize: ({ context: { step }, event }: ActionArgs, params: EndParams): void => finalize(step, event, params),
    /** The node begins at the end of the step, also when it is halted: only then is it known in which order. */
    begin: ({ context: { step } }: ActionArgs, { node }: NodeParams): void => step.reach(node),
  },
  delays: {
    [BACKOFF]: ({ event }: ActionArgs) => (event.type === 'fail' ? event.delayMs : 0),
    [PARKED]: () => 0,
  },
};
