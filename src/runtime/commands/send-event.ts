import { isObject, type Json } from '../../../machines/json.ts';
import type { ExternalEvent } from '../../../machines/messages.ts';
import { actorOf } from '../actor.ts';
import { ignoredIn } from '../engine/envelope.ts';
import { RuntimeError } from '../errors.ts';
import type { EventReceipt } from '../types/executions.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endOf, runCommand, sendCommand } from './command.ts';
import { idempotentRequest, responseRow, unlessRepeated } from './idempotency.ts';
import { requestTexts } from './storable-text.ts';

export function sendEventCommand(context: CommandContext): Runtime['sendEvent'] {
  const { store, executions, clock, quotas } = context;
  return (caller, id, event) =>
    runCommand(context, caller, { work: 'adds', texts: requestTexts.event(event) }, async () => {
      const { key, payload, idempotencyKey } = event;
      const once = idempotentRequest(caller.tenantId, `external-event:${id}`, idempotencyKey, { correlation_key: key, payload });
      const accepted = async (nodeId: string | null): Promise<EventReceipt> => {
        const keys = nodeId === null ? await keysIfUnknown(context, caller.tenantId, id, key) : null;
        return { matched: nodeId !== null, nodeId, ...(keys === null ? {} : { keys }) };
      };
      const outcome = await unlessRepeated(store, once, async () => {
        if (!isEmpty(payload)) await quotas.mayStore(caller.tenantId);
        const message: ExternalEvent = { type: 'event', key, payload };
        const sent = await sendCommand(context, caller, id, message, {
          actor: actorOf(caller),
          ...(once === null ? {} : { idempotencyRow: ({ node }) => responseRow(once, { node_id: node }, clock.nowMs()) }),
        });
        if (!('refused' in sent)) return sent;
        const ended = sent.refused === 'ending' ? 'about to end' : endOf(await executions.execution(caller.tenantId, id));
        throw new RuntimeError('conflict', `execution is ${ended}; it takes no more events`);
      });
      if ('earlier' in outcome) return accepted(matchIn(outcome.earlier));
      return { ...(await accepted(outcome.node)), ...ignoredIn(outcome) };
    });
}

function isEmpty(payload: Json): boolean {
  return payload === null || (isObject(payload) && Object.keys(payload).length === 0);
}

function matchIn(response: Json): string | null {
  return (response as { readonly node_id: string | null }).node_id;
}

/** The keys that nodes of the workflow wait for; null if `key` is one of them. */
async function keysIfUnknown(
  { executions, workflows }: CommandContext,
  tenantId: string,
  id: string,
  key: string,
): Promise<readonly string[] | null> {
  const found = await executions.find(tenantId, id);
  const { program } = 'run' in found ? found.loaded : await workflows.load(tenantId, found.revision);
  const { correlationKeys } = program.tables;
  return correlationKeys.has(key) ? null : [...correlationKeys];
}
