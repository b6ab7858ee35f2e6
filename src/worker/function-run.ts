import type { Json, JsonObject } from '../../machines/json.ts';
import type { Work } from '../../machines/run.ts';
import type { WorkItem } from '../api/operations/work-items.ts';
import { type DurableCode, durableExecutor } from '../executors/durable/index.ts';
import type { ToolContext } from '../runtime/types/work.ts';
import { RemoteJournal, type RemoteJournalOptions } from './remote-journal.ts';

/** Runs a durable function with its journal on the server, as in process. Null = it only waits, and has given the item back. */
export async function runFunction(
  code: DurableCode,
  context: ToolContext,
  claimed: NonNullable<WorkItem['journal']>,
  options: RemoteJournalOptions,
): Promise<{ readonly output: Json } | null> {
  const journal = await RemoteJournal.opened(options, claimed);
  let isParked = false;
  try {
    const execute = durableExecutor(code);
    const done = execute(workOf(options.item), context, undefined, undefined, journal);
    const { output, parkedAt } = await Promise.race([done, aborted(context.signal)]);
    isParked = parkedAt !== undefined;
    return isParked ? null : { output };
  } finally {
    journal.close(isParked);
  }
}

/** A function that does not say which workflows it calls may call none here. */
function workOf({ node_id: node, activation, attempt, max_attempts: maxAttempts, payload }: WorkItem): Work {
  const { input = null, state = {} } = payload;
  return {
    node,
    activation,
    attempt,
    maxAttempts,
    timeoutSecs: null,
    input,
    inputErrors: [],
    progress: {},
    state: state as JsonObject,
    payload: { calls: [], ...payload },
  };
}

/** Rejects when the attempt is over: then nothing more comes of the function. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
