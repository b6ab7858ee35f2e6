import { Option } from 'clipanion';
import type { ExecutionConditions } from '../../client/index.ts';
import { type Failure, usageFailure } from '../failure.ts';
import { STATUSES } from '../terminal/status.ts';
import { choiceArgument, timeArgument } from './arguments.ts';

/** The options by which commands choose executions, each a field of the command. */
export const FILTER = {
  status: () => Option.String('-s,--status', { description: `Only these, separated by commas: ${STATUSES.join(', ')}.` }),
  workflow: () => Option.String('-w,--workflow', { description: 'Only executions of this workflow.' }),
  workflowVersion: () => Option.String('--workflow-version', { description: 'Only of this version of it.' }),
  label: () => Option.Array('-l,--label', [], { description: 'Only with this label, key=value or key; may be repeated.' }),
  since: () =>
    Option.String('--since', { description: 'Only those started then or later: 90m (ago), 2026-03-12, or a full time.' }),
  until: () => Option.String('--until', { description: 'Only those started before: 90m (ago), 2026-03-12, or a full time.' }),
  parent: () => Option.String('--parent', { description: 'Only children of this execution.' }),
} as const;

export interface FilterOptions {
  readonly status: string | undefined;
  readonly workflow: string | undefined;
  readonly workflowVersion: string | undefined;
  readonly label: readonly string[];
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly parent: string | undefined;
}

/** What the options ask for, as the API takes it; without a condition when there are none. Throws a usage `Failure`. */
export function conditionsOf(options: FilterOptions, nowMs: number): ExecutionConditions {
  const { status, workflow, workflowVersion, label, since, until, parent } = options;
  if (workflowVersion !== undefined && workflow === undefined) throw usageFailure('--workflow-version needs --workflow');
  return {
    ...(status === undefined ? {} : { status: status.split(',').map((word) => choiceArgument('--status', word, STATUSES)) }),
    ...(workflow === undefined ? {} : { workflow_id: workflow }),
    ...(workflowVersion === undefined ? {} : { workflow_version: workflowVersion }),
    ...(label.length === 0 ? {} : { label: label.map(labelCondition) }),
    ...(since === undefined ? {} : { created_after: timeArgument('--since', since, nowMs) }),
    ...(until === undefined ? {} : { created_before: timeArgument('--until', until, nowMs) }),
    ...(parent === undefined ? {} : { parent_execution_id: parent }),
  };
}

/** For commands that act on several: the conditions, none with `--all` alone; null when the line chooses nothing. Throws a usage `Failure`. */
export function bulkConditions(options: FilterOptions & { readonly all: boolean }, nowMs: number): ExecutionConditions | null {
  const conditions = conditionsOf(options, nowMs);
  return options.all || Object.keys(conditions).length > 0 ? conditions : null;
}

/** What a command that takes an id or chooses several is about. Throws a usage `Failure` when the line says both, or neither. */
export function idOrConditions(
  options: FilterOptions & { readonly id: string | undefined; readonly all: boolean },
  nowMs: number,
): { readonly id: string } | { readonly conditions: ExecutionConditions } {
  const { id } = options;
  const conditions = bulkConditions(options, nowMs);
  if (id !== undefined && conditions !== null) throw usageFailure('an id and options that choose executions exclude each other');
  if (conditions !== null) return { conditions };
  if (id !== undefined) return { id };
  throw missingSelection('Give an id, or ');
}

export function missingSelection(or = 'Give '): Failure {
  return usageFailure('say which executions', `${or}some of --status, --workflow, --label, --since, --until, --parent, --all.`);
}

/** The API separates key and value by the first colon. */
function labelCondition(text: string): string {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (key.includes(':')) throw usageFailure(`--label ${JSON.stringify(text)}: a key with a colon cannot be asked for`);
  return value === undefined ? key : `${key}:${value}`;
}
