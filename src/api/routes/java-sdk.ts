import { StartedExecution } from '../operations/executions.ts';
import { WorkflowArray, WorkflowById, WorkflowsQuery } from '../operations/workflows.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { traceparent } from '../requests/traceparent.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { anyJson, defined } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';
import { fillBody } from './implement.ts';

/** The SDK does not request further pages. */
const MAX_LIMIT = 1_000;

/** The routes of JamJet's Java SDK that differ from the reference by more than their prefix. */
export function javaSdkRoutes(app: Api, { runtime, store }: Services): void {
  app.get(
    '/api/v1/workflows',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List workflows as an array',
        tags: ['Java SDK'],
        operationId: 'listWorkflowsForJava',
        querystring: WorkflowsQuery,
        response: { 200: WorkflowArray },
      },
    },
    async (request) => {
      const page = { limit: Math.min(request.query.limit ?? MAX_LIMIT, MAX_LIMIT), offset: request.query.offset ?? 0 };
      const rows = await store.tenant(identityOf(request).tenantId).workflows(page);
      return rows.map((row) => ({
        workflow_id: row.workflowId,
        version: row.version,
        revision: row.revision,
        registered_at: timestamp(row.registeredAtMs),
        registered_by: row.registeredBy,
      }));
    },
  );

  app.post(
    '/api/v1/workflows/:workflow_id/execute',
    {
      config: { access: 'write', isShed: true },
      schema: {
        summary: 'Start an execution of the latest version of a workflow',
        description: 'The body is the input.',
        tags: ['Java SDK'],
        operationId: 'executeWorkflow',
        params: WorkflowById,
        body: anyJson('Input of the execution.'),
        bodyMayBeMissing: true,
        response: { 201: StartedExecution },
      },
      preValidation: fillBody,
    },
    async (request, reply) => {
      const { executionId, replayed, ignored } = await runtime.start(callerOf(request), {
        workflowId: request.params.workflow_id,
        input: request.body,
        ...defined('idempotencyKey', idempotencyKey(request.headers)),
        ...defined('traceparent', traceparent(request.headers)),
      });
      if (replayed) void reply.header('idempotency-replayed', 'true');
      warnOfIgnored(request, reply, 'input', ignored);
      void reply.code(201);
      return { execution_id: executionId };
    },
  );
}
