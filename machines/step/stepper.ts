import type { AnyStateMachine } from 'xstate';
import type { Cooperative } from '../cooperative.ts';
import type { Configuration } from './configuration.ts';
import type { MachineContext } from './context/step-context.ts';
import type { MachineEvent } from './machine-event.ts';
import { type TransitionTrace, Walker } from './walker.ts';

/** What one event did. Everything but the states is in the step context. */
export interface MachineStep {
  readonly configuration: Configuration;
  /** False = no transition was enabled. */
  readonly handled: boolean;
}

/** A machine that can be moved step by step, without an actor. */
export interface Stepper {
  readonly machine: AnyStateMachine;
  initial(context: MachineContext, trace?: TransitionTrace | null): MachineStep;
  move(configuration: Configuration, event: MachineEvent, context: MachineContext, trace?: TransitionTrace | null): MachineStep;
  /** The configuration with such leaf states. Throws when the machine has no such states. */
  at(positions: readonly string[]): Configuration;
  /** Is the machine in a state of the node, its wait for a retry excepted? */
  isAt(configuration: Configuration, node: string): boolean;
  /** Is it in a state with transitions for this timer? */
  hears(configuration: Configuration, timer: string): boolean;
}

export function* stepperOf(machine: AnyStateMachine): Cooperative<Stepper> {
  const walker = yield* Walker.of(machine);
  return {
    machine,
    initial: (context, trace = null) => ({ configuration: walker.initial(context, trace), handled: true }),
    move(configuration, event, context, trace = null) {
      const moved = walker.move(configuration, event, context, trace);
      return { configuration: moved ?? configuration, handled: moved !== null };
    },
    at: (positions) => walker.at(positions),
    isAt: (configuration, node) => walker.isAt(configuration, node),
    hears: (configuration, timer) => walker.hears(configuration, timer),
  };
}
