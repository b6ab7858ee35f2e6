import type { NodeItem } from '../../../machines/history/node-items.ts';
import {
  type AttemptStatus,
  type EvaluatedCondition,
  itemsText,
  type NodeAttempt,
  type NodeVisit,
  type VisitStatus,
} from '../../../machines/history/node-visit.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { omittedItems } from '../../views/omitted-items.ts';
import { clock, duration } from '../../views/time.ts';
import { GLYPHS } from '../terminal/glyphs.ts';
import type { Paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';
import { wrapCharacters, wrapWords } from '../terminal/wrap.ts';

/** Limits of the shown values; `--json` has all of them. */
const MAX_VALUE_LINES = 200;
const MAX_LINE = 10_000;
/** Longest value that is shown on one line. */
const SHORT = 60;
/** Width of the names before values. */
const NAME_WIDTH = 9;

/** A visit to a node with its attempts, as lines of at most `columns`. */
export function visitLines(visit: NodeVisit, columns: number, paint: Paint): readonly string[] {
  const {
    activation,
    status,
    attempts,
    attempts_total,
    reason,
    question,
    decisions = [],
    blocked_by,
    taken,
    evaluated = [],
  } = visit;
  const why = reason === undefined || reason === '' ? '' : `: ${plain(reason)}`;
  const name = activation === 0 ? 'Work beside the workflow' : `Visit ${activation}`;
  const lines = [`${paint.bold(name)}  ${glyph(status, paint)} ${status}${why}`];
  const add = (indent: number, label: string, text: string): void => {
    lines.push(...labelled(label, text, columns, indent, paint));
  };
  if (question !== undefined && question !== '') add(2, 'question', question);
  for (const { decision, user_id, comment, decided_at } of decisions)
    add(2, 'decided', `${decision} by ${user_id}${comment === null ? '' : `: ${comment}`}, ${clock(Date.parse(decided_at))}`);
  if (blocked_by !== undefined) add(2, 'blocked', `by policy: ${blocked_by}`);
  if (attempts_total > attempts.length)
    lines.push(paint.dim(`  ${attempts_total - attempts.length} earlier attempts are not shown`));
  if (visit.items !== undefined) lines.push(`  ${itemsText(visit.items)}`);
  for (const attempt of attempts) lines.push(...attemptLines(attempt, columns, paint));
  for (const each of evaluated) lines.push(...wrapped(conditionText(each), columns, 2));
  if (taken !== undefined) lines.push(`  → ${taken.length === 0 ? paint.dim('no edge was followed') : plain(taken.join(', '))}`);
  return lines;
}

/** The items of a list, one a line. `next`: after which there are more; null = there are none. */
export function itemLines(items: readonly NodeItem[], next: number | null, columns: number, paint: Paint): readonly string[] {
  const lines = items.map(({ item, status, attempts, error, duration_ms }) => {
    const took = duration_ms === null ? '' : duration(duration_ms);
    const parts = [`item ${item}`, `${glyph(status, paint)} ${status}`, attempts > 1 ? `${attempts} attempts` : '', took];
    const head = parts.filter((part) => part !== '').join('  ');
    return error === undefined ? head : `${head}  ${paint.red(plain(error).slice(0, columns))}`;
  });
  return next === null ? lines : [...lines, paint.dim(`more items follow item ${next}`)];
}

/** `state.amount > 100 is false`; a problem in the place of a value. */
export function conditionText({ condition, value, problem, target }: EvaluatedCondition): string {
  const result =
    problem === undefined ? `is ${JSON.stringify(value ?? null)}` : `cannot be evaluated and counts as false: ${problem}`;
  return `? ${target}: ${condition} ${result}`;
}

function attemptLines(attempt: NodeAttempt, columns: number, paint: Paint): readonly string[] {
  const { status, queued_at, started_at, completed_at, duration_ms, worker_id, queue, usage } = attempt;
  const since = started_at ?? queued_at;
  const head = [
    `attempt ${attempt.attempt}`,
    `${glyph(status, paint)} ${status}`,
    duration_ms === null ? '' : duration(duration_ms),
    since === null ? '' : paint.dim(clock(Date.parse(since))),
    worker_id === null ? '' : paint.dim(`by ${plain(worker_id)}`),
    queue === undefined || completed_at !== null ? '' : paint.dim(`queue ${plain(queue)}`),
    attempt.redacted === true ? paint.dim('redacted') : '',
  ];
  const lines = [`  ${head.filter((part) => part !== '').join('  ')}`];
  const add = (label: string, text: string): void => {
    lines.push(...labelled(label, text, columns, 4, paint));
  };
  if (attempt.input !== undefined) lines.push(...valueLines('input', attempt.input, columns, paint));
  if (attempt.input_from === 'state') add('input', `the whole state, as after event ${attempt.input_sequence} (inspect --at)`);
  if (attempt.input_omitted === true) add('input', 'not recorded');
  if (attempt.output !== undefined) lines.push(...valueLines('output', attempt.output, columns, paint));
  if (attempt.state_patch !== undefined) lines.push(...valueLines('patch', attempt.state_patch, columns, paint));
  for (const text of omittedItems(attempt)) add('', text);
  if (attempt.child_execution_id !== undefined) add('child', attempt.child_execution_id);
  if (attempt.error !== undefined) lines.push(...errorLines(attempt, columns, paint));
  if (attempt.next_attempt_at !== undefined)
    add('next', `attempt ${attempt.attempt + 1} at ${clock(Date.parse(attempt.next_attempt_at))}`);
  if (usage !== null) add('usage', usageText(usage as JsonObject));
  return lines;
}

function errorLines(attempt: NodeAttempt, columns: number, paint: Paint): readonly string[] {
  const { error = '', error_name, error_class, http_status, stack, cause, errors, retryable } = attempt;
  const named =
    error_name === undefined || error_name === 'Error' || error.startsWith(error_name) ? error : `${error_name}: ${error}`;
  const classes = [error_class, http_status === undefined ? undefined : `HTTP ${http_status}`].filter(
    (each) => each !== undefined,
  );
  const remarks = [...classes, retryable === true ? 'retried' : 'not retried'].join(', ');
  return [
    ...labelled('error', named, columns, 4, paint, paint.red),
    ...labelled('', remarks, columns, 4, paint, paint.dim),
    ...stackLines(stack, columns, 6, paint),
    ...behindLines({ cause: cause ?? null, errors: errors ?? null }, columns, 6, paint),
  ];
}

function behindLines({ cause, errors }: JsonObject, columns: number, indent: number, paint: Paint): readonly string[] {
  const all = [
    ...(Array.isArray(errors) ? errors.map((each) => ['error:', each] as const) : []),
    ['caused by', cause ?? null] as const,
  ];
  return all.flatMap(([label, each]) => {
    if (!isObject(each)) return [];
    const name = typeof each.name === 'string' ? `${each.name}: ` : '';
    return [
      ...wrapped(`${label} ${name}${textOf(each.message)}`, columns, indent),
      ...stackLines(each.stack, columns, indent + 2, paint),
      ...behindLines(each, columns, indent + 2, paint),
    ];
  });
}

function stackLines(stack: Json | undefined, columns: number, indent: number, paint: Paint): readonly string[] {
  if (typeof stack !== 'string') return [];
  return stack.split('\n').flatMap((frame) => wrapped(frame, columns, indent).map((line) => paint.dim(line)));
}

function usageText(usage: JsonObject): string {
  const { input_tokens, output_tokens, cost_usd, gen_ai_model, finish_reason } = usage;
  const parts = [
    typeof input_tokens === 'number' ? `${input_tokens} input tokens` : '',
    typeof output_tokens === 'number' ? `${output_tokens} output tokens` : '',
    typeof cost_usd === 'number' ? `${cost_usd} USD` : '',
    textOf(gen_ai_model),
    finish_reason === undefined ? '' : `finished: ${textOf(finish_reason)}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** A short value beside its name, a longer one below it. */
function valueLines(label: string, value: Json, columns: number, paint: Paint): readonly string[] {
  const short = JSON.stringify(value);
  if (short.length <= Math.min(SHORT, columns - NAME_WIDTH - 6))
    return [`    ${paint.dim(label.padEnd(NAME_WIDTH))} ${plain(short)}`];
  const all = JSON.stringify(value, null, 2).split('\n');
  const shown = all
    .slice(0, MAX_VALUE_LINES)
    .flatMap((line) => wrapCharacters(plain(line).slice(0, MAX_LINE), Math.max(20, columns - 6)));
  const rest = all.length > MAX_VALUE_LINES ? [`      … ${all.length - MAX_VALUE_LINES} more lines`] : [];
  return [`    ${paint.dim(label)}`, ...shown.map((line) => `      ${line}`), ...rest];
}

function labelled(
  label: string,
  text: string,
  columns: number,
  indent: number,
  paint: Paint,
  colour: (text: string) => string = (same) => same,
): readonly string[] {
  const width = Math.max(20, columns - indent - NAME_WIDTH - 1);
  const lines = plain(text, { lines: true })
    .split('\n')
    .flatMap((line) => wrapWords(line, width));
  return lines.map((line, at) => `${' '.repeat(indent)}${paint.dim((at === 0 ? label : '').padEnd(NAME_WIDTH))} ${colour(line)}`);
}

function wrapped(text: string, columns: number, indent: number): readonly string[] {
  return plain(text, { lines: true })
    .split('\n')
    .flatMap((line) => wrapWords(line, Math.max(20, columns - indent)))
    .map((line) => `${' '.repeat(indent)}${line}`);
}

function glyph(status: VisitStatus | AttemptStatus, paint: Paint): string {
  const mark = GLYPHS[status];
  if (status === 'done') return paint.green(mark);
  if (status === 'failed') return paint.red(mark);
  if (status === 'active') return paint.cyan(mark);
  return status === 'skipped' || status === 'cancelled' ? paint.dim(mark) : paint.yellow(mark);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
