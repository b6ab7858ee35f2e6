import { at } from '../../graph/at.ts';
import { END } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Json, JsonObject } from '../../json.ts';
import { doesItems } from '../../nodes/index.ts';
import type { PolicyVerdict } from '../../policy.ts';
import { skippedAfter, skippedAround } from '../../program/dead-paths.ts';
import { finalizersFor } from '../../program/finalizers.ts';
import type { Alternative, NodeOutcome, OutcomeRoutes } from '../../program/outcome-routes.ts';
import type { OutputUse } from '../../program/output-use.ts';
import type { ContextUpdate, EndStatus } from '../../program/parameters.ts';
import type { Fork, ForkBranch, Plan, SubgraphPlan } from '../../program/plan.ts';
import { approvalStateId, endStateId, FINALIZE, stateId } from '../../program/state-ids.ts';

/** State configs by key. */
export type StateConfigs = Record<string, Json>;

/** The target of a transition and the changes that taking it makes. */
export interface Transition {
  readonly target: string;
  readonly update: ContextUpdate;
  readonly reenter?: true;
}

/** A region, and the transitions that leave it. */
export interface RegionExits {
  readonly plan: Plan;
  /** The node after the region; `NO_NODE` = none. */
  readonly exit: number;
  /** The branch that the region is, which limits the nodes that are skipped; null = the whole graph. */
  readonly branch: ForkBranch | null;
  readonly joined: Transition;
  readonly ended: Transition;
  readonly failed: Transition;
}

/** The transitions that leave a node. */
export interface NodeExits {
  transition(alternative: Alternative, ending: NodeOutcome): Transition;
  readonly failed: Transition;
  /** Inside a subgraph: the transition of a node that a first-wins join has cancelled. */
  readonly cancelled: JsonObject | null;
}

/** Builds transitions and the context updates that they make. */
export class TransitionBuilder {
  readonly graph: Graph;
  readonly routes: readonly OutcomeRoutes[];
  readonly #outputUse: OutputUse;
  readonly #verdicts: ReadonlyMap<number, PolicyVerdict>;

  constructor(
    graph: Graph,
    routes: readonly OutcomeRoutes[],
    outputUse: OutputUse,
    verdicts: ReadonlyMap<number, PolicyVerdict>,
  ) {
    this.graph = graph;
    this.routes = routes;
    this.#outputUse = outputUse;
    this.#verdicts = verdicts;
  }

  id(index: number): string {
    return this.graph.idOf(index);
  }

  name(index: number): string {
    return stateId(this.graph.idOf(index));
  }

  needsApproval(index: number): boolean {
    return this.#verdicts.get(index)?.decision === 'require_approval' && !doesItems(this.graph.node(index).kind);
  }

  /** Target of the state in which a visit to a node begins. */
  entry(index: number): string {
    return `#${this.needsApproval(index) ? approvalStateId(this.name(index)) : this.name(index)}`;
  }

  /** From anywhere to the node at which an execution over its budget continues. */
  overBudget(): JsonObject {
    const reroute = this.#reroute();
    return reroute === null ? {} : { overBudget: reroute };
  }

  /** The same transition out of a state in which the execution would end, or that it would leave at once. */
  rerouted(): JsonObject[] {
    const reroute = this.#reroute();
    return reroute === null ? [] : [{ guard: { type: 'rerouted' }, ...reroute }];
  }

  #reroute(): JsonObject | null {
    const { budgetNode } = this.graph;
    if (budgetNode === null) return null;
    const delivers = at(this.#outputUse.readsInput, budgetNode) ? { deliver: true } : {};
    return {
      target: this.entry(budgetNode),
      actions: [{ type: 'reroute', params: { node: this.id(budgetNode), ...delivers } }],
    };
  }

  /** Target and actions of a transition that ends the execution: to its end, or to what runs before it. */
  ending(as: EndStatus, actions: readonly JsonObject[] = []): JsonObject {
    if (finalizersFor(this.graph, as).length > 0)
      return { target: `#${FINALIZE}`, actions: [...actions, { type: 'finalize', params: { as } }] };
    return { target: `#${endStateId(as)}`, ...(actions.length === 0 ? {} : { actions: [...actions] }) };
  }

  /** The end at which the execution continues as another. It is no end for finalizers. */
  continuing(): JsonObject {
    return { guard: { type: 'continues' }, target: `#${endStateId('limit_exceeded')}` };
  }

  /** The ends at a limit. */
  limitEnds(): JsonObject[] {
    const limit = { guard: { type: 'limitReached' }, ...this.ending('limit_exceeded') };
    if (finalizersFor(this.graph, 'limit_exceeded').length === 0) return [limit];
    return [this.continuing(), limit];
  }

  /** A transition out of a fork or subgraph, on which no node ends. */
  structural(transition: Transition): JsonObject {
    return transitionConfig(transition, 'update', {}, Object.keys(transition.update).length === 0);
  }

  /** A transition on which a node ends, or (`choose`) that is chosen after the node has ended. */
  fromNode(
    transition: Transition,
    action: 'complete' | 'fail' | 'exceed' | 'choose' | 'pass',
    index: number,
    extra: JsonObject = {},
  ): JsonObject {
    // A `choose` also drops the output that its conditions have read.
    const idle = action === 'choose' && Object.keys(transition.update).length === 0 && !at(this.#outputUse.outputIsRead, index);
    return transitionConfig(transition, action, { node: this.id(index), ...extra }, idle);
  }

  /** The transition back to the head of a loop. */
  back(head: number, leave: readonly string[]): Transition {
    // A join merges its sources, however it was reached.
    const input = this.graph.joins(head) !== null ? {} : this.deliver([head]);
    return {
      target: this.entry(head),
      reenter: true,
      update: { restart: this.id(head), ...input, ...(leave.length === 0 ? {} : { leave }) },
    };
  }

  deliver(targets: readonly number[]): Pick<ContextUpdate, 'deliver'> {
    const readers = targets.filter((target) => at(this.#outputUse.readsInput, target)).map((target) => this.id(target));
    return readers.length === 0 ? {} : { deliver: readers };
  }

  skipAfter(node: number, targets: readonly number[], branch: ForkBranch | null): Pick<ContextUpdate, 'skip'> {
    if (skippedAfter(this.graph, node, targets, branch?.nodes ?? null).isEmpty()) return {};
    const skip = { after: this.id(node), to: targets.map((target) => this.id(target)) };
    return { skip: branch === null ? skip : { ...skip, within: branch.key } };
  }

  skipAround(subgraph: SubgraphPlan, to: readonly number[], branch: ForkBranch | null): Pick<ContextUpdate, 'skip'> {
    if (skippedAround(this.graph, subgraph, to, branch?.nodes ?? null).isEmpty()) return {};
    const skip = { subgraph: subgraph.key, to: to.map((node) => this.id(node)) };
    return { skip: branch === null ? skip : { ...skip, within: branch.key } };
  }

  skipFrom(join: number, branch: ForkBranch | null): Pick<ContextUpdate, 'skip'> {
    return { skip: { from: this.id(join), ...(branch === null ? {} : { within: branch.key }) } };
  }

  /** The forks and subgraphs that entering a fork opens: itself, and those that its branches start with. */
  openings(fork: Fork): Pick<ContextUpdate, 'open' | 'enter'> {
    const open: { fork: string; direct?: true }[] = [];
    const enter: { subgraph: string; live: readonly string[] }[] = [];
    const visit = (inner: Fork): void => {
      open.push({ fork: inner.key, ...(inner.direct ? { direct: true as const } : {}) });
      for (const { entry, plan } of inner.branches) {
        if (entry !== null && typeof entry !== 'number') visit(entry);
        else if (plan.whole !== null) {
          const live = plan.whole.entries.flatMap((edge) => (edge.to === END ? [] : [this.id(edge.to)]));
          enter.push({ subgraph: plan.whole.key, live });
        }
      }
    };
    visit(fork);
    return { open, ...(enter.length === 0 ? {} : { enter }) };
  }
}

function transitionConfig(transition: Transition, type: string, params: JsonObject, idle: boolean): JsonObject {
  const reenter = transition.reenter === true ? { reenter: true } : {};
  if (idle) return { target: transition.target, ...reenter };
  const update = Object.keys(transition.update).length === 0 ? {} : { update: transition.update as unknown as JsonObject };
  return { target: transition.target, actions: [{ type, params: { ...params, ...update } }], ...reenter };
}

/** The transition with one more fork or subgraph to leave. */
export function leavingFork(key: string, transition: Transition): Transition {
  return { ...transition, update: { ...transition.update, leave: [...(transition.update.leave ?? []), key] } };
}
