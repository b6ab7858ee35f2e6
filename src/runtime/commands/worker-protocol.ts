import type { WorkClaims } from '../activities/external/work-claims.ts';
import type { WorkResults } from '../activities/external/work-results.ts';
import type { WorkerRegistry } from '../activities/external/worker-registry.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, runCommand } from './command.ts';
import { assertStorable } from './storable-text.ts';

export interface WorkerProtocolOptions {
  readonly claims: WorkClaims;
  readonly results: WorkResults;
  readonly registry: WorkerRegistry;
}

/** What external workers call. */
export function workerProtocol(
  context: CommandContext,
  { claims, results, registry }: WorkerProtocolOptions,
): Pick<Runtime, 'claim' | 'complete' | 'fail' | 'heartbeat'> {
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
