import type { Run } from '../../../../machines/run.ts';
import { activeVisitOf, type BudgetLeft, budgetLeft, isSuspended, spendsBudget } from '../../../../machines/step/index.ts';
import type { ModelSettings } from '../../../executors/model/settings.ts';
import type { RuntimeContext } from '../../context.ts';
import { DEFAULT_CALL_LIMITS, type UsageBoundsOptions } from '../../quotas/usage-bounds.ts';
import type { ActivityTask } from './activity-task.ts';
import { type CallAmount, callAmount, reportedAmount } from './call-amount.ts';
import type { TaskRegistry } from './task-registry.ts';

/** An execution with a budget, and its calls of models and agents that are in progress or wait. */
interface Ledger {
  readonly executionId: string;
  /** The latest that is known. */
  run: Run;
  /** What each call in progress may use; null = it was not computed, since no other call is in progress. */
  readonly reserved: Map<ActivityTask, CallAmount | null>;
  readonly waiting: Map<ActivityTask, () => void>;
  /** Amounts are being computed; `again`: something has changed meanwhile. */
  filling: 'no' | 'yes' | 'again';
}

export interface BudgetReservationsOptions extends Pick<RuntimeContext, 'slices' | 'onError'> {
  readonly models: ModelSettings;
  readonly limitsOf: UsageBoundsOptions['limitsOf'];
  readonly tasks: TaskRegistry;
}

/**
 * Keeps calls of models and agents within the budgets of their executions: a call begins when what is used, and the most that it and those in
 * progress may use, is within them; or when no other is in progress. So at most one call goes beyond a budget. Calls begin in the order in which
 * they came.
 */
export class BudgetReservations {
  readonly #options: BudgetReservationsOptions;
  readonly #ledgers = new Map<string, Ledger>();

  constructor(options: BudgetReservationsOptions) {
    this.#options = options;
  }

  /** Calls `begin` at once or when the call may begin, with its reservation held until `leave`. */
  enter(task: ActivityTask, run: Run, begin: () => void): void {
    if (!spendsBudget(task.loaded.program, run, task.node)) {
      begin();
      return;
    }
    const ledger = this.#ledgerOf(task.executionId, run);
    ledger.waiting.set(task, begin);
    this.#fill(ledger);
  }

  /** Holds a reservation for a call that has begun. */
  occupy(task: ActivityTask, run: Run): void {
    if (spendsBudget(task.loaded.program, run, task.node)) this.#ledgerOf(task.executionId, run).reserved.set(task, null);
  }

  /** The call is over and what it used is in `run`, or it does not begin. May be called again. */
  leave(task: ActivityTask, run?: Run): void {
    const ledger = this.#ledgers.get(task.executionId);
    if (ledger === undefined) return;
    ledger.reserved.delete(task);
    ledger.waiting.delete(task);
    if (ledger.reserved.size + ledger.waiting.size === 0) this.#ledgers.delete(task.executionId);
    else this.update(task.executionId, run ?? ledger.run);
  }

  /** The execution has moved on, here or elsewhere. */
  update(executionId: string, run: Run): void {
    const ledger = this.#ledgers.get(executionId);
    if (ledger === undefined) return;
    if (run.seq > ledger.run.seq) ledger.run = run;
    this.#fill(ledger);
  }

  #ledgerOf(executionId: string, run: Run): Ledger {
    let ledger = this.#ledgers.get(executionId);
    if (ledger === undefined) {
      ledger = { executionId, run, reserved: new Map(), waiting: new Map(), filling: 'no' };
      this.#ledgers.set(executionId, ledger);
    } else if (run.seq > ledger.run.seq) ledger.run = run;
    return ledger;
  }

  #fill(ledger: Ledger): void {
    // The first call needs no amount.
    if (ledger.reserved.size === 0) this.#beginNext(ledger);
    if (ledger.filling !== 'no') ledger.filling = 'again';
    else if (ledger.waiting.size > 0) void this.#fillLater(ledger);
  }

  async #fillLater(ledger: Ledger): Promise<void> {
    try {
      do {
        ledger.filling = 'yes';
        // After all that shares the event, which may abandon calls.
        await Promise.resolve();
        await this.#fillAll(ledger);
      } while ((ledger.filling as Ledger['filling']) === 'again');
    } catch (error) {
      this.#options.onError(error);
    }
    ledger.filling = 'no';
  }

  /** Computing an amount renders a prompt, so other work has its turn in between. */
  async #fillAll(ledger: Ledger): Promise<void> {
    for (;;) {
      const [task] = ledger.waiting.keys();
      if (task === undefined || isSuspended(ledger.run)) return;
      const left = budgetLeft(task.loaded.program, ledger.run);
      if (left !== null && ledger.reserved.size > 0) {
        const amount = await this.#amountOf(task, ledger.run);
        const others = await this.#reservedIn(ledger);
        const now = budgetLeft(task.loaded.program, ledger.run);
        if (now !== null && (amount === null || others === null || !fits(now, [amount, ...others]))) return;
        if (ledger.waiting.has(task)) this.#begin(ledger, task, amount);
      } else if (!this.#beginNext(ledger)) return;
    }
  }

  async #reservedIn(ledger: Ledger): Promise<readonly CallAmount[] | null> {
    for (const [task, amount] of [...ledger.reserved]) {
      if (amount !== null) continue;
      const computed = await this.#amountOf(task, ledger.run);
      if (computed === null) return null;
      if (ledger.reserved.has(task)) ledger.reserved.set(task, computed);
    }
    const amounts = [...ledger.reserved.values()];
    return amounts.every((amount) => amount !== null) ? [...amounts, ...this.#reportedIn(ledger)] : null;
  }

  /** What tools in progress have reported so far: nothing is reserved for them. */
  #reportedIn({ reserved, executionId }: Ledger): readonly CallAmount[] {
    return [...this.#options.tasks.of(executionId)].flatMap((task) => {
      const total = reserved.has(task) ? null : (task.usage?.total ?? null);
      return total === null ? [] : [reportedAmount(total)];
    });
  }

  async #amountOf(task: ActivityTask, run: Run): Promise<CallAmount | null> {
    const { slices, models, limitsOf } = this.#options;
    const turn = slices.slice(task.tenantId).next();
    if (turn !== null) await turn;
    // The answer to the commit that ended the attempt may be on its way.
    if (!isActive(run, task)) return null;
    const limits = Object.assign({}, DEFAULT_CALL_LIMITS, await limitsOf(task.tenantId));
    return task.dropped ? null : callAmount(task, run, models, limits);
  }

  #beginNext(ledger: Ledger): boolean {
    const [task] = ledger.waiting.keys();
    if (task === undefined || isSuspended(ledger.run)) return false;
    this.#begin(ledger, task, null);
    return true;
  }

  #begin(ledger: Ledger, task: ActivityTask, amount: CallAmount | null): void {
    const begin = ledger.waiting.get(task);
    ledger.waiting.delete(task);
    ledger.reserved.set(task, amount);
    begin?.();
  }
}

function isActive(run: Run, task: ActivityTask): boolean {
  const active = activeVisitOf(run, task.node);
  return active !== null && task.is(active);
}

function fits({ input_tokens, output_tokens, total_tokens, cost_usd }: BudgetLeft, calls: readonly CallAmount[]): boolean {
  const input = sum(calls, (call) => call.input);
  const output = sum(calls, (call) => call.output);
  const total = sum(calls, (call) => call.total);
  const isWithinTokens = input <= input_tokens && output <= output_tokens && total <= total_tokens;
  return isWithinTokens && sum(calls, (call) => call.costUsd) <= cost_usd;
}

function sum(calls: readonly CallAmount[], of: (call: CallAmount) => number): number {
  return calls.reduce((total, call) => total + of(call), 0);
}
