import { MAX_LOSSES } from '../../../../machines/limits.ts';
import type { Usage as LoggedUsage } from '../../../../machines/messages.ts';
import { toStorableText } from '../../../../machines/unicode.ts';
import { givenDetails } from '../../../executors/given-details.ts';
import { actorOf } from '../../actor.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Engine } from '../../engine/engine.ts';
import { ignoredIn } from '../../engine/envelope.ts';
import type { UsageBounds } from '../../quotas/usage-bounds.ts';
import { visitOf } from '../../timers/timer-queue.ts';
import type { Caller } from '../../types/caller.ts';
import type { IgnoredState } from '../../types/executions.ts';
import type { CompleteWork, FailWork, HeartbeatWork, Usage } from '../../types/work.ts';
import { fenceOf, findItem, findOpenItem, stale, workerOf } from './claimed-items.ts';
import type { ExternalProgress } from './external-progress.ts';
import { LEASE_MS } from './work-claims.ts';

export interface WorkResultsOptions extends Pick<RuntimeContext, 'store' | 'clock'> {
  readonly engine: Engine;
  readonly progress: ExternalProgress;
  readonly usageBounds: UsageBounds;
}

/** Takes what external workers report of the items they have claimed: results, failures, heartbeats. */
export class WorkResults {
  readonly #options: WorkResultsOptions;

  constructor(options: WorkResultsOptions) {
    this.#options = options;
  }

  async complete(caller: Caller, id: string, result: CompleteWork): Promise<IgnoredState> {
    const item = await findOpenItem(this.#options.store, caller, id, result);
    const { output, statePatch, durationMs, usage } = result;
    const message = {
      type: 'done',
      ...visitOf(item),
      output,
      durationMs: durationMs ?? 0,
      ...(statePatch === undefined ? {} : { patch: statePatch }),
      ...(await this.#counted(caller, usage)),
    } as const;
    const outcome = await this.#options.engine.send(item.executionId, message, {
      actor: actorOf(caller, workerOf(item, result)),
      preconditions: { settle: { id, fence: fenceOf(result.leaseFence) } },
    });
    if ('refused' in outcome) throw stale();
    return ignoredIn(outcome);
  }

  async fail(caller: Caller, id: string, failure: FailWork): Promise<void> {
    const item = await findOpenItem(this.#options.store, caller, id, failure);
    const { error, retryable, errorClass, httpStatus, usage, isInterrupted } = failure;
    const details = givenDetails(failure.details ?? {});
    const message = {
      type: 'fail',
      ...visitOf(item),
      error: toStorableText(error),
      retryable: retryable ?? true,
      ...(isInterrupted === true ? { lost: MAX_LOSSES } : {}),
      ...(errorClass === undefined ? {} : { errorClass: toStorableText(errorClass) }),
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...(details === null ? {} : { details }),
      ...(await this.#counted(caller, usage)),
    } as const;
    const outcome = await this.#options.engine.send(item.executionId, message, {
      actor: actorOf(caller, workerOf(item, failure)),
      preconditions: { settle: { id, fence: fenceOf(failure.leaseFence) } },
    });
    if ('refused' in outcome) throw stale();
  }

  async heartbeat(
    caller: Caller,
    id: string,
    { workerId, leaseFence: fence, progress }: HeartbeatWork,
  ): Promise<{ readonly leaseExpiresAtMs: number }> {
    const { store, clock } = this.#options;
    const item = await findItem(store, caller, id);
    const leaseExpiresAtMs = clock.nowMs() + LEASE_MS;
    const isRenewed = await store.renewLease({ tenantId: caller.tenantId, id, workerId, fence, leaseExpiresAtMs });
    if (!isRenewed) throw stale();
    if (progress !== undefined) await this.#options.progress.report(item, progress);
    return { leaseExpiresAtMs };
  }

  async #counted({ tenantId }: Caller, usage: Usage | undefined): Promise<{ readonly usage?: LoggedUsage }> {
    return usage === undefined ? {} : { usage: await this.#options.usageBounds.counted(tenantId, loggedUsage(usage)) };
  }
}

/** The usage in the form of the log. */
function loggedUsage(usage: Usage): LoggedUsage {
  // New shape: a call of a model took longer.
  return {
    ...(usage.genAiSystem === undefined ? {} : { gen_ai_system: usage.genAiSystem }),
    ...(usage.genAiModel === undefined ? {} : { gen_ai_model: usage.genAiModel }),
    ...(usage.inputTokens === undefined ? {} : { input_tokens: usage.inputTokens }),
    ...(usage.outputTokens === undefined ? {} : { output_tokens: usage.outputTokens }),
    ...(usage.finishReason === undefined ? {} : { finish_reason: usage.finishReason }),
    ...(usage.costUsd === undefined ? {} : { cost_usd: usage.costUsd }),
  };
}
