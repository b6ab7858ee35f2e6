import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Program } from '../../../machines/compile.ts';
import type { EventType } from '../../../machines/events.ts';
import { Happenings } from '../../../machines/export/happenings.ts';
import type { Marks } from '../../../machines/export/marks.ts';
import { type Drawn, draw, programOf, type Wanted } from '../../pictures/draw.ts';
import { MEDIA_TYPES } from '../../pictures/formats.ts';
import { PictureError } from '../../pictures/problem.ts';
import { RuntimeError, shown } from '../../runtime/errors.ts';
import type { Runtime } from '../../runtime/types.ts';
import { executionId } from '../ids.ts';
import { ById } from '../schemas/fields.ts';
import { ExecutionMachineQuery, WorkflowMachineQuery } from '../schemas/pictures.ts';
import { type Api, identityOf, type Services } from '../services.ts';

const RETRY_AFTER_MS = 1_000;
/** Named in a header, which proxies want short. */
const MAX_UNREADABLE = 100;

const PICTURE = {
  description:
    'The picture, in the format asked for. `X-JamJet-Unreadable` has the characters of a bitmap that no font of the server has, percent-encoded.',
  content: Object.fromEntries(
    Object.values(MEDIA_TYPES).map((type) => [type.split(';')[0] ?? type, { schema: { type: 'string' } }]),
  ),
};

/** Workflows and executions as pictures, drawn from the machine that runs them. */
export function pictureRoutes(app: Api, { runtime, store }: Services): void {
  app.get(
    '/workflows/:workflow_id/machine',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Draw a workflow',
        description: 'As text (`mermaid`, `dot`), drawn (`svg`, `png`, `html`), or as a machine for XState (`xstate`).',
        tags: ['Workflows'],
        operationId: 'drawWorkflow',
        params: Type.Object({ workflow_id: Type.String() }),
        querystring: WorkflowMachineQuery,
        response: { 200: PICTURE },
      },
    },
    async (request, reply) => {
      const { workflow_id } = request.params;
      const { version } = request.query;
      const row = await store.tenant(identityOf(request).tenantId).workflow(workflow_id, version);
      if (row === null)
        throw new RuntimeError('not_found', `workflow ${shown(workflow_id)}${version === undefined ? '' : ` v${version}`}`);
      return send(reply, programFrom(row.source, row.revision), request.query, null);
    },
  );

  app.get(
    '/executions/:id/machine',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Draw an execution',
        description:
          'Its workflow with what has happened: where it is, what is done, has failed, waits or was skipped, which edges were taken, how often and how long it took. `at` shows an earlier moment.',
        tags: ['Executions'],
        operationId: 'drawExecution',
        params: ById,
        querystring: ExecutionMachineQuery,
        response: { 200: PICTURE },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { revision, executionId: id } = await runtime.execution(tenantId, executionId(request.params.id));
      const source = await store.revision(tenantId, revision);
      if (source === null) throw new RuntimeError('corrupt', `workflow revision ${revision} is not in the store`);
      const program = programFrom(source, revision);
      const { at = null, marks: wanted = true } = request.query;
      const marks = wanted ? await marksOf(runtime, program, { tenantId, id, at }) : null;
      return send(reply, program, request.query, marks);
    },
  );
}

function programFrom(source: string, revision: string): Program {
  try {
    return programOf(JSON.parse(source));
  } catch (cause) {
    throw new RuntimeError('corrupt', `workflow revision ${revision} cannot be compiled by this version`, { cause });
  }
}

/** `at` = the last event that counts; null = all. Rejects with `bad_request` when the log has not come so far. */
async function marksOf(
  runtime: Runtime,
  program: Program,
  { tenantId, id, at }: { readonly tenantId: string; readonly id: string; readonly at: number | null },
): Promise<Marks> {
  const happenings = new Happenings(program);
  let last = 0;
  for await (const { sequence, type, nodeId, data, createdAtMs } of runtime.events(tenantId, id)) {
    happenings.apply({ sequence, type: type as EventType, node_id: nodeId, data, at_ms: createdAtMs });
    last = sequence;
    if (last === at) break;
  }
  if (at !== null && last < at) throw new RuntimeError('bad_request', `at must not be beyond the log, which has ${last} events`);
  return happenings.marks;
}

async function send(
  reply: FastifyReply,
  program: Program,
  query: Partial<Pick<Wanted, 'format' | 'view'>>,
  marks: Marks | null,
): Promise<FastifyReply> {
  const format = query.format ?? 'xstate';
  const { content, policy, unreadable } = await drawn(program, { format, view: query.view ?? 'workflow', marks });
  void reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-cache' });
  if (policy !== null) void reply.header('content-security-policy', policy);
  if (unreadable.length > 0)
    void reply.header('x-jamjet-unreadable', encodeURIComponent(unreadable.slice(0, MAX_UNREADABLE).join('')));
  const bytes =
    typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.length);
  return reply.header('content-type', MEDIA_TYPES[format]).send(bytes);
}

async function drawn(program: Program, wanted: Wanted): Promise<Drawn> {
  try {
    return await draw(program, wanted);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    if (error.code === 'pictures_busy')
      throw new RuntimeError('overloaded', error.message, { retryAfterMs: RETRY_AFTER_MS, cause: error });
    throw new RuntimeError('bad_request', `${error.message}; mermaid, dot and xstate are not drawn`, { cause: error });
  }
}
