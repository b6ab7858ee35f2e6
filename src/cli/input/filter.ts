import { Option } from 'clipanion';
import type { ExecutionConditions } from '../../client/index.ts';
import { type Failure, usageFailure } from '../failure.ts';
import { STATUSES } from '../terminal/status.ts';
import { choiceArgument, timeArgument } from './arguments.ts';

/** The options that select executions; each becomes a field of the command. */
export const FILTER = {
  status: () =>
    Option.String('-s,--status', { description: `Only these statuses, separated by commas: ${STATUSES.join(', ')}.` }),
  workflow: () => Option.String('-w,--workflow', { description: 'Only executions of this workflow.' }),
  workflowVersion: () => Option.String('--workflow-version', { description: 'Only executions of this version of the workflow.' }),
  label: () => Option.Array('-l,--label', [], { description: 'Only executions with this label, key=value or key; repeatable.' }),
  since: () =>
    Option.String('--since', { description: 'Only those started at or after: 90m (ago), 2026-03-12, or a full time.' }),
  until: () => Option.String('--until', { description: 'Only those started before: 90m (ago), 2026-03-12, or a full time.' }),
  parent: () => Option.String('--parent', { description: 'Only children of this execution.' }),
  error: () =>
    Option.String('--error', {
      description:
        'Only those that failed with this error; numbers, ids and quoted texts in it may differ (see ls --group-by error).',
    }),
} as const;

export interface FilterOptions {
  readonly status: string | undefined;
  readonly workflow: string | undefined;
  readonly workflowVersion: string | undefined;
  readonly label: readonly string[];
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly parent: string | undefined;
  readonly error?: string | undefined;
}

/** The options as conditions of the API; empty without options. Throws a usage `Failure`. */
export function conditionsOf(options: FilterOptions, nowMs: number): ExecutionConditions {
  const { status, workflow, workflowVersion, label, since, until, parent, error } = options;
  if (workflowVersion !== undefined && workflow === undefined) throw usageFailure('--workflow-version needs --workflow');
  return {
    ...(status === undefined ? {} : { status: status.split(',').map((word) => choiceArgument('--status', word, STATUSES)) }),
    ...(workflow === undefined ? {} : { workflow_id: workflow }),
    ...(workflowVersion === undefined ? {} : { workflow_version: workflowVersion }),
    ...(label.length === 0 ? {} : { label: label.map(labelCondition) }),
    ...(since === undefined ? {} : { created_after: timeArgument('--since', since, nowMs) }),
    ...(until === undefined ? {} : { created_before: timeArgument('--until', until, nowMs) }),
    ...(parent === undefined ? {} : { parent_execution_id: parent }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Conditions of a bulk command, empty with `--all` alone; null if no option selects executions. Throws a usage `Failure`. */
export function bulkConditions(options: FilterOptions & { readonly all: boolean }, nowMs: number): ExecutionConditions | null {
  const conditions = conditionsOf(options, nowMs);
  return options.all || Object.keys(conditions).length > 0 ? conditions : null;
}

/** The id or the conditions of a command that takes either. Throws a usage `Failure` if both or neither are given. */
export function idOrConditions(
  options: FilterOptions & { readonly id: string | undefined; readonly all: boolean },
  nowMs: number,
): { readonly id: string } | { readonly conditions: ExecutionConditions } {
  const { id } = options;
  const conditions = bulkConditions(options, nowMs);
  if (id !== undefined && conditions !== null) throw usageFailure('give an id or options that select executions, not both');
  if (conditions !== null) return { conditions };
  if (id !== undefined) return { id };
  throw missingSelection('Give an id, or ');
}

export function missingSelection(or = 'Give '): Failure {
  return usageFailure(
    'no executions selected',
    `${or}one or more of --status, --workflow, --label, --since, --until, --parent, --all.`,
  );
}

/** Label condition of the API, which splits key and value at the first colon. */
function labelCondition(text: string): string {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (key.includes(':')) throw usageFailure(`--label ${JSON.stringify(text)}: a key must not contain a colon`);
  return value === undefined ? key : `${key}:${value}`;
}
