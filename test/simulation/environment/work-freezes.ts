import type { ToolCall } from '../check/online-checker.ts';
import type { Fault, Plan } from '../plan.ts';
import type { Incarnation } from './incarnation.ts';
import { randomStream } from './random-streams.ts';
import type { Scheduler } from './scheduler.ts';

type WorkFreeze = Extract<Fault, { kind: 'freeze at work' }>;

/** Maximum time between the start of the next attempt and the end of the freeze. */
const THAW_WITHIN_MS = 20;
/** Additional duration of the next attempt, so that the stale result arrives while it is in progress. */
const OVERTAKING_MS = [1_000, 5_000] as const;

/**
 * Freezes a process when it calls a tool, and ends the freeze when another process has started the next attempt: the result of the first
 * attempt is stale by then, and arrives first.
 */
export class WorkFreezes {
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  /** Number of calls by process index. */
  readonly #calls = new Map<number, number>();
  #frozen: { readonly call: ToolCall; readonly incarnation: Incarnation }[] = [];
  faultsOver = false;

  constructor(plan: Plan, scheduler: Scheduler) {
    this.#plan = plan;
    this.#scheduler = scheduler;
  }

  /** Called for every call of a tool. Returns the additional duration of the call. */
  onToolCall(call: ToolCall, incarnation: Incarnation): number {
    const overtaken = this.#frozen.filter((each) => each.incarnation !== incarnation && follows(call, each.call));
    this.#frozen = this.#frozen.filter((each) => !overtaken.includes(each));
    const random = randomStream(this.#plan.seed, 'overtaking', call.call);
    const { nowMs } = this.#scheduler;
    for (const each of overtaken) this.#thaw(each.incarnation, nowMs + random.between(0, THAW_WITHIN_MS));
    const fault = this.#faultOf(incarnation);
    if (fault !== null) {
      incarnation.frozenUntilMs = nowMs + fault.forMs;
      this.#frozen.push({ call, incarnation });
    }
    return overtaken.length > 0 ? random.between(...OVERTAKING_MS) : 0;
  }

  #thaw(incarnation: Incarnation, atMs: number): void {
    if (incarnation.frozenUntilMs <= atMs) return;
    incarnation.frozenUntilMs = atMs;
    this.#scheduler.rescheduleDeferred(incarnation);
  }

  #faultOf({ processIndex }: Incarnation): WorkFreeze | null {
    const nth = (this.#calls.get(processIndex) ?? 0) + 1;
    this.#calls.set(processIndex, nth);
    if (this.faultsOver) return null;
    const isIt = (fault: Fault): fault is WorkFreeze =>
      fault.kind === 'freeze at work' && fault.process === processIndex && fault.nth === nth;
    return this.#plan.faults.find(isIt) ?? null;
  }
}

/** Whether it is a later attempt of the same visit. */
function follows(call: ToolCall, before: ToolCall): boolean {
  const { executionId, node, activation, attempt, item } = before;
  const isOfItem = call.node === node && call.activation === activation && call.item === item;
  return call.executionId === executionId && isOfItem && call.attempt > attempt;
}
