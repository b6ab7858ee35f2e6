import { type CompileOptions, compile } from '../../machines/compile/index.ts';
import type { LogEvent } from '../../machines/events/index.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import type { Json } from '../../machines/json.ts';
import type { Message, Usage } from '../../machines/messages.ts';
import { replayForRetry } from '../../machines/replay/index.ts';
import type { ActiveNode, Effect, Refused, Run, StepEnv, StepResult } from '../../machines/run.ts';
import { activeOf, isStuck, load, resettableFailures, save, start, stateOf, step } from '../../machines/step/index.ts';
import type { Program } from '../../machines/step/program.ts';
import type { Stepper } from '../../machines/step/walker.ts';
import { replay } from './replay.ts';

/** Drives one execution without a runtime: sends messages for the current visit of a node, and keeps the log, the effects and the timers. */
export class Driver {
  readonly program: Program;
  readonly log: (LogEvent & { readonly at_ms: number })[] = [];
  /** The saved snapshot after every step, with its sequence. */
  readonly saves: { readonly seq: number; readonly text: string }[] = [];
  readonly timers = new Map<string, Effect & { readonly type: 'set_timer' }>();
  env: StepEnv;
  last: StepResult;

  constructor(
    workflow: Workflow,
    options: {
      readonly input?: Json;
      readonly env?: Partial<StepEnv>;
      readonly compile?: CompileOptions;
      readonly stepper?: (program: Program) => Stepper;
      /** It goes on from there. */
      readonly origin?: { readonly program: Program; readonly log: Driver['log']; readonly last: StepResult };
    } = {},
  ) {
    const program = options.origin?.program ?? compile(workflow, 'revision', options.compile);
    this.program = options.stepper === undefined ? program : { ...program, stepper: options.stepper(program) };
    this.env = {
      executionId: 'exec_1',
      nowMs: 1_000_000,
      stepLimit: 10_000,
      runtimeId: 'runtime-1',
      isLocal: () => false,
      vars: {},
      ...options.env,
    };
    this.last = options.origin?.last ?? start(this.program, options.input ?? {}, this.env);
    if (options.origin === undefined) this.#record(this.last);
    else this.log.push(...options.origin.log);
  }

  get run(): Run {
    return this.last.run;
  }

  get state() {
    return stateOf(this.run);
  }

  get active(): readonly ActiveNode[] {
    return activeOf(this.program, this.run);
  }

  /** Ids of the active nodes. */
  get activeNodes(): string[] {
    return this.active.map(({ node }) => node);
  }

  /** `type:node` of the events of the last step. */
  get events(): string[] {
    return this.last.events.map(({ type, node_id }) => (node_id === null ? type : `${type}:${node_id}`));
  }

  /** All logged events of a type, in order. */
  all(type: LogEvent['type']): LogEvent[] {
    return this.log.filter((event) => event.type === type);
  }

  visit(node: string, item?: number): { node: string; activation: number; attempt: number } {
    const active = this.active.find((candidate) => candidate.node === node && candidate.item === item);
    return { node, activation: active?.activation ?? 0, attempt: active?.attempt ?? 0 };
  }

  /** Throws if the message is refused. */
  send(message: Message): StepResult {
    const stepped = this.try(message);
    if ('refused' in stepped) throw new Error(`${JSON.stringify(message)} is refused: ${stepped.refused}`);
    return stepped;
  }

  try(message: Message): StepResult | Refused {
    this.env = { ...this.env, nowMs: this.env.nowMs + 1_000 };
    const run = message.type === 'retry' ? this.#replayedForRetry() : this.run;
    const stepped = step(this.program, run, message, this.env);
    if ('refused' in stepped) return stepped;
    if (message.type === 'timer') this.timers.delete(message.id);
    this.#record(stepped);
    return stepped;
  }

  done(node: string, output: Json = {}, more: { readonly patch?: Json; readonly usage?: Usage } = {}): StepResult {
    return this.send({ type: 'done', ...this.visit(node), output, durationMs: 7, ...more });
  }

  fail(
    node: string,
    more: {
      readonly error?: string;
      readonly errorClass?: string;
      readonly httpStatus?: number;
      readonly retryable?: boolean;
      readonly usage?: Usage;
    } = {},
  ): StepResult {
    return this.send({ type: 'fail', ...this.visit(node), error: 'boom', retryable: true, ...more });
  }

  decide(node: string, decision: 'approved' | 'rejected', patch: Json = null): StepResult {
    return this.send({ type: 'decide', node, decision, userId: 'ann', comment: null, patch });
  }

  event(key: string, payload: Json = {}): StepResult {
    return this.send({ type: 'event', key, payload });
  }

  /** Fires the node's timer. */
  fire(node: string): StepResult {
    const armed = [...this.timers.values()].find((timer) => timer.node === node);
    if (armed === undefined) throw new Error(`${node} has no timer`);
    return this.send({ type: 'timer', id: armed.id });
  }

  pause(reason: string | null = null): StepResult {
    return this.send({ type: 'pause', reason });
  }

  resume(): StepResult {
    return this.send({ type: 'resume' });
  }

  /** Retries a failed run. */
  retry(): StepResult {
    return this.send({ type: 'retry' });
  }

  /** An execution that continues from an earlier step of this one, as `executionId`. */
  forkAt(sequence: number, executionId: string, patch: Json = null): Driver {
    const { program, env } = this;
    const log = this.log.slice(0, sequence);
    const run = replay(program, null, log, env);
    const fork = new Driver(program.workflow, {
      env: { ...env, executionId },
      origin: { program, log, last: { ...this.last, run } },
    });
    fork.send({ type: 'fork', origin: { executionId: env.executionId, sequence }, patch, decisions: [] });
    return fork;
  }

  /** Continues from the saved snapshot, as after a restart. */
  reload(): void {
    const run = load(this.program, save(this.run), { seq: this.run.seq, input: this.run.input });
    this.last = { ...this.last, run };
  }

  /** Replays the log, as a retry of a failed run does. */
  #replayedForRetry(): Run {
    const replaying = replayForRetry(this.program, this.log, resettableFailures(this.run), this.env);
    for (;;) {
      const { done, value } = replaying.next();
      if (done) return value;
    }
  }

  #record(stepped: StepResult): void {
    if (isStuck(stepped.run)) throw new Error('the run is stuck: nothing is in progress, and no message can continue it');
    this.last = stepped;
    this.log.push(...stepped.events.map((event) => ({ ...event, at_ms: this.env.nowMs })));
    this.saves.push({ seq: stepped.run.seq, text: save(stepped.run) });
    for (const effect of stepped.effects) {
      if (effect.type === 'set_timer') this.timers.set(effect.id, effect);
      if (effect.type === 'clear_timer') this.timers.delete(effect.id);
    }
  }
}
