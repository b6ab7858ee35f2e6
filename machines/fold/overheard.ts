import type { Program } from '../compile.ts';
import type { EventType } from '../events.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Context } from '../step/context.ts';
import type { TimedEvent } from './log.ts';

/** An event as a machine gets it: its `type`, and what the guards and actions read of it. */
export type MachineEvent = JsonObject & { readonly type: string };

/** Steps that change a run before its machine hears anything, or without its hearing anything. */
const BESIDE: ReadonlySet<EventType> = new Set(['workflow_paused', 'workflow_resumed', 'workflow_retried', 'workflow_forked']);

/** A program that runs as it would, while somebody listens to what its machine is sent. */
export class Overheard {
  readonly program: Program;
  #heard: MachineEvent[] = [];

  constructor(program: Program) {
    const { stepper } = program;
    const hear = (event: MachineEvent): void => {
      this.#heard.push(event);
    };
    this.program = {
      ...program,
      stepper: {
        ...stepper,
        initial(input) {
          hear({ type: 'xstate.init', input: (input as Context).input });
          return stepper.initial(input);
        },
        move(snapshot, stimulus) {
          hear(stimulus as unknown as MachineEvent);
          return stepper.move(snapshot, stimulus);
        },
      },
    };
  }

  /** What moved the machine since the last call, in order. A step that moved nothing is told by the event it began with (`first`). */
  take(first: TimedEvent): readonly MachineEvent[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard.length === 0 || BESIDE.has(first.type) ? [told(first), ...heard] : heard;
  }
}

function told({ type, node_id, data }: TimedEvent): MachineEvent {
  const node: { readonly node?: Json } = node_id === null ? {} : { node: node_id };
  return { ...data, ...node, type };
}
