import type { Run } from '../run.ts';
import type { Program } from '../step/program.ts';
import type { History } from './history.ts';
import type { TimedEvent } from './log.ts';
import { type ReplayEnv, replayStep } from './replay-step.ts';

/** Replayed events after which the list is cut. */
const COMPACT_AFTER = 1_000;
/** In the place of an event that has been replayed, which may hold megabytes. */
const REPLAYED: TimedEvent = { sequence: 0, type: 'workflow_started', node_id: null, data: {}, at_ms: 0 };

/**
 * Replays a log while it is read: events go in, runs come out, and only the current step is kept. For logs that are too long for the
 * memory, and for callers that need the run after every step.
 */
export class LogReplay {
  readonly #program: Program;
  readonly #env: ReplayEnv;
  readonly #history: History;
  #events: TimedEvent[] = [];
  #at = 0;
  #run: Run | null;
  #first: TimedEvent | null = null;

  /** Replays from the start, or from a run of the same history (`from`): then the first event is the next one after it. */
  constructor(program: Program, env: ReplayEnv, history: History, from: Run | null = null) {
    this.#program = program;
    this.#env = env;
    this.#history = history;
    this.#run = from;
  }

  /** The run after the last step; null before the first. */
  get run(): Run | null {
    return this.#run;
  }

  /** The event with which the last step began; null before the first. */
  get first(): TimedEvent | null {
    return this.#first;
  }

  /** The time of the last step, in milliseconds since 1970. */
  get atMs(): number {
    return this.#first?.at_ms ?? 0;
  }

  push(event: TimedEvent): void {
    this.#events.push(event);
  }

  /**
   * Replays the next step if all its events are there; null = more events are needed, or there are none. The events of a step share their
   * time, so a step is complete when an event of another time follows, or the log has ended. Throws `LogMismatch`.
   */
  next(ended: boolean): Run | null {
    const first = this.#events[this.#at];
    if (first === undefined || (!ended && this.#events.at(-1)?.at_ms === first.at_ms)) return null;
    const { run, length } = replayStep(this.#program, this.#run, this.#events, this.#at, this.#env, this.#history);
    this.#run = run;
    this.#first = first;
    for (const end = this.#at + length; this.#at < end; this.#at += 1) this.#events[this.#at] = REPLAYED;
    if (this.#at >= COMPACT_AFTER) {
      this.#events = this.#events.slice(this.#at);
      this.#at = 0;
    }
    return run;
  }
}
