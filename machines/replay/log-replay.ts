import type { Program } from '../compile/index.ts';
import type { Run } from '../run.ts';
import type { History } from './history.ts';
import type { TimedEvent } from './log.ts';
import { type ReplayEnv, replayStep } from './replay-step.ts';

/** Events that are done with before their memory is given back. */
const COMPACT_AFTER = 1_000;

/**
 * A log folded while it is read: events go in, runs come out, and no more is kept than the step under way. For logs too long for the
 * memory, and for whoever wants to see the run after every step.
 */
export class LogReplay {
  readonly #program: Program;
  readonly #env: ReplayEnv;
  readonly #history: History;
  #events: TimedEvent[] = [];
  #at = 0;
  #run: Run | null;
  #first: TimedEvent | null = null;

  /** From the start, or from a run that this very history led to (`from`): then its next event is the first to go in. */
  constructor(program: Program, env: ReplayEnv, history: History, from: Run | null = null) {
    this.#program = program;
    this.#env = env;
    this.#history = history;
    this.#run = from;
  }

  /** After the last step; null before the first. */
  get run(): Run | null {
    return this.#run;
  }

  /** The event that step began with; null before the first. */
  get first(): TimedEvent | null {
    return this.#first;
  }

  /** When that step was taken. */
  get atMs(): number {
    return this.#first?.at_ms ?? 0;
  }

  push(event: TimedEvent): void {
    this.#events.push(event);
  }

  /**
   * Takes the next step, if all of it is there; null = it takes more events, or there are none. The events of a step share their time, so it
   * is whole once one of another time follows, or the log ends. Throws `LogMismatch`.
   */
  next(ended: boolean): Run | null {
    const first = this.#events[this.#at];
    if (first === undefined || (!ended && this.#events.at(-1)?.at_ms === first.at_ms)) return null;
    const { run, length } = replayStep(this.#program, this.#run, this.#events, this.#at, this.#env, this.#history);
    this.#run = run;
    this.#first = first;
    this.#at += length;
    if (this.#at >= COMPACT_AFTER) {
      this.#events = this.#events.slice(this.#at);
      this.#at = 0;
    }
    return run;
  }
}
