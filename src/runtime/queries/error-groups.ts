import type { ErrorGroup, ErrorGroups, ExecutionSummary, FailedExecution } from '../types/executions.ts';

/** Characters of an error that tell it from others. */
const MAX_COMPARED = 400;
const MAX_WORKFLOWS = 5;

/**
 * An error without what differs from one time to the next, so that errors with the same cause are equal: numbers and ids become `#`, quoted
 * texts `…`. Names with digits (`http2`, `E1234`), the node before the first colon and HTTP statuses stay.
 *
 * @example
 * errorPattern('charge: timeout after 3012 ms') // 'charge: timeout after # ms'
 */
export function errorPattern(error: string): string {
  const [, node = '', message = ''] = /^(\S{1,256}: )?(.*)$/s.exec(error.slice(0, MAX_COMPARED)) ?? [];
  return node + patternOf(message).replace(/\s+/g, ' ').trim();
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** `ord_8Fk2`, `exec_0199…`: a word and an underscore before letters and digits. */
const PREFIXED_ID = '[A-Za-z]+_(?=[A-Za-z]*\\d)[A-Za-z0-9]+';
const HEX = '(?=[a-f]*\\d)[0-9a-f]{8,}';
const NUMBER = '\\d+(?:[.,:]\\d+)*';
const VARIABLE = new RegExp(
  `"[^"]*"|\`[^\`]*\`|(?<![A-Za-z0-9])'[^']*'(?![A-Za-z0-9])|(?<![A-Za-z0-9_])(?:${UUID}|${PREFIXED_ID}|${HEX}(?![A-Za-z0-9])|${NUMBER})`,
  'gi',
);
const STATUS_BEFORE = /\b(?:HTTP|status(?: code)?|answered(?: with)?|code)[ :]*$/i;

function patternOf(message: string): string {
  return message.replace(VARIABLE, (found, at: number) => {
    const [first = ''] = found;
    if (first === '"' || first === "'" || first === '`') return `${first}…${first}`;
    if (/^[1-5]\d\d$/.test(found) && STATUS_BEFORE.test(message.slice(Math.max(0, at - 24), at))) return found;
    const prefix = /^[A-Za-z]+_/.exec(found)?.[0] ?? '';
    return `${prefix}#`;
  });
}

/** Groups executions, newest first, by their errors. */
export class ErrorGrouping<T extends FailedExecution = ExecutionSummary> {
  readonly #groups = new Map<string, { count: number; readonly workflowIds: Set<string>; readonly newest: T }>();
  #examined = 0;

  get examined(): number {
    return this.#examined;
  }

  add(execution: T): void {
    this.#examined += 1;
    if (execution.error === null) return;
    const pattern = errorPattern(execution.error);
    const group = this.#groups.get(pattern) ?? { count: 0, workflowIds: new Set<string>(), newest: execution };
    group.count += 1;
    if (group.workflowIds.size < MAX_WORKFLOWS) group.workflowIds.add(execution.workflowId);
    this.#groups.set(pattern, group);
  }

  result(more: boolean): ErrorGroups<T> {
    const groups = [...this.#groups].map(
      ([error, { count, workflowIds, newest }]): ErrorGroup<T> => ({ error, count, workflowIds: [...workflowIds], newest }),
    );
    return { groups: groups.sort((a, b) => b.count - a.count), examined: this.#examined, more };
  }
}
