import { Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import type { AuditEntry, AuditFault, AuditFilter } from '../../../store/port/resources/audit.ts';
import { DEFAULT_TENANT } from '../../control/tenants.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { eventId } from '../../runtime/queries/event-forms.ts';
import { eventViewOf } from '../../runtime/queries/views.ts';
import { isJavaSdkRequest } from '../compat/sdk-paths.ts';
import { AUDIT, AUDIT_PAGE, AuditExportQuery, type AuditQuery } from '../operations/audit.ts';
import type { Decoded } from '../operations/codec.ts';
import { sendLines } from '../replies/json-lines.ts';
import { auditCursorOf, fromAuditCursor } from '../requests/audit-cursor.ts';
import { findExecutionId } from '../requests/ids.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, identityOf, type Services } from '../services.ts';
import { parseDayOrTime, timestamp } from '../time.ts';
import { implement } from './implement.ts';

/** The audit log of the tenant. */
export function auditRoutes(app: Api, services: Services): void {
  jsonRoutes(app, services);
  exportRoute(app, services);
}

const jsonRoutes = implement(AUDIT, {
  'GET /audit': async ({ query, tenantId, request }, { store }) => {
    const { cursor, offset = 0 } = query;
    const limit = limitOf(query.limit, AUDIT_PAGE);
    if (cursor !== undefined && offset > 0) throw new RuntimeError('bad_request', 'give either cursor or offset, not both');
    const filter = filterOf(query);
    if (filter === null) return { items: [], total: 0, limit, offset, nextCursor: null };
    const after = cursor === undefined ? null : fromAuditCursor(cursor, filter);
    const { total, entries, next } = await store.audit.find(tenantId, filter, { limit, offset, after });
    const items = eachShown(entries, tenantId, isJavaSdkRequest(request) ? javaItemOf : itemOf);
    return { items, total, limit, offset, nextCursor: next && auditCursorOf(next) };
  },

  'GET /audit/verify': async ({ tenantId }, { control }) => {
    const verified = await control.audit.verify();
    const { fault, unsigned } = verified;
    return { ...verified, ok: fault === null && unsigned === null, fault: fault && shownTo(tenantId, fault) };
  },
});

function exportRoute(app: Api, { control }: Services): void {
  app.get(
    '/audit/export',
    {
      config: { access: 'operator' },
      exposeHeadRoute: false,
      schema: {
        summary: 'Export the audit log of the tenant',
        description:
          'One JSON object per line, with the proofs of the chain. `jamjet audit verify --file` verifies the export without the server.',
        tags: ['Audit'],
        operationId: 'exportAudit',
        querystring: AuditExportQuery,
        response: {
          200: { description: 'One JSON object per line.', content: { 'application/x-ndjson': { schema: Type.String() } } },
        },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      void reply.header('content-disposition', 'attachment; filename="audit.jsonl"');
      return sendLines(reply, control.audit.export(tenantId, request.query.from_block ?? 1));
    },
  );
}

/** Null if nothing can match, because `execution_id` is not an execution id. */
function filterOf({ executionId: given, actorId, eventType, from, to }: Decoded<AuditQuery>): AuditFilter | null {
  const id = given === undefined ? null : findExecutionId(given);
  if (given !== undefined && id === null) return null;
  return {
    ...defined('executionId', id),
    ...defined('actorId', actorId),
    ...defined('type', eventType?.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase()),
    ...defined('fromMs', from === undefined ? null : timeOf('from', from)),
    ...defined('beforeMs', to === undefined ? null : timeOf('to', to)),
  };
}

function timeOf(name: string, text: string): number {
  const ms = parseDayOrTime(text);
  if (ms === null)
    throw new RuntimeError('bad_request', `${name} must be like 2026-03-12 or 2026-03-12T10:00:00Z, not "${truncated(text)}"`);
  return ms;
}

async function* eachShown(
  entries: AsyncIterable<AuditEntry>,
  tenantId: string,
  show: (entry: AuditEntry, tenantId: string) => ReturnType<typeof itemOf>,
) {
  for await (const entry of entries) yield show(entry, tenantId);
}

/** Has fields by the names of the Java SDK as well. */
function javaItemOf(entry: AuditEntry, tenantId: string) {
  const item = itemOf(entry, tenantId);
  const { type: _type, ...payload } = item.rawEvent;
  return { ...item, payload, nodeId: entry.nodeId, timestamp: timestamp(entry.atMs) };
}

function itemOf(entry: AuditEntry, tenantId: string) {
  const { executionId, seq, type, nodeId, actorId, actorType, onBehalfOf, atMs } = entry;
  const { data, redacted } = eventViewOf(executionId ?? '', entry, entry.data);
  // Events of the control plane have ids like those of an execution.
  const id = eventId(executionId ?? `tenant:${tenantId}`, seq);
  return {
    id,
    eventId: id,
    executionId,
    sequence: seq,
    eventType: type,
    actorId,
    actorType,
    onBehalfOf,
    createdAtMs: atMs,
    rawEvent: { ...(nodeId === null ? {} : { node_id: nodeId }), ...data, type } as JsonObject,
    tenantId,
    redacted,
    policyDecision: policyDecision(type, data),
    ...requestOf(entry),
  };
}

function policyDecision(type: string, data: JsonObject): string | null {
  if (type === 'tool_approval_required') return 'require_approval';
  return type === 'policy_violation' && typeof data.decision === 'string' ? data.decision : null;
}

function requestOf({ request }: AuditEntry) {
  if (request === null) return {};
  const { id, method, path, ip, token, role } = JSON.parse(request) as Readonly<Record<string, string | undefined>>;
  return { httpRequestId: id, httpMethod: method, httpPath: path, ipAddress: ip, actorTokenId: token, actorRole: role };
}

/** Only the default tenant sees which other tenant is concerned. */
function shownTo(reader: string, { tenantId, executionId, ...fault }: AuditFault) {
  const isTheirs = reader === DEFAULT_TENANT || tenantId === reader;
  return { ...fault, tenantId: isTheirs ? tenantId : null, executionId: isTheirs ? executionId : null };
}
