import type { Cooperative } from '../../cooperative.ts';
import { at } from '../../graph/at.ts';
import { BitSet } from '../../graph/bit-set.ts';
import { END } from '../../graph/edges.ts';
import type { JsonObject } from '../../json.ts';
import { NO_NODE } from '../../program/convergence.ts';
import { END_STATUSES, finalizersFor } from '../../program/finalizers.ts';
import type { Alternative, NodeOutcome } from '../../program/outcome-routes.ts';
import type { EndStatus } from '../../program/parameters.ts';
import type { Fork, ForkBranch, Plan } from '../../program/plan.ts';
import { endStateId, FINALIZE, FINISH, START, stateId, subgraphStateId } from '../../program/state-ids.ts';
import { NodeStates } from './node-states.ts';
import { SubgraphStates } from './subgraph-states.ts';
import { leavingFork, type RegionExits, type StateConfigs, type Transition, type TransitionBuilder } from './transitions.ts';

/** Turns a plan into the config of an XState machine: plain JSON that names the guards, actions and the delay of the vocabulary. */
export class MachineEmitter {
  readonly #transitions: TransitionBuilder;
  readonly #nodes: NodeStates;
  readonly #subgraphs: SubgraphStates;

  constructor(transitions: TransitionBuilder) {
    this.#transitions = transitions;
    this.#nodes = new NodeStates(transitions);
    this.#subgraphs = new SubgraphStates(transitions, this.#nodes);
  }

  *emit(id: string, plan: Plan): Cooperative<JsonObject> {
    const finish: Transition = { target: `#${FINISH}`, update: {} };
    const states: StateConfigs = {};
    const { graph } = this.#transitions;
    const first = graph.start;
    const ending = (as: EndStatus): JsonObject => this.#transitions.ending(as);
    if (plan.whole !== null) {
      // XState takes cubic time to enter a parallel state that is the initial state of a machine.
      const enter = [{ subgraph: plan.whole.key, live: [this.#transitions.id(first)] }];
      states[START] = {
        id: START,
        always: this.#transitions.structural({ target: `#${subgraphStateId(plan.whole.key)}`, update: { enter } }),
      };
    }
    yield* this.#region(states, this.#transitions.graph.order, {
      plan,
      exit: NO_NODE,
      branch: null,
      joined: finish,
      ended: finish,
      failed: finish,
    });
    states[FINISH] = {
      id: FINISH,
      always: [
        ...this.#transitions.rerouted(),
        ...this.#transitions.limitEnds(),
        { guard: { type: 'anyFailed' }, ...ending('failed') },
        ending('completed'),
      ],
    };
    yield* this.#finalizers(states);
    for (const status of END_STATUSES) {
      states[endStateId(status)] = { id: endStateId(status), type: 'final' };
    }
    return {
      id: `workflow:${stateId(id)}`,
      initial: plan.whole === null ? this.#transitions.entry(first).slice(1) : START,
      states,
      on: {
        cancel: graph.finalizers.length === 0 ? ending('cancelled') : [...this.#ends(), ending('cancelled')],
        halt: [...this.#transitions.limitEnds(), ending('failed')],
        ...this.#transitions.overBudget(),
      },
    };
  }

  /** The states of the nodes that run, one after the other, before the execution ends. */
  *#finalizers(states: StateConfigs): Cooperative<void> {
    const { graph } = this.#transitions;
    if (graph.finalizers.length === 0) return;
    const next: Transition = { target: `#${FINALIZE}`, update: {} };
    states[FINALIZE] = {
      id: FINALIZE,
      always: [
        ...graph.finalizers.map((index) => ({
          guard: { type: 'isNext', params: { node: graph.idOf(index) } },
          target: this.#transitions.entry(index),
        })),
        ...this.#ends(),
      ],
    };
    for (const index of graph.finalizers)
      yield* this.#nodes.add(states, index, { transition: () => next, failed: next, cancelled: null });
  }

  /** The transitions to the end that an execution has begun to come to. */
  #ends(): JsonObject[] {
    return END_STATUSES.filter((status) => finalizersFor(this.#transitions.graph, status).length > 0).map((as) => ({
      guard: { type: 'endsAs', params: { as } },
      target: `#${endStateId(as)}`,
    }));
  }

  *#region(states: StateConfigs, nodes: Iterable<number>, region: RegionExits): Cooperative<void> {
    const { plan } = region;
    if (plan.whole !== null) {
      yield* this.#subgraphs.add(states, plan.whole, region);
      return;
    }
    const elsewhere = new BitSet(this.#transitions.graph.nodes.length);
    for (const fork of plan.forks.values()) for (const branch of fork.branches) elsewhere.addAll(branch.nodes);
    for (const subgraph of plan.subgraphs.values()) for (const node of subgraph.nodes) elsewhere.add(node);
    for (const node of nodes) {
      if (elsewhere.has(node)) continue;
      yield* this.#nodes.add(states, node, {
        transition: (alternative, ending) => this.#sequentialTransition(node, alternative, ending, region),
        failed: region.failed,
        cancelled: null,
      });
      yield;
      for (const fork of this.#forksOf(node, plan)) yield* this.#fork(states, fork, region);
      const subgraph = plan.subgraphs.get(node);
      if (subgraph !== undefined) yield* this.#subgraphs.add(states, subgraph, region);
    }
  }

  #forksOf(node: number, plan: Plan): Set<Fork> {
    const all = Object.values(at(this.#transitions.routes, node)).flatMap((alternatives) => alternatives ?? []);
    return new Set(all.flatMap((alternative) => plan.forks.get(alternative) ?? []));
  }

  /** The transition of a single token. */
  #sequentialTransition(node: number, alternative: Alternative, ending: NodeOutcome, region: RegionExits): Transition {
    if (alternative.back !== null) return this.#transitions.back(alternative.back.to, []);
    const subgraph = region.plan.subgraphs.get(node);
    if (subgraph !== undefined) {
      const live = alternative.targets.map((target) => this.#transitions.id(target));
      const decisions = { subgraph: subgraph.key, live, ...(ending === 'failed' ? { failed: true as const } : {}) };
      // Nodes that the subgraph can reach are skipped inside it, or when it is left.
      const ahead = subgraph.entries.flatMap((edge) =>
        edge.to === END || this.#transitions.graph.backEdges.has(edge) ? [] : [edge.to],
      );
      const skip = this.#transitions.skipAfter(node, [...new Set(ahead)], region.branch);
      return { target: `#${subgraphStateId(subgraph.key)}`, update: { ...skip, enter: [decisions] } };
    }
    const { targets } = alternative;
    const skip = this.#transitions.skipAfter(node, targets, region.branch);
    const fork = region.plan.forks.get(alternative);
    if (fork !== undefined) {
      return {
        target: `#fork:${fork.key}`,
        update: { ...this.#transitions.deliver(targets), ...skip, ...this.#transitions.openings(fork) },
      };
    }
    const [target] = targets;
    if (target === undefined) return { ...region.ended, update: { ...region.ended.update, ...skip } };
    if (target === region.exit)
      return { ...region.joined, update: { ...region.joined.update, ...this.#transitions.deliver(targets), ...skip } };
    return { target: this.#transitions.entry(target), update: { ...this.#transitions.deliver(targets), ...skip } };
  }

  *#fork(states: StateConfigs, fork: Fork, region: RegionExits): Cooperative<void> {
    const key = `fork:${fork.key}`;
    const sharesExit = fork.join === region.exit && fork.join !== NO_NODE;
    const toJoin: Transition =
      fork.join === NO_NODE
        ? region.ended
        : sharesExit
          ? region.joined
          : { target: this.#transitions.entry(fork.join), update: {} };
    const first = fork.join !== NO_NODE && this.#transitions.graph.isFirstJoin(fork.join);
    const branches: StateConfigs = {};
    for (const branch of fork.branches) {
      const name = branch.key;
      const arriving = (as: 'joined' | 'ended' | 'failed'): Transition => ({
        target: `#${as}:${name}`,
        update: { arrive: { fork: fork.key, as } },
      });
      const inside: StateConfigs = {};
      const inner: RegionExits = {
        plan: branch.plan,
        exit: fork.join,
        branch,
        joined: first
          ? { target: toJoin.target, update: { leave: [...(sharesExit ? (toJoin.update.leave ?? []) : []), fork.key] } }
          : arriving('joined'),
        ended: arriving('ended'),
        failed: arriving('failed'),
      };
      const own = branch.nodes.copy();
      if (branch.entry !== null && typeof branch.entry !== 'number') {
        yield* this.#fork(inside, branch.entry, inner);
        for (const inner of branch.entry.branches) own.removeAll(inner.nodes);
      }
      yield* this.#region(inside, this.#transitions.graph.inOrder(own), inner);
      for (const as of ['joined', 'ended', 'failed']) inside[`${as}:`] = { id: `${as}:${name}`, tags: ['arrived'] };
      branches[`branch:${name}`] = { id: `branch:${name}`, initial: this.#entryKey(branch), states: inside };
    }
    const of = fork.branches.length + (fork.direct ? 1 : 0);
    const branchesEnded = (as?: 'joined' | 'failed'): JsonObject => ({
      type: 'branchesEnded',
      params: { fork: fork.key, of, ...(as === undefined ? {} : { as }) },
    });
    const skipJoin = fork.join === NO_NODE || sharesExit ? {} : this.#transitions.skipFrom(fork.join, region.branch);
    states[key] = {
      id: key,
      type: 'parallel',
      meta: { fork: this.#transitions.id(fork.owner), join: fork.join === NO_NODE ? null : this.#transitions.id(fork.join) },
      states: branches,
      always: [
        { guard: branchesEnded('failed'), ...this.#transitions.structural(leavingFork(fork.key, region.failed)) },
        ...(fork.join === NO_NODE || first
          ? []
          : [{ guard: branchesEnded('joined'), ...this.#transitions.structural(leavingFork(fork.key, toJoin)) }]),
        {
          guard: branchesEnded(),
          ...this.#transitions.structural(
            leavingFork(fork.key, { ...region.ended, update: { ...region.ended.update, ...skipJoin } }),
          ),
        },
      ],
    };
  }

  #entryKey(branch: ForkBranch): string {
    if (branch.entry === null) return subgraphStateId(branch.plan.whole?.key ?? '');
    if (typeof branch.entry !== 'number') return `fork:${branch.entry.key}`;
    return this.#transitions.entry(branch.entry).slice(1);
  }
}
