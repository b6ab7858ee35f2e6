import type { Static } from 'typebox';
import type { JobSelection } from '../../control/jobs/selection.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { ExecutionFilter } from '../../runtime/types/executions.ts';
import { type ExecutionConditions, STATUSES } from '../operations/executions.ts';
import type { Job, JobFilter } from '../operations/jobs.ts';
import { defined } from '../schemas/fields.ts';
import { timestamp } from '../time.ts';
import { executionId, findExecutionId } from './ids.ts';
import { timeOf } from './time-parameter.ts';

type OptionalConditions = { readonly [Name in keyof ExecutionConditions]?: ExecutionConditions[Name] | null };

/** The runtime's filter from the conditions of a request. Throws `bad_request`, and `not_found` for an invalid parent id. */
export function toFilter(conditions: OptionalConditions): ExecutionFilter {
  const { workflow_id, workflow_version, parent_execution_id: parent, created_after, created_before } = conditions;
  if (defined('version', workflow_version).version !== undefined && defined('id', workflow_id).id === undefined)
    throw new RuntimeError('bad_request', 'workflow_version needs workflow_id');
  const labels = listOf(conditions.label);
  const { error } = conditions;
  const status = conditions.status ?? (typeof error === 'string' ? 'failed' : null);
  return {
    ...defined('statuses', status === null ? null : statusesOf(status)),
    ...defined('error', error),
    ...defined('workflowId', workflow_id),
    ...defined('workflowVersion', workflow_version),
    ...defined('parentId', parent === undefined || parent === null ? null : executionId(parent)),
    ...defined('labels', labels.length === 0 ? null : labels.map(labelOf)),
    ...defined('createdFromMs', timeOf('created_after', created_after)),
    ...defined('createdBeforeMs', timeOf('created_before', created_before)),
  };
}

type JobConditions = Static<typeof JobFilter>;

/** The selection of a bulk job from the conditions of a request. Throws as `toFilter`, and `bad_request` for an invalid id. */
export function toSelection({ execution_ids, ...conditions }: JobConditions): JobSelection {
  const filter = toFilter(conditions);
  if (execution_ids === undefined || execution_ids === null) return filter;
  if (Object.keys(filter).length > 0)
    throw new RuntimeError('bad_request', 'execution_ids cannot be combined with other conditions');
  const ids = execution_ids.map((given, index) => {
    const id = findExecutionId(given);
    if (id === null)
      throw new RuntimeError('bad_request', `execution_ids[${index}]: "${truncated(given)}" is not the id of an execution`);
    return id;
  });
  return { executionIds: [...new Set(ids)].sort() };
}

/** The conditions from the selection of a bulk job. */
export function toJobConditions({ executionIds, ...filter }: JobSelection): Job['filter'] {
  return { ...toConditions(filter), ...defined('execution_ids', executionIds === undefined ? null : [...executionIds]) };
}

/** The conditions from a filter of the runtime. */
function toConditions(filter: ExecutionFilter): ExecutionConditions {
  const { statuses, labels, createdFromMs, createdBeforeMs } = filter;
  return {
    ...defined('status', statuses === undefined ? null : [...statuses]),
    ...defined('error', filter.error),
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
