import type { Program } from '../step/program.ts';
import type { TransitionTrace } from '../step/walker.ts';

/** A transition that a machine took, by the ids of its states. */
export interface TakenTransition {
  readonly source: string;
  readonly target: string;
}

/** A program that records the transitions which its machine takes. */
export class TransitionRecorder {
  readonly program: Program;
  #taken: TakenTransition[] = [];

  constructor(program: Program) {
    const { stepper } = program;
    const trace: TransitionTrace = (source, target) => {
      this.#taken.push({ source, target });
    };
    this.program = {
      ...program,
      stepper: {
        initial: (context) => stepper.initial(context, trace),
        move: (configuration, event, context) => stepper.move(configuration, event, context, trace),
      },
    };
  }

  /** The transitions since the last call, in order. */
  take(): readonly TakenTransition[] {
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }
}
