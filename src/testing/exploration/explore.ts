import { definitionOf } from '../../../machines/nodes/index.ts';
import type { ActiveNode, Status } from '../../../machines/run.ts';
import { activeOf, failuresOf } from '../../../machines/step/index.ts';
import type { Branch } from '../simulation/branches.ts';
import { hasEnded, type SimState, type SimStep, type SimWorkflow, sendMessage, startRun } from '../simulation/simulation.ts';
import type { BranchInputs } from './branch-inputs.ts';
import { nextNodes, type PossibleStep, possibleSteps } from './next-steps.ts';
import { StateKeys } from './state-key.ts';
import { WorkQueue } from './work-queue.ts';

export interface StateNode {
  readonly index: number;
  readonly status: Status;
  readonly hasEnded: boolean;
  /** Whether an unhandled failure has occurred. */
  readonly isFailing: boolean;
  readonly active: readonly ActiveNode[];
  /** Null = not explored, because the maximum number of steps was reached first. */
  transitions: readonly Transition[] | null;
}

export interface Transition {
  readonly to: number;
  /** Branches taken by the visits that ended in this step. */
  readonly branches: readonly Branch[];
}

/** The explored part of the state space. */
export interface Explored {
  readonly stateNodes: readonly StateNode[];
  /** Transitions to the initial states. */
  readonly starts: readonly Transition[];
  readonly steps: number;
  /** The maximum number of steps was reached, or its time was over. */
  readonly bounded: boolean;
  /** Branches that some run took. */
  readonly taken: ReadonlySet<Branch>;
  /** Waits whose late event no reachable node consumes. */
  readonly unreadLate: ReadonlySet<string>;
}

/**
 * Explores the state space of a workflow. States whose active nodes were expanded least often come first, so that a limit cuts off the most
 * repetitive part. `xstate/graph` is not used because it explores in another order, discards its result at its limit, and knows only the
 * machine: which work starts, which timers are set and which messages are stale is decided by the step. `isOver` ends it earlier.
 */
export function explore(
  workflows: readonly SimWorkflow[],
  inputs: BranchInputs,
  maxSteps: number,
  isOver: () => boolean = () => false,
): Explored {
  const explorer = new Explorer(workflows, inputs, maxSteps, isOver);
  explorer.run();
  return explorer.result();
}

interface QueuedState {
  readonly node: StateNode;
  readonly state: SimState;
  readonly workflow: SimWorkflow;
  readonly addState: AddState;
}

type AddState = (step: SimStep) => Transition;

class Explorer {
  readonly #workflows: readonly SimWorkflow[];
  readonly #inputs: BranchInputs;
  readonly #maxSteps: number;
  readonly #isOver: () => boolean;
  readonly #stateNodes: StateNode[] = [];
  readonly #known = new Map<string, StateNode>();
  /** Grouped by the nodes that advance next, and by the start of the run. */
  readonly #queue = new WorkQueue<QueuedState>();
  readonly #starts: Transition[] = [];
  readonly #taken = new Set<Branch>();
  readonly #unreadLate = new Set<string>();
  #steps = 0;

  constructor(workflows: readonly SimWorkflow[], branchInputs: BranchInputs, maxSteps: number, isOver: () => boolean) {
    this.#workflows = workflows;
    this.#inputs = branchInputs;
    this.#maxSteps = maxSteps;
    this.#isOver = isOver;
  }

  run(): void {
    for (const workflow of this.#workflows) {
      const stateNodes = new StateKeys(workflow.program, this.#inputs);
      const reach: AddState = (step) =>
        this.#addState(step, JSON.stringify(workflow.env) + stateNodes.keyOf(step.state), workflow, reach);
      for (const input of this.#inputs.inputs) this.#starts.push(reach(startRun(workflow, input)));
    }
    for (let found = this.#next(); found !== undefined; found = this.#next()) this.#expand(found);
  }

  result(): Explored {
    return {
      stateNodes: this.#stateNodes,
      starts: this.#starts,
      steps: this.#steps,
      bounded: this.#stateNodes.some(({ transitions }) => transitions === null),
      taken: this.#taken,
      unreadLate: this.#unreadLate,
    };
  }

  #next(): QueuedState | undefined {
    if (this.#steps >= this.#maxSteps || this.#isOver()) return undefined;
    return this.#queue.next();
  }

  #addState({ state, branches }: SimStep, key: string, workflow: SimWorkflow, reach: AddState): Transition {
    this.#steps += 1;
    for (const branch of branches) this.#taken.add(branch);
    let stateNode = this.#known.get(key);
    if (stateNode === undefined) {
      const over = hasEnded(state);
      stateNode = {
        index: this.#stateNodes.length,
        status: state.run.status,
        hasEnded: over,
        isFailing: failuresOf(state.run).length > 0,
        active: over ? [] : activeOf(workflow.program, state.run),
        transitions: over ? [] : null,
      };
      this.#known.set(key, stateNode);
      this.#stateNodes.push(stateNode);
      if (!over) {
        const next = nextNodes(workflow, state).map(({ node }) => node);
        this.#queue.add(
          { node: stateNode, state, workflow, addState: reach },
          next.join(' '),
          JSON.stringify([workflow.env, state.run.input]),
        );
      }
    }
    return { to: stateNode.index, branches };
  }

  #expand({ node, state, workflow, addState }: QueuedState): void {
    const possible = possibleSteps(workflow, this.#inputs, state);
    const outOfTime = [...this.#earlyEvents(workflow, state, possible), ...this.#lateEvents(workflow, possible)];
    node.transitions = [...possible.map(({ step }) => step), ...outOfTime].map(addState);
  }

  /** Steps after which a wait starts, with its event sent just before. */
  #earlyEvents(workflow: SimWorkflow, state: SimState, possible: readonly PossibleStep[]): readonly SimStep[] {
    const before = new Set(activeOf(workflow.program, state.run).flatMap(({ waitsFor }) => waitsFor ?? []));
    return possible.flatMap(({ step }, i) => {
      if (hasEnded(step.state)) return [];
      const started = activeOf(workflow.program, step.state.run).find(
        ({ waitsFor }) => waitsFor !== null && !before.has(waitsFor),
      );
      if (started === undefined || started.waitsFor === null) return [];
      const [payload = {}] = this.#inputs.outputs.get(started.node) ?? [];
      const buffered = sendMessage(workflow, state, { type: 'event', key: started.waitsFor, payload });
      if (buffered === null) return [];
      return possibleSteps(workflow, this.#inputs, buffered.state)[i]?.step ?? [];
    });
  }

  /** Late events of waits that have timed out, if a reachable node may still consume them. */
  #lateEvents(workflow: SimWorkflow, possible: readonly PossibleStep[]): readonly SimStep[] {
    return possible.flatMap(({ node, step }) => {
      const timedOut = step.branches.some((branch) => branch.node === node && branch.outcome === 'timeout');
      const { kind } = workflow.program.tables.nodeOf(node);
      const key = definitionOf(kind).waitsForEvent(kind);
      if (!timedOut || key === null || hasEnded(step.state)) return [];
      const [payload = {}] = this.#inputs.outputs.get(node) ?? [];
      const late = sendMessage(workflow, step.state, { type: 'event', key, payload });
      if (late === null) return [];
      if (hasReceiver(workflow, step.state, key)) return [late];
      this.#unreadLate.add(node);
      return [];
    });
  }
}

/** Whether a run can reach a node that waits for the key. */
function hasReceiver({ program }: SimWorkflow, { run }: SimState, key: string): boolean {
  const { graph } = program.tables;
  const reachable = new Set(activeOf(program, run).map(({ node }) => graph.indexOf(node) ?? 0));
  for (const node of reachable) for (const { to } of graph.outWithWaits(node)) if (to >= 0) reachable.add(to);
  return [...reachable].some((node) => {
    const { kind } = graph.node(node);
    return definitionOf(kind).waitsForEvent(kind) === key;
  });
}
