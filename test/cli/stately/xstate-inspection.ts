import { initialTransition, transition } from 'xstate';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { historyOf, LogReplay, type TimedEvent } from '../../../machines/replay/index.ts';
import type { MachineStep } from '../../../machines/step/stepper.ts';

export interface Step {
  readonly events: readonly unknown[];
  readonly value: Json;
}

/** The steps of a log, taken by XState's public functions instead of the reusable scope: what it was sent, and where it was then. */
export function stepsByXState(document: JsonObject, executionId: string, log: readonly TimedEvent[]): readonly Step[] {
  const program = compile(normalise(document).workflow, 'r');
  const { machine } = program.stepper;
  let events: unknown[] = [];
  const moved = ([snapshot, actions]: readonly [
    unknown,
    readonly { readonly type: string; readonly params: unknown }[],
  ]): MachineStep => ({ snapshot, actions: actions.map(({ type, params }) => ({ type, params })) }) as MachineStep;
  const stepper: typeof program.stepper = {
    ...program.stepper,
    initial(context) {
      events.push({ type: 'xstate.init', input: (context as { input: Json }).input });
      return moved(initialTransition(machine, context) as never);
    },
    move(snapshot, stimulus) {
      events.push(stimulus);
      return moved(transition(machine, snapshot, stimulus) as never);
    },
  };
  const replay = new LogReplay({ ...program, stepper }, { executionId, stepLimit: 0, runtimeId: '' }, historyOf(log));
  const steps: Step[] = [];
  for (const event of log) replay.push(event);
  for (let run = replay.next(true); run !== null; run = replay.next(true)) {
    steps.push({ events, value: run.snapshot.value as Json });
    events = [];
  }
  return steps;
}
