import type { Json } from '../../../machines/json.ts';
import type { ExecutionKey } from '../../../store/port/resources/keys.ts';
import type { LoadedWorkflow } from '../engine/loading/workflow-cache.ts';
import { AlreadyRunning, RuntimeError } from '../errors.ts';
import type { Caller } from '../types/caller.ts';
import type { StartRequest, StartResult } from '../types/executions.ts';
import type { CommandContext } from './command.ts';
import { type IdempotentRequest, responseRow } from './idempotency.ts';
import { KeyTaken } from './start-once.ts';

/** Starts that lose their race: the execution that has the key ends, and another one takes it. */
const ATTEMPTS = 100;

/** Throws `bad_request` for a key that is none, and for one that an execution of the workflow must not have. */
export function assertKey({ program: { tables } }: LoadedWorkflow, key: string, input: Json): void {
  if (!/^[^\p{Cc}\p{Cs}]{1,256}$/u.test(key))
    throw new RuntimeError('bad_request', 'the key of an execution is a text of 1 to 256 characters, without control characters');
  if (tables.dataRules !== null && tables.dataRules.stored([input]).text(key) !== key)
    throw new RuntimeError(
      'bad_request',
      'the key of an execution is not redacted, but this one is personal data by the data policy',
    );
}

/** Starts an execution, unless another one has its key. */
export async function startUnlessRunning(
  context: Pick<CommandContext, 'store' | 'clock'>,
  { tenantId }: Caller,
  of: ExecutionKey & { readonly ifRunning: StartRequest['ifRunning'] },
  once: IdempotentRequest | null,
  start: () => Promise<StartResult>,
): Promise<StartResult> {
  for (let i = 0; i < ATTEMPTS; i += 1) {
    const holder = await context.store.tenant(tenantId).keyHolder(of);
    if (holder !== null) {
      if (of.ifRunning === undefined) throw new AlreadyRunning(holder, of.key);
      await remember(context, once, holder);
      return { executionId: holder, replayed: false, alreadyRunning: true };
    }
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof KeyTaken)) throw error;
    }
  }
  const message = `executions with the key '${of.key}' start and end too often: ${ATTEMPTS} attempts to start one lost`;
  throw new RuntimeError('overloaded', message, { retryAfterMs: 1_000 });
}

/** So that the same request gets the same execution also when that one has ended. */
async function remember(
  { store, clock }: Pick<CommandContext, 'store' | 'clock'>,
  once: IdempotentRequest | null,
  executionId: string,
): Promise<void> {
  if (once === null) return;
  const atMs = clock.nowMs();
  const idempotency = responseRow(once, executionId, { execution_id: executionId, already_running: true }, atMs);
  const [rejection] = await store.commit({ atMs, units: [{ executions: [], idempotency }] });
  if (rejection !== null) throw new RuntimeError('conflict', `idempotency key '${once.key}' was used meanwhile`);
}
