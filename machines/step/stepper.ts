import { type AnyMachineSnapshot, type AnyStateMachine, createActor, createMachine } from 'xstate';
import type { MachineContext } from './context/step-context.ts';
import type { MachineEvent } from './machine-event.ts';

/** What one event did. Everything but the states is in the step context. */
export interface MachineStep {
  readonly snapshot: AnyMachineSnapshot;
  /** False = no transition was enabled. */
  readonly handled: boolean;
}

/** A machine that can be moved step by step, without an actor. */
export interface Stepper {
  readonly machine: AnyStateMachine;
  initial(context: MachineContext): MachineStep;
  /** The context of `snapshot` is a `MachineContext`. */
  move(snapshot: AnyMachineSnapshot, event: MachineEvent): MachineStep;
  /** The snapshot at such positions. Throws when the machine has no such states. */
  resume(positions: readonly string[], context: unknown): AnyMachineSnapshot;
}

type StateValue = string | { [key: string]: StateValue };

/** An event without transitions: the machine takes its eventless transitions only. */
const SETTLE = { type: 'settle' } as const;

/**
 * Calls the machine's own methods with one actor scope for all steps. An XState actor hands custom actions to the executor of its scope one by
 * one, before it evaluates the next guard; so they run here, on the step context. XState's public `transition()` collects them instead, and
 * makes an inert actor per call, which takes 7 to 11 µs more a step. A test compares with an actor of XState's own.
 */
export function stepperOf(machine: AnyStateMachine): Stepper {
  // Taking the initial step needs an actor in the scope; any will do.
  const self = createActor(createMachine({}));
  let handled = false;
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
    actionExecutor: ({ type, params, info, exec }: ExecutableAction) => {
      handled = true;
      const { timers } = info.context.step;
      // A delayed `raise` sets a timer, `cancel` clears it.
      if (type === 'xstate.raise') timers.set(params.id, params.delay);
      else if (type === 'xstate.cancel') timers.clear(params.sendId);
      else exec?.(info, params);
    },
  } as unknown as Parameters<AnyStateMachine['transition']>[2];
  const settled = (first: AnyMachineSnapshot): AnyMachineSnapshot => {
    let snapshot = first;
    // XState stops at an eventless transition that leaves the states as they were, even if its action has enabled others. Only a lane that goes
    // back to where it is already has such a transition.
    while ((snapshot.context as MachineContext).step.takeLaneRewound() && snapshot.status === 'active')
      snapshot = machine.transition(snapshot, SETTLE, scope);
    return snapshot;
  };
  const moved = (move: () => AnyMachineSnapshot, before: AnyMachineSnapshot | null): MachineStep => {
    handled = false;
    const snapshot = settled(move());
    if (snapshot.status === 'error') throw snapshot.error;
    return { snapshot, handled: handled || snapshot !== before };
  };
  return {
    machine,
    initial: (context) => moved(() => machine.getInitialSnapshot(scope, context), null),
    move: (snapshot, event) => moved(() => machine.transition(snapshot, event, scope), snapshot),
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

interface ExecutableAction {
  readonly type: string;
  readonly params: { readonly id: string; readonly delay: number; readonly sendId: string };
  readonly info: { readonly context: MachineContext };
  readonly exec?: (info: unknown, params: unknown) => void;
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
