import { StoreError } from '../../../store/port/errors.ts';
import type { JobRow } from '../../../store/port/resources/jobs.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import type { Runtime } from '../../runtime/types/runtime.ts';

/** What became of one execution. `later`: nothing yet, since the runtime or the store cannot take it now. */
export type ActionOutcome =
  | { readonly kind: 'succeeded' | 'skipped' }
  | { readonly kind: 'failed' | 'later'; readonly error: unknown };

/** Does what the job is for to one execution, in the name of whoever asked for the job. */
export async function applyAction(runtime: Runtime, job: JobRow, executionId: string): Promise<ActionOutcome> {
  try {
    await perform(runtime, job, executionId);
    return { kind: 'succeeded' };
  } catch (error) {
    if (doesNotApply(error)) return { kind: 'skipped' };
    return { kind: isTransient(error) ? 'later' : 'failed', error };
  }
}

async function perform(runtime: Runtime, job: JobRow, executionId: string): Promise<void> {
  const caller = callerOf(job);
  const reason = job.reason === null ? job.id : `${job.reason} (${job.id})`;
  switch (job.action) {
    case 'cancel':
      return runtime.cancel(caller, executionId, reason);
    case 'pause':
      return runtime.pause(caller, executionId, reason);
    case 'resume':
      return runtime.resume(caller, executionId);
    case 'retry':
      await runtime.retry(caller, executionId);
  }
}

function callerOf({ tenantId, actorId, actorType, request }: JobRow): Caller {
  return {
    tenantId,
    actorId,
    actorType,
    ...(request === null ? {} : { request: JSON.parse(request) as Caller['request'] & object }),
  };
}

/** It has ended, is paused already, did not fail, is gone … */
function doesNotApply(error: unknown): boolean {
  return (
    error instanceof RuntimeError &&
    (error.code === 'conflict' || error.code === 'already_terminal' || error.code === 'not_found')
  );
}

export function isTransient(error: unknown): boolean {
  if (error instanceof StoreError) return /^store_(unavailable|full|read_only)$/.test(error.code);
  return error instanceof RuntimeError && (error.code === 'overloaded' || error.code === 'shutting_down');
}
