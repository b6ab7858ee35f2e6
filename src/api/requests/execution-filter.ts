import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { ExecutionFilter } from '../../runtime/types/executions.ts';
import { type ExecutionConditions, STATUSES } from '../schemas/executions.ts';
import { defined } from '../schemas/fields.ts';
import { parseTime, timestamp } from '../time.ts';
import { executionId } from './ids.ts';

type OptionalConditions = { readonly [Name in keyof ExecutionConditions]?: ExecutionConditions[Name] | null };

/** The runtime's filter from the conditions of a request. Throws `bad_request`, and `not_found` for an invalid parent id. */
export function toFilter(conditions: OptionalConditions): ExecutionFilter {
  const { workflow_id, workflow_version, parent_execution_id: parent, created_after, created_before } = conditions;
  if (defined('version', workflow_version).version !== undefined && defined('id', workflow_id).id === undefined)
    throw new RuntimeError('bad_request', 'workflow_version needs workflow_id');
  const labels = listOf(conditions.label);
  return {
    ...defined('statuses', conditions.status === undefined || conditions.status === null ? null : statusesOf(conditions.status)),
    ...defined('workflowId', workflow_id),
    ...defined('workflowVersion', workflow_version),
    ...defined('parentId', parent === undefined || parent === null ? null : executionId(parent)),
    ...defined('labels', labels.length === 0 ? null : labels.map(labelOf)),
    ...defined('createdFromMs', timeOf('created_after', created_after)),
    ...defined('createdBeforeMs', timeOf('created_before', created_before)),
  };
}

/** The conditions from a filter of the runtime. */
export function toConditions(filter: ExecutionFilter): ExecutionConditions {
  const { statuses, labels, createdFromMs, createdBeforeMs } = filter;
  return {
    ...defined('status', statuses === undefined ? null : [...statuses]),
    ...defined('workflow_id', filter.workflowId),
    ...defined('workflow_version', filter.workflowVersion),
    ...defined('parent_execution_id', filter.parentId),
    ...defined(
      'label',
      labels?.map(({ key, value }) => (value === undefined ? key : `${key}:${value}`)),
    ),
    ...defined('created_after', createdFromMs === undefined ? null : timestamp(createdFromMs)),
    ...defined('created_before', createdBeforeMs === undefined ? null : timestamp(createdBeforeMs)),
  };
}

function listOf(text: string | readonly string[] | null | undefined): readonly string[] {
  if (text === undefined || text === null) return [];
  return typeof text === 'string' ? [text] : text;
}

/** `pending` is accepted and matches nothing. */
function statusesOf(text: string | readonly string[]): NonNullable<ExecutionFilter['statuses']> {
  const words = listOf(text).flatMap((list) => list.split(','));
  const statuses = words.map((word) => {
    const status = STATUSES.find((known) => known === word.trim());
    if (status === undefined) throw new RuntimeError('bad_request', `status must be one of ${STATUSES.join(', ')}`);
    return status;
  });
  return [...new Set(statuses)].filter((status) => status !== 'pending');
}

/** The first colon ends the key. */
function labelOf(text: string): { readonly key: string; readonly value?: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { key: text } : { key: text.slice(0, colon), value: text.slice(colon + 1) };
}

function timeOf(name: string, text: string | null | undefined): number | null {
  if (text === undefined || text === null) return null;
  const ms = parseTime(text);
  if (ms === null)
    throw new RuntimeError('bad_request', `${name} must be a time like 2026-03-12T10:00:00Z, not "${truncated(text)}"`);
  return ms;
}
