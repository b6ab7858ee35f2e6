import type { Budgets } from '../../machines/messages.ts';
import { LogMismatch, replayForRetry } from '../../machines/replay/index.ts';
import type { Run } from '../../machines/run.ts';
import { activeOf, exceededBudgetOf, terminalFailures } from '../../machines/step/index.ts';
import type { ExecutionStore } from '../../store/port/execution-store.ts';
import { actorOf } from './actor.ts';
import type { Engine } from './engine/engine.ts';
import { LIMITS } from './engine/limits/limits.ts';
import type { CachedExecution } from './engine/loading/execution-cache.ts';
import { RuntimeError } from './errors.ts';
import { readTail } from './log/read-log.ts';
import type { Queries } from './queries/queries.ts';
import type { Quotas } from './quotas/quotas.ts';
import type { TimeSlices } from './scheduling/time-slices.ts';
import type { Caller } from './types/caller.ts';

export interface InterventionsOptions {
  readonly store: ExecutionStore;
  readonly loop: Engine;
  readonly reads: Queries;
  readonly slices: TimeSlices;
  readonly quotas: Quotas;
  readonly runtimeId: string;
  readonly stepLimit: number;
}

/** What operators do to an execution: hold it, let it go on, have its failed nodes run again. */
export class Interventions {
  readonly #options: InterventionsOptions;

  constructor(options: InterventionsOptions) {
    this.#options = options;
  }

  async pause(caller: Caller, id: string, reason: string | null): Promise<void> {
    await this.#options.reads.find(caller.tenantId, id);
    const outcome = await this.#options.loop.send(id, { type: 'pause', reason }, { actor: actorOf(caller), urgent: true });
    if (!('refused' in outcome)) return;
    if (outcome.refused === 'already_held') throw new RuntimeError('conflict', `execution ${id} is paused already`);
    throw await this.#ended(caller, id);
  }

  async resume(caller: Caller, id: string, budgets: Budgets | null): Promise<void> {
    await this.#options.reads.find(caller.tenantId, id);
    const resume = { type: 'resume', ...(budgets === null ? {} : { budgets }) } as const;
    const outcome = await this.#options.loop.send(id, resume, { actor: actorOf(caller) });
    if (!('refused' in outcome)) return;
    if (outcome.refused !== 'not_held' && outcome.refused !== 'over_budget') throw await this.#ended(caller, id);
    const hot = await this.#options.reads.load(caller.tenantId, id);
    if (outcome.refused === 'over_budget') {
      const exceeded = exceededBudgetOf(hot.loaded.program, hot.run) ?? 'the budget sent is exceeded already';
      const how = 'resume it with a greater total, as token_budget or cost_budget_usd';
      throw new RuntimeError('conflict', `execution ${id} has used more than it may (${exceeded}): ${how}`);
    }
    throw new RuntimeError('conflict', `execution ${id} is not paused by anyone${waitsFor(hot)}`);
  }

  /**
   * The log is read and folded again from its start, with the failures left out that ended the run; the retry goes on from there, unless
   * the execution has moved on meanwhile.
   */
  async retry(caller: Caller, id: string): Promise<{ readonly nodes: readonly string[] }> {
    const { loop, reads, quotas } = this.#options;
    const hot = await reads.load(caller.tenantId, id);
    const nodes = retryable(hot);
    await quotas.admit(caller.tenantId, id);
    try {
      const revived = await this.#revive(hot, nodes);
      const outcome = await loop.send(id, { type: 'retry' }, { actor: actorOf(caller), retryFrom: revived });
      if (!('refused' in outcome)) return { nodes: namesOf(outcome.events[0]?.data.nodes) };
    } finally {
      quotas.release(caller.tenantId, id);
    }
    const { status } = await reads.execution(caller.tenantId, id);
    throw new RuntimeError('conflict', `execution ${id} has been retried already: it is ${status}`);
  }

  async #revive({ id, tenantId, loaded, run }: CachedExecution, nodes: readonly string[]): Promise<Run> {
    const { store, slices, runtimeId, stepLimit } = this.#options;
    const { events } = await readTail(store, tenantId, id, 0, run.seq, undefined, LIMITS.retriedLogBytes);
    const folding = replayForRetry(loaded.program, events, nodes, { executionId: id, stepLimit, runtimeId });
    try {
      return await slices.drive(slices.slice(tenantId), folding);
    } catch (cause) {
      if (!(cause instanceof LogMismatch)) throw cause;
      throw new RuntimeError('corrupt', `the log of execution ${id} does not fold: ${cause.message}`, { cause });
    }
  }

  async #ended(caller: Caller, id: string): Promise<RuntimeError> {
    const { status } = await this.#options.reads.execution(caller.tenantId, id);
    return new RuntimeError('conflict', `execution ${id} has ended: ${status}`);
  }
}

/** The nodes that would run again. Throws `conflict`, with the reason, when the execution is not one to retry. */
function retryable({ id, parentId, run, loaded }: CachedExecution): readonly string[] {
  const refuse = (why: string): RuntimeError => new RuntimeError('conflict', `execution ${id} cannot be retried: ${why}`);
  if (run.status !== 'failed') throw refuse(`it is ${run.status}, and only what has failed can be`);
  if (parentId !== null)
    throw refuse(`it is a child of execution ${parentId}, which has gone on without it; a retry of that one starts a new child`);
  const nodes = terminalFailures(run);
  if (nodes.length === 0) throw refuse(`no node failed it, but: ${run.error ?? 'unknown'}`);
  const blocked = nodes.filter((node) => loaded.program.tables.verdicts.get(node)?.decision === 'blocked');
  if (blocked.length > 0) throw refuse(`node(s) ${blocked.join(', ')} are blocked by policy, and would be again`);
  return nodes;
}

function namesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** What an execution that nobody holds waits for, and which call moves it on. */
function waitsFor({ loaded, run }: CachedExecution): string {
  const waits = activeOf(loaded.program, run).flatMap(({ node, phase, waitsFor: key }) => {
    if (phase === 'approval' || phase === 'held') return `node ${node} waits for a decision (approve)`;
    if (phase !== 'waiting') return [];
    return key === null ? `node ${node} waits for its time` : `node ${node} waits for event ${key} (external-event)`;
  });
  return waits.length === 0 ? '' : `: ${waits.join('; ')}`;
}
