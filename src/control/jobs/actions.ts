import { StoreError } from '../../../store/port/errors.ts';
import type { JobRow } from '../../../store/port/resources/jobs.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Caller } from '../../runtime/types/caller.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';

/** The result for one execution. `postponed`: not attempted to the end, because the runtime or the store is temporarily unavailable. */
export type ActionOutcome =
  | { readonly kind: 'succeeded' | 'skipped' }
  | { readonly kind: 'failed' | 'postponed'; readonly error: unknown };

/**
 * Applies the job's action to one execution, as the actor that created the job. `isNamed`: the job names the execution, so that it fails
 * if there is none.
 */
export async function applyAction(
  runtime: ServerRuntime,
  job: JobRow,
  executionId: string,
  isNamed: boolean,
): Promise<ActionOutcome> {
  try {
    await perform(runtime, job, executionId);
    return { kind: 'succeeded' };
  } catch (error) {
    if (doesNotApply(error, isNamed)) return { kind: 'skipped' };
    return { kind: isTransient(error) ? 'postponed' : 'failed', error };
  }
}

async function perform(runtime: ServerRuntime, job: JobRow, executionId: string): Promise<void> {
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

/** The execution has ended, is already paused, did not fail, was removed … */
function doesNotApply(error: unknown, isNamed: boolean): boolean {
  if (!(error instanceof RuntimeError)) return false;
  return error.code === 'conflict' || error.code === 'already_terminal' || (error.code === 'not_found' && !isNamed);
}

export function isTransient(error: unknown): boolean {
  if (error instanceof StoreError) return /^store_(unavailable|full|read_only)$/.test(error.code);
  return error instanceof RuntimeError && (error.code === 'overloaded' || error.code === 'shutting_down');
}
