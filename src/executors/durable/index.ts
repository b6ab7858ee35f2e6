import type { Executor } from '../executor.ts';
import { WorkError } from '../executor.ts';
import { type DurableCode, FunctionHost } from './function-host.ts';

/** Runs a durable function: the one that is parked in memory goes on, any other begins at its top. */
export function durableExecutor(code: DurableCode): Executor {
  return async (work, context, _onText, _log, access) => {
    if (access === undefined) throw new WorkError('a durable function needs a journal', { retryable: false });
    const parked = access.take();
    const host = parked instanceof FunctionHost ? parked : new FunctionHost(code, work, context, access);
    return host.work(context, access);
  };
}
