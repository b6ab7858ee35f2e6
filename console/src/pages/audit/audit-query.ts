import type { AuditQuery } from '../../../../src/api/operations/audit.ts';
import type { TenantChange } from '../../../../src/client/index.ts';

const TEXTS = ['actor_id', 'event_type', 'execution_id'] as const;
const TIMES = ['from', 'to'] as const;

/** The conditions in the URL of the page. Times are local there, as in the fields: `2026-11-27T10:00`. */
export function auditQuery(parameters: URLSearchParams): AuditQuery {
  const query: AuditQuery = {};
  for (const name of TEXTS) {
    const text = parameters.get(name)?.trim();
    if (text !== undefined && text !== '') query[name] = text;
  }
  for (const name of TIMES) {
    const atMs = Date.parse(parameters.get(name) ?? '');
    if (!Number.isNaN(atMs)) query[name] = new Date(atMs).toISOString();
  }
  return query;
}

/** Whether an event of the stream is an entry that matches; the stream does not say who acted. */
export function concerns(query: AuditQuery, event: TenantChange['event']): boolean {
  const { execution_id, event_type, actor_id, to } = query;
  if (execution_id !== undefined && execution_id !== event.execution_id) return false;
  if (event_type !== undefined && event_type !== event.type && event_type !== event.kind) return false;
  if (actor_id !== undefined) return false;
  return to === undefined || event.created_at < to;
}
