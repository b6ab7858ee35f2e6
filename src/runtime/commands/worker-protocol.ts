import type { Json } from '../../../machines/json.ts';
import type { WorkClaims } from '../activities/external/work-claims.ts';
import type { WorkJournals } from '../activities/external/work-journals.ts';
import type { WorkResults } from '../activities/external/work-results.ts';
import type { WorkerRegistry } from '../activities/external/worker-registry.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, runCommand } from './command.ts';
import { assertStorable } from './storable-text.ts';

export interface WorkerProtocolOptions {
  readonly claims: WorkClaims;
  readonly results: WorkResults;
  readonly journals: WorkJournals;
  readonly registry: WorkerRegistry;
}

/** What external workers call. */
export function workerProtocol(
  context: CommandContext,
  { claims, results, journals, registry }: WorkerProtocolOptions,
): Pick<Runtime, 'claim' | 'commitOperations' | 'complete' | 'fail' | 'heartbeat'> {
  return {
    async claim(caller, claim) {
      // Not a request in progress: a long poll waits for work and makes none.
      context.admission.admit(caller.tenantId);
      assertStorable({ names: { worker_id: claim.workerId } });
      // Before it waits: the worker serves its tools from now on.
      registry.recordClaim(caller, claim, 0);
      const items = await claims.claim(caller, claim);
      registry.recordClaim(caller, claim, items.length);
      return items;
    },
    commitOperations(caller, workItemId, { waitMs = 0, signal, ...given }) {
      const { operations, parkedAfter } = given;
      // Not a request in progress, like a claim that waits.
      if (waitMs > 0 && operations.length === 0 && parkedAfter === undefined)
        return journals.changed(caller, workItemId, given, { untilMs: context.clock.nowMs() + waitMs, signal });
      const texts = { values: { operations: operations as unknown as Json } };
      return runCommand(context, caller, { work: 'reduces', texts }, () => journals.commit(caller, workItemId, given));
    },
    complete(caller, workItemId, result) {
      const texts = { values: { output: result.output, state_patch: result.statePatch } };
      return runCommand(context, caller, { work: 'reduces', texts }, () => results.complete(caller, workItemId, result));
    },
    fail: (caller, workItemId, failure) =>
      runCommand(context, caller, { work: 'reduces' }, () => results.fail(caller, workItemId, failure)),
    heartbeat: (caller, workItemId, lease) =>
      runCommand(context, caller, { work: 'reduces' }, () => results.heartbeat(caller, workItemId, lease)),
  };
}
