import type { Cooperative } from '../../cooperative.ts';
import { at } from '../../graph/at.ts';
import type { Loop } from '../../graph/loops.ts';
import type { Json, JsonObject } from '../../json.ts';
import { NO_NODE } from '../../program/convergence.ts';
import type { SubgraphPlan } from '../../program/plan.ts';
import { joinGuardStateId, laneEndStateId, laneStateId, subgraphStateId } from '../../program/state-ids.ts';
import type { NodeStates } from './node-states.ts';
import { leavingFork, type RegionExits, type StateConfigs, type Transition, type TransitionBuilder } from './transitions.ts';

/** The states of subgraphs: one region per lane, and a join guard before each node. */
export class SubgraphStates {
  readonly #transitions: TransitionBuilder;
  readonly #nodes: NodeStates;

  constructor(transitions: TransitionBuilder, nodes: NodeStates) {
    this.#transitions = transitions;
    this.#nodes = nodes;
  }

  /** Adds the parallel state of a subgraph. */
  *add(states: StateConfigs, subgraph: SubgraphPlan, region: RegionExits): Cooperative<void> {
    const key = subgraphStateId(subgraph.key);
    const lanes: StateConfigs = {};
    const inside = new Set(subgraph.nodes);
    const loops = this.#transitions.graph.loops.filter((loop) => inside.has(loop.head));
    for (const [i, lane] of subgraph.lanes.entries()) yield* this.#lane(lanes, subgraph, lane, i, loops);
    const always: Json[] = [];
    // No token can reach the join any more, nor nodes that only an enclosing loop could have reached.
    const ended: Transition = {
      ...region.ended,
      update: { ...region.ended.update, ...this.#transitions.skipAround(subgraph, [], region.branch) },
    };
    if (subgraph.join !== NO_NODE) {
      const join = this.#transitions.id(subgraph.join);
      const sharesExit = subgraph.join === region.exit;
      const toJoin: Transition = sharesExit ? region.joined : { target: this.#transitions.entry(subgraph.join), update: {} };
      const left = this.#transitions.skipAround(subgraph, [subgraph.join], region.branch);
      always.push({
        guard: { type: 'ready', params: { subgraph: subgraph.key, node: join } },
        ...this.#transitions.structural(leavingFork(subgraph.key, { ...toJoin, update: { ...toJoin.update, ...left } })),
      });
      always.push({
        guard: { type: 'over', params: { subgraph: subgraph.key, node: join } },
        ...this.#transitions.structural(leavingFork(subgraph.key, ended)),
      });
    }
    const settled = (failed: boolean): JsonObject => ({
      type: 'settled',
      params: { subgraph: subgraph.key, ...(failed ? { failed } : {}) },
    });
    always.push({ guard: settled(true), ...this.#transitions.structural(leavingFork(subgraph.key, region.failed)) });
    if (subgraph.join === NO_NODE)
      always.push({ guard: settled(false), ...this.#transitions.structural(leavingFork(subgraph.key, ended)) });
    states[key] = {
      id: key,
      type: 'parallel',
      meta: { subgraph: subgraph.key, join: subgraph.join === NO_NODE ? null : this.#transitions.id(subgraph.join) },
      states: lanes,
      always,
    };
  }

  *#lane(
    lanes: StateConfigs,
    subgraph: SubgraphPlan,
    lane: readonly number[],
    index: number,
    loops: readonly Loop[],
  ): Cooperative<void> {
    const laneEnd = laneEndStateId(this.#transitions.name(at(lane, 0)));
    const states: StateConfigs = {};
    const laneLoops = loops.filter((loop) => lane.some((node) => loop.body.has(node)));
    const joinGuard = (node: number | undefined): string =>
      `#${node === undefined ? laneEnd : joinGuardStateId(this.#transitions.name(node))}`;
    const restart = (head: number): string => {
      const loop = laneLoops.find((candidate) => candidate.head === head);
      return joinGuard(lane.find((node) => loop?.body.has(node) === true));
    };
    for (const [i, node] of lane.entries()) {
      const next = joinGuard(lane[i + 1]);
      const params = { subgraph: subgraph.key, node: this.#transitions.id(node) };
      states[joinGuardStateId(this.#transitions.name(node))] = {
        id: joinGuardStateId(this.#transitions.name(node)),
        meta: { guard: this.#transitions.id(node) },
        always: [
          { guard: { type: 'ready', params }, target: this.#transitions.entry(node), actions: [{ type: 'enter', params }] },
          { guard: { type: 'over', params }, target: next },
        ],
      };
      yield* this.#nodes.add(states, node, {
        transition: (alternative, ending) => {
          if (alternative.back !== null) {
            const { to } = alternative.back;
            if (!loops.some((loop) => loop.head === to)) return this.#transitions.back(to, [subgraph.key]);
            return { target: restart(to), update: { iterate: { subgraph: subgraph.key, head: this.#transitions.id(to) } } };
          }
          const live = alternative.targets.map((target) => this.#transitions.id(target));
          return {
            target: next,
            update: { decide: { subgraph: subgraph.key, live, ...(ending === 'failed' ? { failed: true } : {}) } },
          };
        },
        failed: { target: next, update: { decide: { subgraph: subgraph.key, live: null } } },
        cancelled: { guard: { type: 'cancelled', params }, target: next },
      });
      yield;
    }
    states[laneEnd] = { id: laneEnd };
    const region: StateConfigs = {
      id: laneStateId(this.#transitions.name(at(lane, 0))),
      initial: joinGuardStateId(this.#transitions.name(at(lane, 0))),
      states,
    };
    if (laneLoops.length > 0) {
      region.always = laneLoops.map(({ head }) => {
        const params = { subgraph: subgraph.key, lane: index, loop: this.#transitions.id(head) };
        return { guard: { type: 'iterates', params }, target: restart(head), actions: [{ type: 'rewindLane', params }] };
      });
    }
    lanes[laneStateId(this.#transitions.name(at(lane, 0)))] = region;
  }
}
