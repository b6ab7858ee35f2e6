import { definitionOf } from '../../machines/nodes/index.ts';
import type { ActiveNode, Status } from '../../machines/run.ts';
import { activeOf } from '../../machines/step/index.ts';
import type { BranchInputs } from './branch-inputs.ts';
import type { Branch } from './branches.ts';
import { nextNodes, type PossibleStep, possibleSteps } from './next-steps.ts';
import { hasEnded, type SimState, type SimStep, type SimWorkflow, sendMessage, startRun } from './simulation.ts';
import { StateKeys } from './state-key.ts';
import { WorkQueue } from './work-queue.ts';

export interface StateNode {
  readonly index: number;
  readonly status: Status;
  readonly hasEnded: boolean;
  /** Has a failure that nobody handles happened? */
  readonly isFailing: boolean;
  readonly active: readonly ActiveNode[];
  /** Null = not looked into: a bound was reached first. */
  transitions: readonly Transition[] | null;
}

export interface Transition {
  readonly to: number;
  /** Visits that ended on the way. */
  readonly branches: readonly Branch[];
}

/** Everything that was found to be possible. */
export interface Explored {
  readonly nodes: readonly StateNode[];
  /** How runs begin. */
  readonly starts: readonly Transition[];
  readonly steps: number;
  /** The bound on steps was reached: there is more. */
  readonly bounded: boolean;
  /** Ways that some run took. */
  readonly taken: ReadonlySet<Branch>;
  /** Waits whose event came after their time was over, and that no node was left to take. */
  readonly unreadLate: ReadonlySet<string>;
}

/**
 * Walks through all that can happen to executions, from situation to situation: first on from those nodes from which it has gone on least often,
 * so that a bound leaves out what is most like what was seen. `xstate/graph` walks in another order, and throws away what it has found when it
 * meets its limit; and it would walk the machine alone: what begins, which timers are armed and what a stale message is, only the step knows.
 */
export function explore(workflows: readonly SimWorkflow[], inputs: BranchInputs, maxSteps: number): Explored {
  const explorer = new Explorer(workflows, inputs, maxSteps);
  explorer.run();
  return explorer.result();
}

interface QueuedState {
  readonly node: StateNode;
  readonly state: SimState;
  readonly workflow: SimWorkflow;
  readonly addState: AddState;
}

type AddState = (happening: SimStep) => Transition;

class Explorer {
  readonly #workflows: readonly SimWorkflow[];
  readonly #inputs: BranchInputs;
  readonly #maxSteps: number;
  readonly #nodes: StateNode[] = [];
  readonly #known = new Map<string, StateNode>();
  /** By the nodes that are played next, and how the run began. */
  readonly #queue = new WorkQueue<QueuedState>();
  readonly #starts: Transition[] = [];
  readonly #taken = new Set<Branch>();
  readonly #unreadLate = new Set<string>();
  #steps = 0;

  constructor(worlds: readonly SimWorkflow[], wishes: BranchInputs, maxSteps: number) {
    this.#workflows = worlds;
    this.#inputs = wishes;
    this.#maxSteps = maxSteps;
  }

  run(): void {
    for (const world of this.#workflows) {
      const situations = new StateKeys(world.program, this.#inputs);
      const reach: AddState = (happening) =>
        this.#addState(happening, JSON.stringify(world.env) + situations.keyOf(happening.state), world, reach);
      for (const input of this.#inputs.inputs) this.#starts.push(reach(startRun(world, input)));
    }
    for (let found = this.#next(); found !== undefined; found = this.#next()) this.#expand(found);
  }

  result(): Explored {
    return {
      nodes: this.#nodes,
      starts: this.#starts,
      steps: this.#steps,
      bounded: this.#nodes.some(({ transitions }) => transitions === null),
      taken: this.#taken,
      unreadLate: this.#unreadLate,
    };
  }

  #next(): QueuedState | undefined {
    if (this.#steps >= this.#maxSteps) return undefined;
    return this.#queue.next();
  }

  #addState({ state, branches }: SimStep, key: string, world: SimWorkflow, reach: AddState): Transition {
    this.#steps += 1;
    for (const way of branches) this.#taken.add(way);
    let situation = this.#known.get(key);
    if (situation === undefined) {
      const context: { readonly failures?: readonly string[] } = state.run.snapshot.context;
      const over = hasEnded(state);
      situation = {
        index: this.#nodes.length,
        status: state.run.status,
        hasEnded: over,
        isFailing: (context.failures ?? []).length > 0,
        active: over ? [] : activeOf(world.program, state.run),
        transitions: over ? [] : null,
      };
      this.#known.set(key, situation);
      this.#nodes.push(situation);
      if (!over) {
        const next = nextNodes(world, state).map(({ node }) => node);
        this.#queue.add(
          { node: situation, state: state, workflow: world, addState: reach },
          next.join(' '),
          JSON.stringify([world.env, state.run.input]),
        );
      }
    }
    return { to: situation.index, branches: branches };
  }

  #expand({ node, state, workflow, addState }: QueuedState): void {
    const possible = possibleSteps(workflow, this.#inputs, state);
    const outOfTime = [...this.#earlyEvents(workflow, state, possible), ...this.#lateEvents(workflow, possible)];
    node.transitions = [...possible.map(({ happening }) => happening), ...outOfTime].map(addState);
  }

  /** Where a wait begins next: its event comes just before. */
  #earlyEvents(world: SimWorkflow, scene: SimState, possible: readonly PossibleStep[]): readonly SimStep[] {
    const before = new Set(activeOf(world.program, scene.run).flatMap(({ waitsFor }) => waitsFor ?? []));
    return possible.flatMap(({ happening }, i) => {
      if (hasEnded(happening.state)) return [];
      const begun = activeOf(world.program, happening.state.run).find(
        ({ waitsFor }) => waitsFor !== null && !before.has(waitsFor),
      );
      if (begun === undefined || begun.waitsFor === null) return [];
      const [payload = {}] = this.#inputs.outputs.get(begun.node) ?? [];
      const buffered = sendMessage(world, scene, { type: 'event', key: begun.waitsFor, payload });
      if (buffered === null) return [];
      return possibleSteps(world, this.#inputs, buffered.state)[i]?.happening ?? [];
    });
  }

  /** Where a wait has timed out: its event comes after all. It is followed when some node may still take it. */
  #lateEvents(world: SimWorkflow, possible: readonly PossibleStep[]): readonly SimStep[] {
    return possible.flatMap(({ node, happening }) => {
      const timedOut = happening.branches.some((way) => way.node === node && way.ending === 'timeout');
      const { kind } = world.program.tables.nodeOf(node);
      const key = definitionOf(kind).waitsForEvent(kind);
      if (!timedOut || key === null || hasEnded(happening.state)) return [];
      const [payload = {}] = this.#inputs.outputs.get(node) ?? [];
      const late = sendMessage(world, happening.state, { type: 'event', key, payload });
      if (late === null) return [];
      if (hasReceiver(world, happening.state, key)) return [late];
      this.#unreadLate.add(node);
      return [];
    });
  }
}

/** Can a run come to a node that waits for the key? */
function hasReceiver({ program }: SimWorkflow, { run }: SimState, key: string): boolean {
  const { graph } = program.tables;
  const seen = new Set(activeOf(program, run).map(({ node }) => graph.indexOf(node) ?? 0));
  for (const node of seen) for (const { to } of graph.outWithWaits(node)) if (to >= 0) seen.add(to);
  return [...seen].some((node) => {
    const { kind } = graph.node(node);
    return definitionOf(kind).waitsForEvent(kind) === key;
  });
}
