import type { FastifyReply } from 'fastify';
import type { TransitionCounts } from '../../../machines/views/transition-counts.ts';
import { DiagramError } from '../../diagrams/errors.ts';
import { MEDIA_TYPES } from '../../diagrams/formats.ts';
import type { SerializedEvent } from '../../diagrams/thread/messages.ts';
import {
  DiagramRenderer,
  type DiagramRequest,
  type RenderedDiagram,
  UnreadableRevision,
} from '../../diagrams/thread/renderer.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { FairQueue } from '../../runtime/scheduling/fair-queue.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import { ExecutionById } from '../operations/executions.ts';
import { WorkflowById } from '../operations/workflows.ts';
import { executionId } from '../requests/ids.ts';
import { storedWorkflow } from '../requests/stored-workflow.ts';
import { ExecutionMachineQuery, WorkflowMachineQuery } from '../schemas/diagrams.ts';
import { type Api, identityOf, type Services } from '../services.ts';

/** Diagrams that are drawn at a time, and that may wait, in all and per tenant. */
const LIMITS = { active: 4, activePerKey: 2, waiting: 32, waitingPerKey: 16 };
const RETRY_AFTER_MS = 1_000;
/** Characters listed in a header, whose size proxies limit. */
const MAX_UNREADABLE = 100;

const DIAGRAM = {
  description:
    'The diagram in the requested format. The header `X-JamJet-Unreadable` lists, percent-encoded, the characters of a bitmap for which the server has no font.',
  content: Object.fromEntries(
    Object.values(MEDIA_TYPES).map((type) => [type.split(';')[0] ?? type, { schema: { type: 'string' } }]),
  ),
};

/** Diagrams of workflows and executions, drawn from the machine that runs them. */
export function diagramRoutes(app: Api, { runtime, store }: Services): void {
  const renderer = new DiagramRenderer();
  const queue = new FairQueue('too many diagrams are being drawn', LIMITS);
  app.addHook('onClose', () => renderer.close());
  const render = async (tenantId: string, request: DiagramRequest): Promise<RenderedDiagram> => {
    try {
      return await renderer.render(request, (work) => queue.run(tenantId, work));
    } catch (cause) {
      if (cause instanceof UnreadableRevision)
        throw new RuntimeError('corrupt', `workflow revision ${request.revision} cannot be compiled by this version`, { cause });
      throw cause instanceof DiagramError ? refusal(cause) : cause;
    }
  };

  app.get(
    '/workflows/:workflow_id/machine',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Draw a workflow',
        description: 'As text (`mermaid`, `dot`), as a drawing (`svg`, `png`, `html`), or as an XState machine (`xstate`).',
        tags: ['Workflows'],
        operationId: 'drawWorkflow',
        params: WorkflowById,
        querystring: WorkflowMachineQuery,
        response: { 200: DIAGRAM },
      },
    },
    async (request, reply) => {
      const { workflow_id } = request.params;
      const { format = 'xstate', view = 'workflow', ...wanted } = request.query;
      const { tenantId } = identityOf(request);
      const { source, revision } = await storedWorkflow(store.tenant(tenantId), workflow_id, wanted);
      return send(reply, format, await render(tenantId, { revision, source, format, view, execution: null }));
    },
  );

  app.get(
    '/executions/:id/machine',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Draw an execution',
        description:
          'The workflow with what has happened: active, completed, failed, waiting and skipped nodes, the edges that were taken, visits and durations. `at` shows an earlier point.',
        tags: ['Executions'],
        operationId: 'drawExecution',
        params: ExecutionById,
        querystring: ExecutionMachineQuery,
        response: { 200: DIAGRAM },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const { at, marks = true, format = 'xstate', view = 'workflow' } = request.query;
      const row = await store.tenant(tenantId).execution(id);
      if (row === null) throw new RuntimeError('not_found', `execution ${id} not found`);
      const { revision, seq } = row;
      const sequence = at ?? seq;
      if (marks && sequence > seq)
        throw new RuntimeError('bad_request', `at must not be beyond the log, which has ${seq} events`);
      const source = await store.revision(tenantId, revision);
      if (source === null) throw new RuntimeError('corrupt', `workflow revision ${revision} is not in the store`);
      const log = (): AsyncGenerator<SerializedEvent> => logOf(runtime, tenantId, id, sequence);
      const transitions = (): Promise<TransitionCounts | null> => transitionsOf(runtime, tenantId, id, sequence);
      const execution = marks ? { id, sequence, log, transitions } : null;
      return send(reply, format, await render(tenantId, { revision, source, format, view, execution }));
    },
  );
}

async function* logOf(runtime: ServerRuntime, tenantId: string, id: string, upTo: number): AsyncGenerator<SerializedEvent> {
  for await (const { sequence, type, nodeId, data, createdAtMs } of runtime.events(tenantId, id, { limit: upTo }))
    yield { sequence, type, nodeId, data: JSON.stringify(data), atMs: createdAtMs };
}

/** Null = the log cannot be replayed any more, because personal data has been erased. */
async function transitionsOf(
  runtime: ServerRuntime,
  tenantId: string,
  id: string,
  sequence: number,
): Promise<TransitionCounts | null> {
  try {
    return await runtime.transitionCounts(tenantId, id, sequence);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'redacted') return null;
    throw error;
  }
}

function send(
  reply: FastifyReply,
  format: DiagramRequest['format'],
  { bytes, policy, unreadable }: RenderedDiagram,
): FastifyReply {
  void reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-cache' });
  if (policy !== null) void reply.header('content-security-policy', policy);
  if (unreadable.length > 0)
    void reply.header('x-jamjet-unreadable', encodeURIComponent(unreadable.slice(0, MAX_UNREADABLE).join('')));
  return reply.header('content-type', MEDIA_TYPES[format]).send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
}

function refusal(error: DiagramError): RuntimeError {
  if (error.code === 'diagrams_busy')
    return new RuntimeError('overloaded', error.message, { retryAfterMs: RETRY_AFTER_MS, cause: error });
  return new RuntimeError('bad_request', `${error.message}; mermaid, dot and xstate are not drawn`, { cause: error });
}
