import { type AnyMachineSnapshot, type AnyStateMachine, createActor, createMachine } from 'xstate';
import type { Context } from './context.ts';
import type { MachineEvent } from './machine-event.ts';

/** What one stimulus did: the next snapshot, and what the machine asks for besides, in order. */
export interface MachineStep {
  readonly snapshot: AnyMachineSnapshot;
  readonly actions: readonly MachineAction[];
}

/** `begin` of a node, or XState's own delayed `xstate.raise` (a timer to set) and `xstate.cancel` (one to clear). */
export interface MachineAction {
  readonly type: string;
  readonly params: unknown;
}

/** A machine that can be moved step by step, without an actor. */
export interface Stepper {
  readonly machine: AnyStateMachine;
  initial(input: unknown): MachineStep;
  move(snapshot: AnyMachineSnapshot, event: MachineEvent): MachineStep;
  /** The snapshot at such positions. Throws when the machine has no such states. */
  resume(positions: readonly string[], context: Context): AnyMachineSnapshot;
}

type StateValue = string | { [key: string]: StateValue };

/**
 * Calls the machine's own methods with one actor scope for all steps. XState's public `transition()` makes an inert actor and
 * runs the initial step again on every call, which costs four times as much; a test holds the two against each other.
 */
export function stepperOf(machine: AnyStateMachine): Stepper {
  // An actor takes the first step when it is made; what the scope needs is any actor.
  const self = createActor(createMachine({}));
  let actions: MachineAction[] = [];
  const ignore = (): void => undefined;
  const scope = {
    self,
    system: self.system,
    id: self.id,
    sessionId: self.sessionId,
    logger: ignore,
    defer: ignore,
    emit: ignore,
    stopChild: ignore,
    actionExecutor: ({ type, params }: MachineAction) => {
      actions.push({ type, params });
    },
  } as unknown as Parameters<AnyStateMachine['transition']>[2];
  const moved = (move: () => AnyMachineSnapshot): MachineStep => {
    actions = [];
    const snapshot = move();
    if (snapshot.status === 'error') throw snapshot.error;
    return { snapshot, actions };
  };
  return {
    machine,
    initial: (input) => moved(() => machine.getInitialSnapshot(scope, input)),
    move: (snapshot, stimulus) => moved(() => machine.transition(snapshot, stimulus, scope)),
    resume(positions, context) {
      const value: { [key: string]: StateValue } = {};
      let only: string | null = null;
      for (const id of positions) {
        const node = machine.getStateNodeById(`#${id}`);
        if (node.path.length === 1) only = node.key;
        place(value, node.path);
      }
      return machine.resolveState({ value: only ?? value, context });
    },
  };
}

/** The states without substates that a snapshot is in, by id, in document order. */
export function positionsOf(snapshot: AnyMachineSnapshot): string[] {
  const leaves = snapshot._nodes.filter((node) => node.type === 'atomic' || node.type === 'final');
  if (leaves.length > 1) leaves.sort((a, b) => a.order - b.order);
  return leaves.map((node) => node.id);
}

/** Puts the state at `path` into a state value: `[a, b, c]` → `{a: {b: 'c'}}`. */
function place(value: { [key: string]: StateValue }, path: readonly string[]): void {
  let inner = value;
  path.slice(0, -1).forEach((key, i) => {
    const last = i === path.length - 2;
    if (last) {
      inner[key] = path[path.length - 1] ?? '';
      return;
    }
    const next = inner[key];
    if (typeof next === 'object') {
      inner = next;
    } else {
      const made: { [key: string]: StateValue } = {};
      inner[key] = made;
      inner = made;
    }
  });
}
