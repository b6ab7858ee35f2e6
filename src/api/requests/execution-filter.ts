import type { Static } from 'typebox';
import type { JobSelection } from '../../control/jobs/selection.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { ExecutionFilter } from '../../runtime/types/executions.ts';
import { type Decoded, present } from '../operations/codec.ts';
import { type ExecutionConditions, STATUSES } from '../operations/executions.ts';
import type { JobFilter } from '../operations/jobs.ts';
import { timestamp } from '../time.ts';
import { executionId, findExecutionId } from './ids.ts';
import { timeOf } from './time-parameter.ts';

type Conditions = Decoded<ExecutionConditions>;
type OptionalConditions = { readonly [Name in keyof Conditions]?: Conditions[Name] | null };

/** The runtime's filter from the conditions of a request. Throws `bad_request`, and `not_found` for an invalid parent id. */
export function toFilter(conditions: OptionalConditions): ExecutionFilter {
  const { workflowId, workflowVersion = null, parentExecutionId: parent, createdAfter, createdBefore, error } = conditions;
  if (workflowVersion !== null && (workflowId ?? null) === null)
    throw new RuntimeError('bad_request', 'workflow_version needs workflow_id');
  const labels = listOf(conditions.label);
  const status = conditions.status ?? (typeof error === 'string' ? 'failed' : null);
  return present({
    statuses: status === null ? null : statusesOf(status),
    error: error ?? null,
    workflowId: workflowId ?? null,
    workflowVersion,
    parentId: parent === undefined || parent === null ? null : executionId(parent),
    labels: labels.length === 0 ? null : labels.map(labelOf),
    createdFromMs: timeOf('created_after', createdAfter),
    createdBeforeMs: timeOf('created_before', createdBefore),
  });
}

type JobConditions = Decoded<Static<typeof JobFilter>>;

/** The selection of a bulk job from the conditions of a request. Throws as `toFilter`, and `bad_request` for an invalid id. */
export function toSelection({ executionIds, ...conditions }: JobConditions): JobSelection {
  const filter = toFilter(conditions);
  if (executionIds === undefined || executionIds === null) return filter;
  if (Object.keys(filter).length > 0)
    throw new RuntimeError('bad_request', 'execution_ids cannot be combined with other conditions');
  const ids = executionIds.map((given, index) => {
    const id = findExecutionId(given);
    if (id === null)
      throw new RuntimeError('bad_request', `execution_ids[${index}]: "${truncated(given)}" is not the id of an execution`);
    return id;
  });
  return { executionIds: [...new Set(ids)].sort() };
}

/** The conditions from the selection of a bulk job. */
export function toConditions({ statuses, parentId, labels, createdFromMs, createdBeforeMs, ...same }: JobSelection) {
  return {
    status: statuses,
    ...same,
    parentExecutionId: parentId,
    label: labels?.map(({ key, value }) => (value === undefined ? key : `${key}:${value}`)),
    createdAfter: createdFromMs === undefined ? null : timestamp(createdFromMs),
    createdBefore: createdBeforeMs === undefined ? null : timestamp(createdBeforeMs),
  };
}

function listOf(text: string | readonly string[] | null | undefined): readonly string[] {
  if (text === undefined || text === null) return [];
  return typeof text === 'string' ? [text] : text;
}

function statusesOf(text: string | readonly string[]): NonNullable<ExecutionFilter['statuses']> {
  const words = listOf(text).flatMap((list) => list.split(','));
  const statuses = words.map((word) => {
    const status = STATUSES.find((known) => known === word.trim());
    if (status === undefined) throw new RuntimeError('bad_request', `status must be one of ${STATUSES.join(', ')}`);
    return status;
  });
  return [...new Set(statuses)];
}

/** The first colon ends the key. */
function labelOf(text: string): { readonly key: string; readonly value?: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { key: text } : { key: text.slice(0, colon), value: text.slice(colon + 1) };
}
