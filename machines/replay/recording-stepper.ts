import type { EventType } from '../events/index.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Program } from '../step/program.ts';
import type { TimedEvent } from './log.ts';

/** An event as it was sent to a machine: its `type`, and the fields that guards and actions read. */
export type RecordedEvent = JsonObject & { readonly type: string };

/** Messages that change a run before its machine gets an event, or without one. */
const WITHOUT_TRANSITION: ReadonlySet<EventType> = new Set([
  'workflow_paused',
  'workflow_resumed',
  'workflow_retried',
  'workflow_forked',
]);

/** A program that records the events which its machine is sent. */
export class RecordingStepper {
  readonly program: Program;
  #recorded: RecordedEvent[] = [];

  constructor(program: Program) {
    const { stepper } = program;
    const record = (event: RecordedEvent): void => {
      this.#recorded.push(event);
    };
    this.program = {
      ...program,
      stepper: {
        initial(context) {
          record({ type: 'xstate.init', input: context.step.now.input });
          return stepper.initial(context);
        },
        move(configuration, event, context) {
          record(event as unknown as RecordedEvent);
          return stepper.move(configuration, event, context);
        },
      },
    };
  }

  /** The events since the last call, in order. A step that sent none is represented by the log event that it began with (`first`). */
  take(first: TimedEvent): readonly RecordedEvent[] {
    const recorded = this.#recorded;
    this.#recorded = [];
    return recorded.length === 0 || WITHOUT_TRANSITION.has(first.type) ? [recordedEventOf(first), ...recorded] : recorded;
  }
}

function recordedEventOf({ type, node_id, data }: TimedEvent): RecordedEvent {
  const node: { readonly node?: Json } = node_id === null ? {} : { node: node_id };
  return Object.assign({}, data, node, { type });
}
