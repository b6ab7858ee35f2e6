import type { Json } from '../../../machines/json.ts';

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A request with the same key is carried out once; repeated requests return the first reply.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const TRACEPARENT: Json = {
  name: 'traceparent',
  in: 'header',
  description: 'Place in the trace of the caller, which the execution becomes part of (https://www.w3.org/TR/trace-context/).',
  schema: { type: 'string' },
};

/** Request headers of a route. They are not part of its schema: the handlers check them, with errors that say more. */
export const HEADERS: Readonly<Record<string, readonly Json[]>> = {
  'POST /executions': [IDEMPOTENCY_KEY, TRACEPARENT],
  'POST /api/v1/workflows/:workflow_id/execute': [IDEMPOTENCY_KEY, TRACEPARENT],
  'POST /events': [IDEMPOTENCY_KEY, TRACEPARENT],
  'POST /executions/:id/external-event': [IDEMPOTENCY_KEY],
  'POST /executions/:id/updates/:name': [IDEMPOTENCY_KEY],
  'POST /executions/:id/fork': [IDEMPOTENCY_KEY],
  'POST /executions/:id/events': [IDEMPOTENCY_KEY],
  'POST /cron/:name/trigger': [IDEMPOTENCY_KEY],
  'GET /executions/:id/events': [
    {
      name: 'X-JamJet-Events',
      in: 'header',
      description: 'The same as the query parameter `format`, which takes precedence.',
      schema: { type: 'string', enum: ['seed', 'tagged'] },
    },
  ],
};
