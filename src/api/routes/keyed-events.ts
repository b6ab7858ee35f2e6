import type { FastifyRequest } from 'fastify';
import { RuntimeError } from '../../runtime/errors.ts';
import type { KeyedEventRequest } from '../../runtime/types/executions.ts';
import type { Decoded } from '../operations/codec.ts';
import { KEYED_EVENTS, type SendKeyedEvent } from '../operations/keyed-events.ts';
import { warnOfEvent } from '../requests/event-warnings.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { prefersStrict } from '../requests/preference.ts';
import { traceparent } from '../requests/traceparent.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined } from '../schemas/fields.ts';
import { implement } from './implement.ts';

export const keyedEventRoutes = implement(KEYED_EVENTS, {
  'POST /events': async ({ body, caller, request, reply }, { runtime }) => {
    const { key, correlationKey, payload, eventId } = body;
    const start = body.start ?? null;
    const receipt = await runtime.sendEventByKey(caller, {
      workflowId: workflowOf(body.workflowId ?? null, start?.workflowId ?? null),
      executionKey: key,
      key: correlationKey,
      payload,
      strict: prefersStrict(request.headers),
      ...defined('idempotencyKey', idempotencyKey(request.headers, eventId)),
      ...defined('start', start === null ? null : startOf(start, request)),
    });
    warnOfEvent(request, reply, correlationKey, receipt);
    warnOfIgnored(request, reply, 'start.input', receipt.ignoredInput);
    const { executionId, matched, nodeId, started = false } = receipt;
    return { executionId, accepted: true as const, matched, buffered: !matched, nodeId, started };
  },
});

function startOf(
  { workflowVersion, input, labels, thread, subjectToken }: NonNullable<Decoded<SendKeyedEvent>['start']>,
  { headers }: FastifyRequest,
): NonNullable<KeyedEventRequest['start']> {
  return Object.assign(
    { input: input ?? {} },
    defined('version', workflowVersion || null),
    defined('labels', labels),
    defined('thread', thread),
    defined('subjectToken', subjectToken),
    defined('traceparent', traceparent(headers)),
  );
}

function workflowOf(given: string | null, started: string | null): string {
  const workflow = given ?? started;
  if (workflow === null) throw new RuntimeError('bad_request', 'workflow_id is missing');
  if (started !== null && started !== workflow)
    throw new RuntimeError(
      'bad_request',
      'workflow_id and start.workflow_id differ: an event reaches executions of one workflow',
    );
  return workflow;
}
