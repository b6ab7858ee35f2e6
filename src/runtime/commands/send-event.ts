import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { ExternalEvent } from '../../../machines/messages.ts';
import { actorOf } from '../actor.ts';
import { ignoredIn } from '../engine/envelope.ts';
import type { LoadedWorkflow } from '../engine/loading/workflow-cache.ts';
import { RuntimeError, truncated } from '../errors.ts';
import type { Caller } from '../types/caller.ts';
import type { EventReceipt, EventRequest } from '../types/executions.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endOf, runCommand, sendToCurrent } from './command.ts';
import { type IdempotentRequest, idempotentRequest, responseRow, unlessRepeated } from './idempotency.ts';
import { requestTexts } from './storable-text.ts';

export function sendEventCommand(context: CommandContext): Runtime['sendEvent'] {
  const { store, executions } = context;
  return (caller, id, event) =>
    runCommand(context, caller, { work: 'adds', texts: requestTexts.event(event) }, async () => {
      const { tenantId } = caller;
      const once = idempotentEvent(tenantId, `external-event:${id}`, event);
      const outcome = await unlessRepeated(store, once, () => deliver(context, caller, id, event, { once }));
      // Which of its segments took an event is not remembered.
      const { to, receipt } =
        'earlier' in outcome
          ? await receiptOf(context, tenantId, await executions.present(tenantId, id), event, matchIn(outcome.earlier))
          : outcome;
      return to === id ? receipt : Object.assign({ executionId: to }, receipt);
    });
}

/** An event that a client may send again under the same idempotency key. */
export function idempotentEvent(tenantId: string, scope: string, event: EventRequest): IdempotentRequest | null {
  return idempotentRequest(tenantId, scope, event.idempotencyKey, () => ({ correlation_key: event.key, payload: event.payload }));
}

/** An execution that takes no events, since it has ended or is about to. */
export class TakesNoEvents extends RuntimeError {
  constructor(end: string) {
    super('conflict', `execution is ${end}; it takes no more events`);
  }
}

/** An execution that took an event, and how. */
export interface Delivered {
  readonly to: string;
  readonly receipt: EventReceipt;
}

/**
 * Sends the event to the execution, or to the one that continues it now. Keeps the node that took it, and `response`, for a repeated request. Rejects
 * with `TakesNoEvents`, and with `invalid_input` and `conflict` for a strict event.
 */
export async function deliver(
  context: CommandContext,
  caller: Caller,
  id: string,
  event: EventRequest,
  { once, response }: { readonly once: IdempotentRequest | null; readonly response?: JsonObject },
): Promise<Delivered> {
  const { executions, clock, quotas } = context;
  const { tenantId } = caller;
  const { key, payload, strict = false } = event;
  if (!isEmpty(payload)) await quotas.mayStore(tenantId);
  if (strict) await assertFits(await workflowOf(context, tenantId, await executions.present(tenantId, id)), event);
  const message: ExternalEvent = strict ? { type: 'event', key, payload, atOnce: true } : { type: 'event', key, payload };
  const { id: to, outcome: sent } = await sendToCurrent(context, caller, id, message, {
    actor: actorOf(caller),
    ...(once === null
      ? {}
      : { idempotencyRow: ({ node }, taker) => responseRow(once, taker, { node_id: node, ...response }, clock.nowMs()) }),
  });
  if ('refused' in sent) {
    if (sent.refused === 'not_accepted') throw notAccepted(key, sent.nodes);
    throw new TakesNoEvents(sent.refused === 'ending' ? 'about to end' : endOf(await executions.execution(tenantId, to)));
  }
  const { receipt } = await receiptOf(context, tenantId, to, event, sent.node);
  return { to, receipt: Object.assign({}, receipt, ignoredIn(sent)) };
}

/** The receipt of an execution that took the event, with what is remarkable about the event. */
export async function receiptOf(
  context: CommandContext,
  tenantId: string,
  to: string,
  event: EventRequest,
  nodeId: string | null,
): Promise<Delivered> {
  const loaded = await workflowOf(context, tenantId, to);
  const keys = nodeId === null ? keysIfUnknown(loaded, event.key) : null;
  const problem = event.strict === true ? null : await payloadProblem(loaded, event);
  return {
    to,
    receipt: {
      matched: nodeId !== null,
      nodeId,
      ...(keys === null ? {} : { keys }),
      ...(problem === null ? {} : { payloadProblem: problem }),
    },
  };
}

/** Throws `invalid_input` for a payload that does not fit the schema of the nodes that wait for its key. */
export async function assertFits(loaded: LoadedWorkflow, event: EventRequest): Promise<void> {
  const problem = await payloadProblem(loaded, event);
  if (problem !== null) throw new RuntimeError('invalid_input', problem);
}

async function payloadProblem({ payloadProblem: check }: LoadedWorkflow, { key, payload }: EventRequest): Promise<string | null> {
  return check === null ? null : check(key, payload);
}

/** `accepted`: the descriptors of what the state of the machine accepts. */
function notAccepted(key: string, accepted: readonly string[]): RuntimeError {
  const events = accepted.length === 0 ? 'no events' : accepted.map((one) => truncated(one)).join(', ');
  return new RuntimeError('conflict', `the state of the machine does not accept ${truncated(key)}; it accepts ${events}`);
}

function isEmpty(payload: Json): boolean {
  return payload === null || (isObject(payload) && Object.keys(payload).length === 0);
}

export function matchIn(response: Json): string | null {
  return (response as { readonly node_id: string | null }).node_id;
}

async function workflowOf({ executions, workflows }: CommandContext, tenantId: string, id: string): Promise<LoadedWorkflow> {
  const found = await executions.find(tenantId, id);
  return 'run' in found ? found.loaded : workflows.load(tenantId, found.revision);
}

/** The keys that nodes of the workflow wait for; null if `key` is one of them, or may be one of a durable function. */
function keysIfUnknown({ program }: LoadedWorkflow, key: string): readonly string[] | null {
  const { correlationKeys, hasJournals } = program.tables;
  return hasJournals || correlationKeys.has(key) ? null : [...correlationKeys];
}
