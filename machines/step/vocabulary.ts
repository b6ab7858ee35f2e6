import { forwardsInput } from '../compile/output-use.ts';
import type {
  ChildParams,
  CompleteParams,
  ConditionParams,
  ContextUpdate,
  DecisionParams,
  FailParams,
  ForkParams,
  LaneParams,
  NodeParams,
  RetryParams,
  SubgraphNodeParams,
  SubgraphParams,
} from '../compile/parameters.ts';
import { BACKOFF } from '../compile/state-ids.ts';
import type { ProgramTables } from '../compile/tables.ts';
import { truthy } from '../expression/values.ts';
import { isRetryable } from '../ir/error-classes.ts';
import {
  approveHeldNode,
  attemptStarted,
  childChanged,
  complete,
  fail,
  failOverBudget,
  leaveOverBudget,
  passControlNode,
  retry,
} from './actions.ts';
import { assignment } from './assignment.ts';
import { type Context, languageOf, own, rulesOf } from './context.ts';
import type { MachineEvent } from './machine-event.ts';
import { FIRST_RULES } from './rules.ts';
import { StepContext } from './step-context.ts';
import { nodeStateOf } from './subgraph-context.ts';

type Given = { readonly context: Context; readonly event: MachineEvent };

/**
 * The fixed vocabulary of compiled machines. Configs name these guards, actions and the one delay, with parameters; so a config is
 * plain JSON that can be exported, compared and drawn. Guards read the context, actions make the next one; neither does anything
 * else. `begin` alone is not carried out here: the step does, in node order, once everything else has settled.
 */
export function vocabulary(statics: ProgramTables) {
  const action = <P>(change: (draft: StepContext, event: MachineEvent, params: P) => void) =>
    assignment((context: Context, stimulus: MachineEvent, params: P) => {
      if (context.halt !== null) return context;
      const draft = new StepContext(statics, context);
      change(draft, stimulus, params);
      return draft.freeze();
    });
  /** A node that chooses among its ways does so when it completes: what it completes to is not kept when the choice is too much work. */
  const completion = (change: (draft: StepContext, stimulus: MachineEvent, params: CompleteParams) => void) =>
    assignment((context: Context, stimulus: MachineEvent, params: CompleteParams) => {
      if (context.halt !== null) return context;
      const draft = new StepContext(statics, context);
      change(draft, stimulus, params);
      if (params.choosing !== true) return draft.freeze();
      const completed = draft.freeze();
      chooseTransition(statics, completed, params.node);
      if (!statics.evaluation.hasExceeded(params.node)) return completed;
      const failed = new StepContext(statics, context);
      failOverBudget(failed, stimulus, params.node);
      return failed.freeze();
    });
  const nodeState = (context: Context, { section, node }: SubgraphNodeParams): string => {
    const table = statics.subgraphs.get(section);
    const state = own(context.sections, section);
    const index = statics.graph.indexOf(node);
    return table === undefined || state === undefined || index === undefined ? '.' : nodeStateOf(table, state, index);
  };
  return {
    guards: {
      at: ({ event }: Given, { node }: NodeParams) => 'node' in event && event.node === node,
      retry: ({ context, event }: Given, { node, max, on, at_once }: RetryParams) =>
        event.type === 'fail' &&
        event.node === node &&
        (at_once !== true || event.delayMs === 0) &&
        (own(context.active, node)?.attempt ?? 0) + 1 < max &&
        isRetryable(on, event),
      when: ({ context }: Given, { node, expr }: ConditionParams) => {
        const chosen = statics.evaluation.chosen(node);
        return chosen === undefined ? isConditionTrue(statics, context, node, expr) : chosen === expr;
      },
      exceeded: (_: Given, { node }: NodeParams) => statics.evaluation.hasExceeded(node),
      decided: ({ event }: Given, { node, as }: DecisionParams) =>
        event.type === 'decide' && event.node === node && event.decision === as,
      childIs: ({ event }: Given, { node, status }: ChildParams) =>
        event.type === 'child' && event.node === node && event.change.status === status,
      anyFailed: ({ context }: Given) => context.failures.length > 0 || context.halt !== null,
      /** The step limit has been reached, or a budget, before this node was. */
      halted: ({ context }: Given) => context.halt !== null && rulesOf(context) > FIRST_RULES,
      limitReached: ({ context }: Given) => context.halt?.status === 'limit_exceeded',
      closed: ({ context }: Given, { fork, of, as }: ForkParams) => {
        const [joined, ended, failed] = own(context.forks, fork) ?? [0, 0, 0];
        if (joined + ended + failed < of) return false;
        return as === undefined || (as === 'joined' ? joined : failed) > 0;
      },
      ready: ({ context }: Given, params: SubgraphNodeParams) => nodeState(context, params) === 'r',
      over: ({ context }: Given, params: SubgraphNodeParams) => 'xc'.includes(nodeState(context, params)),
      lost: ({ context }: Given, params: SubgraphNodeParams) => nodeState(context, params) === 'c',
      settled: ({ context }: Given, { section, failed }: SubgraphParams) => {
        const state = own(context.sections, section);
        if (state === undefined || context.halt !== null) return false;
        if (state.running > 0 || state.ready.length > 0 || state.rewinding.length > 0) return false;
        const inside = statics.containedNodes.get(section);
        return failed !== true || context.failures.some((node) => inside?.has(statics.graph.indexOf(node) ?? 0) === true);
      },
      goesRound: ({ context }: Given, { section, track, loop }: LaneParams) =>
        own(context.sections, section)?.rewinding.includes(track) === true && own(context.sections, section)?.loop === loop,
    },
    actions: {
      go: action<{ follow?: ContextUpdate }>((draft, _, { follow }) => draft.followTransition(null, follow)),
      route: action<CompleteParams>((draft, _, { node, follow }) => draft.followTransition(node, follow)),
      complete: completion(complete),
      fail: action<FailParams>(fail),
      exceed: action<FailParams>(leaveOverBudget),
      retry: action<NodeParams>((draft, stimulus, { node }) => retry(draft, stimulus, node)),
      pass: completion((draft, _, params) => passControlNode(draft, params)),
      allow: action<NodeParams>((draft, stimulus, { node }) => approveHeldNode(draft, stimulus, node)),
      claimed: action<NodeParams>((draft, stimulus, { node }) => attemptStarted(draft, stimulus, node)),
      childNews: action<NodeParams>((draft, stimulus, { node }) => childChanged(draft, stimulus, node)),
      enter: action<SubgraphNodeParams>((draft, _, { section, node }) => draft.subgraph(section).nodeEntered(node)),
      begin: () => undefined,
      rewound: action<LaneParams>((draft, _, { section, track }) => draft.subgraph(section).laneRewound(track)),
    },
    delays: {
      [BACKOFF]: ({ event }: Given) => (event.type === 'fail' ? event.delayMs : 0),
    },
  };
}

/** Evaluates the conditions of a node that has completed, up to the one that holds. */
function chooseTransition(statics: ProgramTables, context: Context, node: string): void {
  const held = statics.exclusiveConditions.get(node)?.find((text) => isConditionTrue(statics, context, node, text));
  statics.evaluation.choose(node, held ?? null);
}

/** Conditions of a condition node look at what reached it, those of other nodes at their own output. */
function isConditionTrue(statics: ProgramTables, context: Context, node: string, text: string): boolean {
  const index = statics.graph.indexOf(node) ?? 0;
  const received = forwardsInput(statics.graph, index) ? own(context.fed, node)?.at(-1)?.[1] : undefined;
  const output = own(context.outputs, node) ?? received ?? null;
  const { state, input, env } = context;
  const scope = { state, output, input, env, language: languageOf(context) };
  const { value, error } = statics.evaluation.condition(node, statics.expression(text), scope);
  return error === undefined && truthy(value);
}
