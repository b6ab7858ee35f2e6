import type { Json, JsonObject } from '../../../machines/json.ts';
import type { DurableContext } from '../../../src/executors/durable/context.ts';
import type { ToolContext, Tools } from '../../../src/runtime/types/work.ts';
import type { OnlineChecker, StepCall, ToolCall } from '../check/online-checker.ts';
import { FUNCTION_TOOL } from '../generate-features.ts';
import type { Plan } from '../plan.ts';
import { type FunctionSide, performWithNotes, programOf } from './functions.ts';
import type { Incarnation } from './incarnation.ts';
import { randomStream } from './random-streams.ts';
import type { Scheduler } from './scheduler.ts';
import type { WorkFreezes } from './work-freezes.ts';

const OUTPUTS: readonly JsonObject[] = [{ n: 1, ok: true }, { n: 3, x: 1 }, { ok: false }, { x: 2, nested: { a: null } }];

/** Segments of a chain that use something. */
const MAX_SEGMENTS = 5;

/** The behaviour of one attempt, in process or at a worker; a function of the seed and of its names. */
export interface Behaviour {
  readonly does: 'succeed' | 'fail' | 'fail for good' | 'hang';
  readonly afterMs: number;
  readonly output: JsonObject;
  /** What the attempt uses; null = it does not say. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly costUsd: number } | null;
}

export function behaviourOf(seed: number, faultsOver: boolean, ...names: readonly (string | number)[]): Behaviour {
  const random = randomStream(seed, 'work', ...names);
  const output = random.pick(OUTPUTS);
  const roll = random.fraction();
  const short = random.between(0, 50);
  const long = random.between(500, random.pick([5_000, 60_000]));
  const used = { inputTokens: random.pick([5, 40]), outputTokens: random.pick([0, 30]), costUsd: random.pick([0.25, 1]) };
  const usage = random.chance(0.5) ? used : null;
  if (faultsOver) return { does: roll < 0.85 ? 'succeed' : 'fail', afterMs: short, output, usage };
  if (roll < 0.55) return { does: 'succeed', afterMs: short, output, usage };
  if (roll < 0.72) return { does: 'succeed', afterMs: long, output, usage };
  if (roll < 0.84) return { does: 'fail', afterMs: short, output, usage };
  if (roll < 0.9) return { does: 'fail for good', afterMs: short, output, usage };
  return { does: 'hang', afterMs: long, output, usage };
}

/** Later segments of a chain use nothing, so that it ends. */
export function mayUse(labels: Readonly<Record<string, string>>): boolean {
  return Number(labels['jamjet.segment'] ?? 0) < MAX_SEGMENTS;
}

function activationIn(idempotencyKey: string): number {
  const activation = Number(idempotencyKey.split(':')[2]);
  if (!Number.isInteger(activation)) throw new Error(`an idempotency key without an activation: ${idempotencyKey}`);
  return activation;
}

/** The in-process tools of a process. The output of each call has its number, which identifies the call in the log. */
export class SimulatedTools {
  readonly calls: ToolCall[] = [];
  /** Calls of steps so far. */
  #steps = 0;
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  readonly #checker: OnlineChecker;
  readonly #freezes: WorkFreezes;
  faultsOver = false;

  constructor(plan: Plan, scheduler: Scheduler, checker: OnlineChecker, freezes: WorkFreezes) {
    this.#plan = plan;
    this.#scheduler = scheduler;
    this.#checker = checker;
    this.#freezes = freezes;
  }

  of(incarnation: Incarnation): Tools {
    const names = this.#plan.processes[incarnation.processIndex]?.tools ?? [];
    const call = (input: JsonObject, context: ToolContext) => this.#call(incarnation, input, context);
    const run = (input: JsonObject, context: DurableContext) => this.#run(incarnation, input, context);
    return Object.fromEntries([...names.map((name) => [name, call] as const), [FUNCTION_TOOL, run] as const]) as Tools;
  }

  /** A durable function, whose program depends on its node. */
  async #run(incarnation: Incarnation, input: JsonObject, context: DurableContext): Promise<Json> {
    const { id: executionId, nodeId: node, idempotencyKey } = context.execution;
    const visit = { executionId, node, activation: activationIn(idempotencyKey) };
    const { seed } = this.#plan;
    const side: FunctionSide = {
      random: randomStream(seed, 'function', node, 'retries'),
      step: (name, attempt) => this.#step(incarnation, { ...visit, name, attempt }, String(input.mark ?? '')),
      given: (name, output) => {
        if (incarnation.alive) this.#checker.onGiven({ ...visit, name }, output);
      },
    };
    return performWithNotes(programOf(seed, node), context, side);
  }

  #step(incarnation: Incarnation, step: StepCall, mark: string): Promise<Json> {
    if (!incarnation.alive) return new Promise(() => {});
    this.#checker.onStepCall(step);
    this.#steps += 1;
    const call = this.#steps;
    const { node, activation, name, attempt } = step;
    const { does, afterMs } = behaviourOf(this.#plan.seed, this.faultsOver, mark, node, activation, name, attempt);
    return new Promise((resolve, reject) => {
      this.#scheduler.schedule(afterMs, incarnation, `${incarnation.id} step ${node} ${name} ends call ${call}`, () => {
        if (does === 'succeed' || does === 'hang') resolve({ step: call });
        else reject(Object.assign(new Error('the step failed'), { retryable: does === 'fail' }));
      });
    });
  }

  #call(incarnation: Incarnation, input: JsonObject, context: ToolContext): Json | Promise<Json> {
    // A call in a dead process has no effect.
    if (!incarnation.alive) return new Promise(() => {});
    const { executionId, nodeId: node, attempt, idempotencyKey } = context;
    const activation = activationIn(idempotencyKey);
    const [, , , item] = idempotencyKey.split(':').map(Number);
    const call = { call: this.calls.length + 1, executionId, node, activation, attempt, item };
    this.calls.push(call);
    this.#checker.onToolCall(call);
    const longerMs = this.#freezes.onToolCall(call, incarnation);
    const mark = String(input.mark ?? '');
    const {
      does,
      afterMs: usualMs,
      output,
      usage,
    } = behaviourOf(this.#plan.seed, this.faultsOver, mark, node, activation, attempt, ...(item === undefined ? [] : [item]));
    const afterMs = usualMs + longerMs;
    const result = { ...output, call: call.call };
    if (usage !== null && mayUse(context.labels)) context.reportUsage(usage);
    context.progress(0.5);
    context.progress('half');
    if (does === 'succeed' && afterMs === 0) return result;
    return new Promise((resolve, reject) => {
      this.#scheduler.schedule(afterMs, incarnation, `${incarnation.id} tool ${node} ends call ${call.call}`, () => {
        if (does === 'succeed' || does === 'hang') resolve(result);
        else reject(Object.assign(new Error('the tool failed'), { retryable: does === 'fail' }));
      });
      if (does !== 'hang') context.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    });
  }
}
