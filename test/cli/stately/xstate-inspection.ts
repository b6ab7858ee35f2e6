import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { historyOf, LogReplay, type TimedEvent } from '../../../machines/replay/index.ts';
import { actorStepper } from '../../support/actor-stepper.ts';

export interface Step {
  readonly events: readonly unknown[];
  readonly value: Json;
}

/** The steps of a log, taken by an actor of XState itself: the events sent to it and the state value after each step. */
export function stepsByXState(document: JsonObject, executionId: string, log: readonly TimedEvent[]): readonly Step[] {
  const program = compile(normalise(document).workflow, 'r');
  const actor = actorStepper(program);
  let events: unknown[] = [];
  const stepper: typeof program.stepper = {
    initial(context) {
      events.push({ type: 'xstate.init', input: context.step.now.input });
      return actor.initial(context);
    },
    move(configuration, event, context) {
      events.push(event);
      return actor.move(configuration, event, context);
    },
  };
  const replay = new LogReplay({ ...program, stepper }, { executionId, stepLimit: 0, runtimeId: '' }, historyOf(log));
  const steps: Step[] = [];
  for (const event of log) replay.push(event);
  for (let run = replay.next(true); run !== null; run = replay.next(true)) {
    steps.push({ events, value: actor.actorValue() });
    events = [];
  }
  return steps;
}
