import { isObject, type Json } from '../../../machines/json.ts';
import type { History } from '../history.ts';
import type { Claim } from '../load/workers.ts';
import type { FinalState, StoredExecution } from './final-state.ts';

/** Checks external work: one fence for each claim, and one counted report, which is in the log. */
export function checkWork(claims: readonly Claim[], { executions, work }: FinalState, history: History): void {
  const items = new Map(work.map((item) => [item.id, item]));
  const fences = new Set<string>();
  const settled = new Map<string, string>();
  for (const claim of claims) {
    const { item, execution, fence, reports } = claim;
    const about = [item, execution];
    const right = `${item} under fence ${fence}`;
    if (fences.has(right)) history.addViolation('a fence is given to one claim', `${right}, again to ${claim.worker}`, about);
    fences.add(right);
    const log = executions.get(execution);
    if (log === undefined) {
      history.addViolation('acknowledged executions exist', `${execution}, of which ${item} was claimed`, about);
      continue;
    }
    for (const { as, nonce, outcome } of reports) {
      const count = countReports(log, as, nonce);
      const [least, most] = { ok: [1, 1], refused: [0, 0], unknown: [0, 1] }[outcome] as [number, number];
      if (count < least || count > most)
        history.addViolation(
          'an acknowledged report counts once, a refused one never',
          `${right}: ${nonce} is ${outcome}, and ${count} times in the log`,
          about,
        );
      if (outcome !== 'ok') continue;
      const before = settled.get(item);
      if (before !== undefined)
        history.addViolation('no work item is settled twice', `${right}: ${nonce} after ${before}`, about);
      settled.set(item, nonce);
      const stored = items.get(item);
      if (stored?.status !== as || stored.fence !== fence)
        history.addViolation(
          'a work item is settled under the fence of its report',
          `${right} ${as}; stored: ${stored?.status} under ${stored?.fence}`,
          about,
        );
    }
  }
  checkVisits({ work, executions }, history);
}

function countReports({ log }: StoredExecution, as: 'completed' | 'failed', nonce: string): number {
  return log.filter(({ type, data }) =>
    as === 'completed' ? type === 'node_completed' && data.output === nonce : type === 'node_failed' && data.error === nonce,
  ).length;
}

function checkVisits({ work, executions }: Pick<FinalState, 'work' | 'executions'>, history: History): void {
  const completed = new Set<string>();
  for (const { status, execution, node, activation } of work) {
    if (status !== 'completed') continue;
    const visit = `${execution} ${node}:${activation}`;
    if (completed.has(visit)) history.addViolation('no visit is completed under two work items', visit, [execution]);
    completed.add(visit);
    const count = executions
      .get(execution)
      ?.log.filter(
        (event) => event.type === 'node_completed' && event.node === node && event.data.activation === activation,
      ).length;
    if (count !== 1) history.addViolation('a completed work item is in the log once', `${visit}: ${count} times`, [execution]);
  }
}

/** Checks in-process work: every call belongs to a logged attempt, and every result to a call. */
export function checkCalls({ executions, calls }: FinalState, history: History): void {
  const made = new Map<string, number>();
  for (const { idempotencyKey, attempt } of calls) {
    const name = `${idempotencyKey} ${attempt}`;
    made.set(name, (made.get(name) ?? 0) + 1);
  }
  const begun = new Map<string, number>();
  for (const { id, log } of executions.values()) {
    for (const { type, node, data } of log) {
      const key = `${id}:${node}:${data.activation}`;
      if (type === 'node_started') {
        const name = `${key} ${data.attempt}`;
        begun.set(name, (begun.get(name) ?? 0) + 1);
      }
      const result = type === 'node_completed' ? resultOf(data.output, node) : null;
      if (result === null) continue;
      if (result.call !== key || !made.has(`${key} ${result.attempt}`))
        history.addViolation('every result belongs to a call', `${key}: ${JSON.stringify(result)}`, [id]);
    }
  }
  for (const [name, count] of made) {
    const known = begun.get(name) ?? 0;
    if (count > known)
      history.addViolation('every attempt is in the log, and made once', `${name}: ${count} calls, begun ${known} times`, [
        name.split(':')[0] ?? '',
      ]);
  }
}

/** The result of `step` in tools.mjs. */
function resultOf(output: Json | undefined, node: string | null): { readonly attempt: number; readonly call: string } | null {
  const result = isObject(output) && node !== null ? output[node] : undefined;
  if (!isObject(result) || typeof result.call !== 'string') return null;
  return { attempt: Number(result.attempt), call: result.call };
}
