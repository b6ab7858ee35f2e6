import { Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import type { AuditEntry, AuditFilter, AuditFault as Fault } from '../../../store/port/resources/audit.ts';
import { DEFAULT_TENANT } from '../../control/tenants.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { eventId } from '../../runtime/queries/event-forms.ts';
import { eventViewOf } from '../../runtime/queries/views.ts';
import { isJavaSdkRequest } from '../compat/sdk-paths.ts';
import {
  AUDIT_PAGE,
  AuditExportQuery,
  type AuditFault,
  type AuditItem,
  AuditList,
  AuditQuery,
  AuditVerification,
} from '../operations/audit.ts';
import { sendLines } from '../replies/json-lines.ts';
import { sendList } from '../replies/json-list.ts';
import { auditCursorOf, fromAuditCursor } from '../requests/audit-cursor.ts';
import { executionId } from '../requests/ids.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, identityOf, type Services } from '../services.ts';
import { parseDayOrTime, timestamp } from '../time.ts';

export function auditRoutes(app: Api, { store, control }: Services): void {
  app.get(
    '/audit',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the audit log of the tenant, newest first',
        description: 'Every event of every execution, and every change of the control plane.',
        tags: ['Audit'],
        operationId: 'listAudit',
        querystring: AuditQuery,
        response: { 200: AuditList },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { cursor, offset = 0 } = request.query;
      const limit = limitOf(request.query.limit, AUDIT_PAGE);
      if (cursor !== undefined && offset > 0) throw new RuntimeError('bad_request', 'give either cursor or offset, not both');
      const filter = filterOf(request.query);
      if (filter === null) return { items: [], total: 0, limit, offset, next_cursor: null };
      const after = cursor === undefined ? null : fromAuditCursor(cursor, filter);
      const { total, entries, next } = await store.audit.find(tenantId, filter, { limit, offset, after });
      const next_cursor = next === null ? null : auditCursorOf(next);
      return sendList(reply, 'items', toItems(entries, tenantId, isJavaSdkRequest(request) ? toJavaItem : toItem), {
        total,
        limit,
        offset,
        next_cursor,
      });
    },
  );

  app.get(
    '/audit/verify',
    {
      config: { access: 'operator' },
      schema: {
        summary: 'Verify the audit chain',
        description:
          'Reads the whole log of all tenants, which may take minutes. Continues past unsigned blocks and lists them in `unsigned`.',
        tags: ['Audit'],
        operationId: 'verifyAudit',
        response: { 200: AuditVerification },
      },
    },
    async (request) => {
      const { tenantId } = identityOf(request);
      const { blocks, head, fault, unsigned } = await control.audit.verify();
      const unsignedBlocks = unsigned === null ? {} : { unsigned: { ...unsigned, ranges: [...unsigned.ranges] } };
      const ok = fault === null && unsigned === null;
      return { ok, blocks, head, fault: fault === null ? null : toFault(fault, tenantId), ...unsignedBlocks };
    },
  );

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
function filterOf({ execution_id, actor_id, event_type, from, to }: AuditQuery): AuditFilter | null {
  const id = execution_id === undefined ? null : executionIdOrNull(execution_id);
  if (execution_id !== undefined && id === null) return null;
  return {
    ...defined('executionId', id),
    ...defined('actorId', actor_id),
    ...defined('type', event_type?.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase()),
    ...defined('fromMs', from === undefined ? null : timeOf('from', from)),
    ...defined('beforeMs', to === undefined ? null : timeOf('to', to)),
  };
}

function executionIdOrNull(id: string): string | null {
  try {
    return executionId(id);
  } catch {
    return null;
  }
}

function timeOf(name: string, text: string): number {
  const ms = parseDayOrTime(text);
  if (ms === null)
    throw new RuntimeError('bad_request', `${name} must be like 2026-03-12 or 2026-03-12T10:00:00Z, not "${truncated(text)}"`);
  return ms;
}

async function* toItems(
  entries: AsyncIterable<AuditEntry>,
  tenantId: string,
  write: (entry: AuditEntry, tenantId: string) => AuditItem,
): AsyncGenerator<AuditItem> {
  for await (const entry of entries) yield write(entry, tenantId);
}

/** Adds the fields by the names of the Java SDK. */
function toJavaItem(entry: AuditEntry, tenantId: string): AuditItem {
  const item = toItem(entry, tenantId);
  const { type: _type, ...payload } = item.raw_event;
  return { ...item, payload, node_id: entry.nodeId, timestamp: item.created_at };
}

function toItem(entry: AuditEntry, tenantId: string): AuditItem {
  const { executionId, seq, type, nodeId, actorId, actorType, atMs } = entry;
  const { data, redacted } = eventViewOf(executionId ?? '', entry, entry.data);
  // Events of the control plane have ids like those of an execution.
  const id = eventId(executionId ?? `tenant:${tenantId}`, seq);
  return {
    id,
    event_id: id,
    execution_id: executionId,
    sequence: seq,
    event_type: type,
    actor_id: actorId,
    actor_type: actorType,
    ...defined('on_behalf_of', entry.onBehalfOf),
    created_at: timestamp(atMs),
    raw_event: { ...(nodeId === null ? {} : { node_id: nodeId }), ...data, type },
    tenant_id: tenantId,
    redacted,
    ...defined('policy_decision', policyDecision(type, data)),
    ...requestOf(entry),
  };
}

function policyDecision(type: string, data: JsonObject): string | null {
  if (type === 'tool_approval_required') return 'require_approval';
  return type === 'policy_violation' && typeof data.decision === 'string' ? data.decision : null;
}

function requestOf({ request }: AuditEntry): Partial<AuditItem> {
  if (request === null) return {};
  const { id, method, path, ip, token, role } = JSON.parse(request) as Readonly<Record<string, string | undefined>>;
  return {
    ...defined('http_request_id', id),
    ...defined('http_method', method),
    ...defined('http_path', path),
    ...defined('ip_address', ip),
    ...defined('actor_token_id', token),
    ...defined('actor_role', role),
  };
}

/** Only the default tenant sees which other tenant is concerned. */
function toFault({ chain, block, reason, tenantId, executionId }: Fault, reader: string): AuditFault {
  const theirs = reader === DEFAULT_TENANT || tenantId === reader;
  const where = { ...(chain === undefined ? {} : { chain }), block };
  return { ...where, reason, tenant_id: theirs ? tenantId : null, execution_id: theirs ? executionId : null };
}
