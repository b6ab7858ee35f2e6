import { durationText } from '../../machines/duration.ts';
import { itemsText, type NodeAttempt, type NodeVisit } from '../../machines/history/node-visit.ts';
import type { Json } from '../../machines/json.ts';
import { omittedItems } from '../views/omitted-items.ts';

/** A titled part of the panel about a node, as texts. */
export interface PanelSection {
  readonly title: string;
  /** Has it failed? */
  readonly failed: boolean;
  readonly fields: readonly { readonly label: string; readonly text: string }[];
}

/** Characters of one value that a page holds, at most. */
const MAX_CHARS = 4_000;

/** What a node was called with, gave back and spent: a section per visit and attempt, newest visit first. */
export function panelSections(visits: readonly NodeVisit[]): readonly PanelSection[] {
  return visits.toReversed().flatMap((visit) => visitSections(visit, visits.length > 1 || visit.activation > 1));
}

function visitSections(visit: NodeVisit, isNumbered: boolean): PanelSection[] {
  const {
    activation,
    status,
    reason,
    attempts,
    attempts_total,
    question,
    decisions = [],
    blocked_by,
    taken,
    evaluated,
    items,
  } = visit;
  const fields = [
    field('reason', reason),
    field('items', items === undefined ? undefined : itemsText(items)),
    field('question', question),
    ...decisions.map(({ decision, user_id, comment, decided_at }) =>
      field(decision, `${user_id}, ${decided_at}${comment === null ? '' : `: ${comment}`}`),
    ),
    field('blocked by', blocked_by),
    field('taken', taken?.join(', ')),
    ...(evaluated ?? []).map(({ condition, target, value, problem }) =>
      field(
        'condition',
        `${condition} → ${problem === undefined ? JSON.stringify(value) : `${problem}, so false`} (to ${target})`,
      ),
    ),
  ].flat();
  const title = [isNumbered ? `visit ${activation}` : '', status].filter((part) => part !== '').join(' · ');
  const omitted = attempts_total - attempts.length;
  const about = omitted === 0 ? fields : [...fields, ...field('attempts', `the first ${omitted} are left out`)];
  const own = isNumbered || about.length > 0 ? [{ title, failed: status === 'failed', fields: about }] : [];
  return [...own, ...attempts.toReversed().map(attemptSection)];
}

function attemptSection(attempt: NodeAttempt): PanelSection {
  const { status, duration_ms, worker_id, usage } = attempt;
  const title = [`attempt ${attempt.attempt}`, status, duration_ms === null ? '' : durationText(duration_ms)];
  const input =
    attempt.input_from === 'state' ? 'the whole state' : attempt.input_omitted === true ? 'not recorded' : attempt.input;
  return {
    title: title.filter((part) => part !== '').join(' · '),
    failed: status === 'failed',
    fields: [
      field('error', attempt.error),
      field('stack', attempt.stack),
      field('cause', attempt.cause),
      field('errors', attempt.errors),
      field('next attempt', attempt.next_attempt_at),
      field('input', input),
      field('output', attempt.output),
      field('state patch', attempt.state_patch),
      field('not repeated', omittedItems(attempt).join('\n')),
      field('usage', usage ?? undefined),
      field('started', attempt.started_at ?? undefined),
      field('worker', worker_id ?? undefined),
      field('queue', attempt.queue),
      field('child', attempt.child_execution_id),
    ].flat(),
  };
}

function field(label: string, value: Json | object | undefined): PanelSection['fields'] {
  if (value === undefined || value === '') return [];
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return [{ label, text: text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}… (${text.length} characters)` : text }];
}
