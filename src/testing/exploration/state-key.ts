import type { Reference } from '../../../machines/expression/index.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { positionsOf } from '../../../machines/step/configuration.ts';
import type { Context } from '../../../machines/step/context/context.ts';
import { activeOf, stateOf } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import type { SimState } from '../simulation/simulation.ts';
import type { BranchInputs } from './branch-inputs.ts';

/** Computes keys of states. Runs in states with the same key have the same possible continuations. */
export class StateKeys {
  readonly #program: Program;
  readonly #downstream: ReadonlyMap<string, readonly Reference[]>;
  readonly #readsInput: boolean;

  constructor(program: Program, { reads }: BranchInputs) {
    this.#program = program;
    this.#downstream = downstreamReads(program, reads);
    this.#readsInput = [...reads.values()].flat().some(({ root }) => root === 'input');
  }

  keyOf(state: SimState): string {
    const { active, earlyEvents, evalRetries, failures, forks, pendingInputs, subgraphs } = state.run.snapshot.context as Context;
    // Visit counts and times are left out, so that a loop returns to the same state.
    const phases = active.withItems().map(([node, { phase, attempt, key, map }, item]) => {
      const done = map === undefined ? null : [map.count, map.succeeded, map.failed];
      return [node, item ?? null, phase, attempt > 0, key, done];
    });
    const progress = Object.entries(subgraphs).map(([key, { edges, nodes }]) => [key, edges, nodes]);
    const at = positionsOf(state.run.snapshot.configuration);
    const armed = [...state.timers.keys()];
    const input = this.#readsInput ? state.run.input : null;
    const keys = earlyEvents.map(({ key }) => key);
    return JSON.stringify([
      state.run.status,
      at,
      phases,
      armed,
      keys,
      failures,
      forks,
      pendingInputs,
      progress,
      evalRetries,
      input,
      this.#readableValues(state),
    ]);
  }

  /** The values of the state that later conditions can read. */
  #readableValues(simState: SimState): readonly Json[] {
    const state = stateOf(simState.run);
    const values = new Map<string, Json>();
    for (const { node } of activeOf(this.#program, simState.run)) {
      for (const { path } of this.#downstream.get(node) ?? []) {
        const key = path.join(' ');
        if (!values.has(key)) values.set(key, valueAt(state, path));
      }
    }
    return [...values].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  }
}

function valueAt(state: JsonObject, path: readonly string[]): Json {
  return path.reduce<Json>((value, key) => {
    if (Array.isArray(value)) return value.at(Number(key)) ?? null;
    return isObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null;
  }, state);
}

/** By node: the references of conditions downstream of it, its own included. */
function downstreamReads(
  { tables: { graph } }: Program,
  reads: BranchInputs['reads'],
): ReadonlyMap<string, readonly Reference[]> {
  return new Map(
    graph.reachable.map((start) => {
      const seen = new Set([start]);
      for (const node of seen) for (const { to } of graph.outWithWaits(node)) if (to >= 0) seen.add(to);
      const below = [...seen].flatMap((node) => reads.get(graph.idOf(node)) ?? []);
      return [graph.idOf(start), below.filter(({ root }) => root === 'state' || root === 'bare')] as const;
    }),
  );
}
