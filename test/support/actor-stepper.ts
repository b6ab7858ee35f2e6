import {
  type AnyActor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  createMachine,
  type InspectionEvent,
} from 'xstate';
import type { Configuration, StateValue } from '../../machines/step/configuration.ts';
import type { MachineContext } from '../../machines/step/context/step-context.ts';
import type { Program } from '../../machines/step/program.ts';
import type { Stepper } from '../../machines/step/walker.ts';

const BEFORE = '(before)';
const NO_CLOCK = { setTimeout: () => 0, clearTimeout: () => undefined };

/** A stepper that uses an XState actor to take the steps, for comparison; its timers are read from inspection events. */
export function actorStepper({ walker }: Program): Stepper & { readonly actorValue: () => StateValue } {
  const machine = withStateBefore(walker.machine);
  let actor: AnyActor = createActor(machine);
  let context: MachineContext | null = null;
  let last: Configuration | null = null;
  let handled = false;
  const inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.action' || context === null) return;
    handled = true;
    const { id, delay, sendId } = (event.action.params ?? {}) as { id: string; delay: number; sendId: string };
    if (event.action.type === 'xstate.raise') context.step.timers.set(id, delay);
    if (event.action.type === 'xstate.cancel') context.step.timers.clear(sendId);
  };
  const started = (options: object): AnyActor => {
    const made = createActor(machine, { ...options, inspect, clock: NO_CLOCK });
    // Nothing else reports an error of a machine.
    made.subscribe({ error: () => undefined });
    return made.start();
  };
  const current = (): AnyMachineSnapshot => actor.getSnapshot() as AnyMachineSnapshot;
  const settled = (): Configuration => {
    while (context?.step.takeLaneRewound() === true && current().status === 'active') actor.send({ type: 'settle' });
    const snapshot = current();
    if (snapshot.status === 'error') throw snapshot.error;
    const leaves = snapshot._nodes.filter(({ type }) => type === 'atomic' || type === 'final');
    last = walker.at(leaves.map(({ id }) => id));
    return last;
  };
  return {
    /** The state value as the actor has it. */
    actorValue: () => current().value,
    initial(given) {
      context = given;
      actor = started({ input: given });
      actor.send({ type: 'begin' });
      return settled();
    },
    move(configuration, event, given) {
      context = given;
      if (configuration !== last)
        actor = started({ snapshot: machine.resolveState({ value: configuration.value, context: {} }) });
      (current() as { context: MachineContext }).context = context;
      handled = false;
      const before = current();
      actor.send(event);
      const after = settled();
      return handled || current() !== before ? after : null;
    },
  };
}

/**
 * The machine with a state before its initial one. An actor runs the actions of its initial step only after it has taken all of it; those of a
 * later step it runs between the transitions, so that guards read what the actions have changed.
 */
function withStateBefore({ config, implementations }: AnyStateMachine): AnyStateMachine {
  const before = { on: { begin: { target: config.initial } } };
  return createMachine({ ...config, initial: BEFORE, states: { ...config.states, [BEFORE]: before } } as never).provide(
    implementations as never,
  );
}
