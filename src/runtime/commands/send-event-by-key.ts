import { RuntimeError, truncated } from '../errors.ts';
import type { Caller } from '../types/caller.ts';
import type { IgnoredState, KeyedEventReceipt, KeyedEventRequest } from '../types/executions.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, runCommand } from './command.ts';
import { type IdempotentRequest, storedResponse, unlessRepeated } from './idempotency.ts';
import { assertFits, type Delivered, deliver, idempotentEvent, matchIn, receiptOf, TakesNoEvents } from './send-event.ts';
import { startNew, workflowToStart } from './start.ts';
import { requestTexts } from './storable-text.ts';

/** Executions that end while the event is on its way to them. */
const ATTEMPTS = 100;

export function sendEventByKeyCommand(context: CommandContext): Runtime['sendEventByKey'] {
  return (caller, event) =>
    runCommand(context, caller, { work: 'adds', texts: requestTexts.keyedEvent(event) }, async () => {
      const { store, executions } = context;
      const { tenantId } = caller;
      const { workflowId, executionKey } = event;
      const once = idempotentEvent(tenantId, `event-by-key:${JSON.stringify([workflowId, executionKey])}`, event);
      // Before the attempt: the execution that took the event may have ended, and another one may have the key.
      const stored = await storedResponse(store, once);
      const outcome =
        stored === null ? await unlessRepeated(store, once, () => send(context, caller, event, once)) : { earlier: stored };
      if (!('earlier' in outcome)) return outcome;
      const { execution_id, started } = outcome.earlier as Remembered;
      const present = await executions.present(tenantId, execution_id);
      return receiptBy(await receiptOf(context, tenantId, present, event, matchIn(outcome.earlier)), started);
    });
}

/** What is kept for a repeated request, beside the node. */
type Remembered = { readonly execution_id: string; readonly started: boolean };

async function send(
  context: CommandContext,
  caller: Caller,
  event: KeyedEventRequest,
  once: IdempotentRequest | null,
): Promise<KeyedEventReceipt> {
  for (let i = 0; i < ATTEMPTS; i += 1) {
    const { id, started, ignored } = await recipient(context, caller, event);
    const response: Remembered = { execution_id: id, started };
    try {
      const receipt = receiptBy(await deliver(context, caller, id, event, { once, response }), started);
      return ignored === undefined ? receipt : Object.assign(receipt, { ignoredInput: ignored });
    } catch (error) {
      // One that takes no event would be started again and again.
      if (!(error instanceof TakesNoEvents) || started) throw error;
    }
  }
  const message = `executions with the key '${event.executionKey}' end too often: ${ATTEMPTS} attempts to send the event were lost`;
  throw new RuntimeError('overloaded', message, { retryAfterMs: 1_000 });
}

interface Recipient extends IgnoredState {
  readonly id: string;
  readonly started: boolean;
}

/** The live execution that has the key, or one that is started. */
async function recipient(context: CommandContext, caller: Caller, event: KeyedEventRequest): Promise<Recipient> {
  const { workflowId, executionKey: key, start } = event;
  const holder = await context.store.tenant(caller.tenantId).keyHolder({ workflowId, key });
  if (holder !== null) return { id: holder, started: false };
  if (start === undefined)
    throw new RuntimeError('not_found', `no live execution of workflow ${truncated(workflowId)} has the key '${truncated(key)}'`);
  const request = Object.assign({}, start, { workflowId, key, ifRunning: 'return' as const });
  if (event.strict === true) await assertFits(await workflowToStart(context, caller.tenantId, request), event);
  const { executionId: id, alreadyRunning, ignored } = await startNew(context, caller, request, null);
  return { id, started: alreadyRunning !== true, ...(ignored === undefined ? {} : { ignored }) };
}

function receiptBy({ to, receipt }: Delivered, started: boolean): KeyedEventReceipt {
  return Object.assign({ executionId: to }, receipt, started ? ({ started } as const) : {});
}
