import type { JsonObject } from '../json.ts';
import type { TimedEvent } from './log.ts';

/** The failures in a log that a retry has reset, and the ends of the execution that followed from them. By sequence. */
export interface RetryResets {
  readonly failures: ReadonlySet<number>;
  readonly ends: ReadonlySet<number>;
}

/** The sequences of the failures that a retry has reset, from the data of its `workflow_retried`. */
export function failuresResetBy({ forgiven }: JsonObject): readonly number[] {
  return Array.isArray(forgiven) ? forgiven.map(Number) : [];
}

/** The resets by the retries in a log. */
export function resetsIn(log: readonly TimedEvent[]): RetryResets {
  const retries = log.filter((event) => event.type === 'workflow_retried');
  const reset = retries.flatMap(({ data }) => failuresResetBy(data));
  return { failures: new Set(reset), ends: new Set(retries.map(({ sequence }) => sequence - 1)) };
}

/** The same, with the last failure of each of `nodes` and the end of the log. */
export function resetsFor(log: readonly TimedEvent[], nodes: readonly string[]): RetryResets {
  const { failures, ends } = resetsIn(log);
  const last = nodes.flatMap(
    (node) => log.findLast((event) => event.type === 'node_failed' && event.node_id === node && isVisit(event))?.sequence ?? [],
  );
  const end = log.at(-1)?.sequence ?? 0;
  return { failures: new Set([...failures, ...last]), ends: new Set([...ends, end]) };
}

/** Work beside the workflow may fail for the same node, and so may an item of it. */
function isVisit({ data }: TimedEvent): boolean {
  return data.activation !== 0 && data.item === undefined;
}

/** Events that may come before a node's failure in the step that it causes. */
const CAUSES_OF_FAILURE: ReadonlySet<string> = new Set([
  'approval_received',
  'timer_fired',
  'child_workflow_failed',
  'eval_scored',
]);

const EXCEEDED: ReadonlySet<string> = new Set(['token_budget_exceeded', 'cost_budget_exceeded']);

/** The failure of the step that begins at `at`, and its cause, if it is reset; null otherwise. */
export function resetAt(
  log: readonly TimedEvent[],
  at: number,
  resets: RetryResets,
): { readonly node: string; readonly events: readonly TimedEvent[]; readonly endsExecution: boolean } | null {
  if (resets.failures.size === 0) return null;
  const first = log[at];
  const length = first !== undefined && CAUSES_OF_FAILURE.has(first.type) ? 2 : 1;
  const failed = log[at + length - 1];
  if (first === undefined || failed === undefined || !resets.failures.has(failed.sequence)) return null;
  if (failed.type !== 'node_failed' || failed.node_id === null || failed.node_id !== first.node_id) return null;
  const events = log.slice(at, at + length);
  return { node: failed.node_id, events, endsExecution: endsExecution(log, at + length - 1, resets) };
}

/** Has the failure at this index of the log ended the execution, which the retry undoes as well? */
export function endsExecution(log: readonly TimedEvent[], at: number, { ends }: RetryResets): boolean {
  const after = log[at + 1];
  const next = after !== undefined && EXCEEDED.has(after.type) ? log[at + 2] : after;
  return next?.type === 'workflow_finalizing' || (next?.type === 'workflow_failed' && ends.has(next.sequence));
}
