import type { ExecutionConditions } from '../../../../src/client/index.ts';
import type { Selection } from './list/execution-pages.ts';

/** Parameters of the page that are conditions of the API, under the same names. */
const TEXTS = [
  'status',
  'workflow_id',
  'workflow_version',
  'created_after',
  'created_before',
  'parent_execution_id',
  'error',
] as const satisfies readonly (keyof ExecutionConditions)[];

/** Parameters that choose executions; all others choose how they are shown. */
export const SELECTING = [...TEXTS, 'label', 'id'] as const;

export function conditionsOf(parameters: URLSearchParams): ExecutionConditions {
  const texts = TEXTS.map((name) => [name, parameters.get(name) ?? ''] as const).filter(([, value]) => value !== '');
  const labels = parameters.getAll('label').filter((label) => label !== '');
  return { ...(Object.fromEntries(texts) as ExecutionConditions), ...(labels.length === 0 ? {} : { label: labels }) };
}

/** A search by id takes the place of all conditions, as in the API. */
export function selectionOf(parameters: URLSearchParams): Selection {
  const digits = parameters.get('id') ?? '';
  return digits === '' ? { kind: 'conditions', conditions: conditionsOf(parameters) } : { kind: 'id', digits };
}

export function statusesOf(parameters: URLSearchParams): readonly string[] {
  return (parameters.get('status') ?? '').split(',').filter((status) => status !== '');
}
