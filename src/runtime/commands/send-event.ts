import { isObject, type Json } from '../../../machines/json.ts';
import type { ExternalEvent } from '../../../machines/messages.ts';
import { actorOf } from '../actor.ts';
import { ignoredIn } from '../engine/envelope.ts';
import type { LoadedWorkflow } from '../engine/loading/workflow-cache.ts';
import { RuntimeError, truncated } from '../errors.ts';
import type { EventReceipt } from '../types/executions.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endOf, runCommand, sendToCurrent } from './command.ts';
import { idempotentRequest, responseRow, unlessRepeated } from './idempotency.ts';
import { requestTexts } from './storable-text.ts';

export function sendEventCommand(context: CommandContext): Runtime['sendEvent'] {
  const { store, executions, clock, quotas } = context;
  return (caller, id, event) =>
    runCommand(context, caller, { work: 'adds', texts: requestTexts.event(event) }, async () => {
      const { key, payload, idempotencyKey, strict = false } = event;
      const problem = async (executionId: string): Promise<string | null> => {
        const { payloadProblem } = await workflowOf(context, caller.tenantId, executionId);
        return payloadProblem === null ? null : payloadProblem(key, payload);
      };
      const present = (): Promise<string> => executions.present(caller.tenantId, id);
      const once = idempotentRequest(caller.tenantId, `external-event:${id}`, idempotencyKey, () => ({
        correlation_key: key,
        payload,
      }));
      const accepted = async (executionId: string, nodeId: string | null): Promise<EventReceipt> => {
        const keys = nodeId === null ? await keysIfUnknown(context, caller.tenantId, executionId, key) : null;
        const mismatch = strict ? null : await problem(executionId);
        const receipt = {
          matched: nodeId !== null,
          nodeId,
          ...(keys === null ? {} : { keys }),
          ...(mismatch === null ? {} : { payloadProblem: mismatch }),
        };
        return executionId === id ? receipt : Object.assign(receipt, { executionId });
      };
      const outcome = await unlessRepeated(store, once, async () => {
        if (!isEmpty(payload)) await quotas.mayStore(caller.tenantId);
        const mismatch = strict ? await problem(await present()) : null;
        if (mismatch !== null) throw new RuntimeError('invalid_input', mismatch);
        const message: ExternalEvent = strict ? { type: 'event', key, payload, atOnce: true } : { type: 'event', key, payload };
        const { id: to, outcome: sent } = await sendToCurrent(context, caller, id, message, {
          actor: actorOf(caller),
          ...(once === null ? {} : { idempotencyRow: ({ node }) => responseRow(once, { node_id: node }, clock.nowMs()) }),
        });
        if (!('refused' in sent)) return { to, sent };
        if (sent.refused === 'not_accepted') throw notAccepted(key, sent.nodes);
        const ended = sent.refused === 'ending' ? 'about to end' : endOf(await executions.execution(caller.tenantId, to));
        throw new RuntimeError('conflict', `execution is ${ended}; it takes no more events`);
      });
      // Which of its segments took an event is not remembered.
      if ('earlier' in outcome) return accepted(await present(), matchIn(outcome.earlier));
      const { to, sent } = outcome;
      return Object.assign({}, await accepted(to, sent.node), ignoredIn(sent));
    });
}

/** `accepted`: the descriptors of what the state of the machine accepts. */
function notAccepted(key: string, accepted: readonly string[]): RuntimeError {
  const events = accepted.length === 0 ? 'no events' : accepted.map((one) => truncated(one)).join(', ');
  return new RuntimeError('conflict', `the state of the machine does not accept ${truncated(key)}; it accepts ${events}`);
}

function isEmpty(payload: Json): boolean {
  return payload === null || (isObject(payload) && Object.keys(payload).length === 0);
}

function matchIn(response: Json): string | null {
  return (response as { readonly node_id: string | null }).node_id;
}

async function workflowOf({ executions, workflows }: CommandContext, tenantId: string, id: string): Promise<LoadedWorkflow> {
  const found = await executions.find(tenantId, id);
  return 'run' in found ? found.loaded : workflows.load(tenantId, found.revision);
}

/** The keys that nodes of the workflow wait for; null if `key` is one of them, or may be one of a durable function. */
async function keysIfUnknown(
  context: CommandContext,
  tenantId: string,
  id: string,
  key: string,
): Promise<readonly string[] | null> {
  const { program } = await workflowOf(context, tenantId, id);
  const { correlationKeys, hasJournals } = program.tables;
  return hasJournals || correlationKeys.has(key) ? null : [...correlationKeys];
}
