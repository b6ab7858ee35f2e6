import type { Json } from '../../../machines/json.ts';
import type { LiveModel } from '../../views/live-model.ts';
import type { OutlineRow } from '../../views/outline.ts';
import { clock, duration } from '../../views/time.ts';
import { count, plain } from '../terminal/text.ts';
import { wrapCharacters, wrapWords } from '../terminal/wrap.ts';
import { type Painter, stateText } from './row-text.ts';

/** Limits of the shown output; `jamjet inspect` prints all of it. */
const MAX_LINES = 2_000;
const MAX_LINE = 10_000;

/** The details of a node: its status, attempts, output and definition. */
export function detailLines(row: OutlineRow, model: LiveModel, columns: number, painter: Painter): readonly string[] {
  const { paint } = painter;
  const status = model.overlayOf(row.node);
  const { attempts, output } = model.historyOf(row.node);
  const state = status === null ? paint.dim('not reached yet') : stateText(row, status, model, painter);
  const lines = [
    `${paint.bold(plain(row.node))}  ${paint.dim(`${row.kind}${row.detail === '' ? '' : `: ${plain(row.detail)}`}`)}`,
    status === null || state === '' ? state : `${status.status}  ${state}`,
  ];
  const approval = model.approvals.find((approval) => approval.node === row.node);
  if (approval !== undefined) lines.push('', paint.bold('Approval'), ...wrappedLines(approval.question, columns));
  if (attempts.length > 0) lines.push('', paint.bold(count(attempts.length, 'attempt')));
  for (const { sequence, atMs, ok, durationMs, error } of attempts) {
    const took = durationMs === null ? '' : `  ${duration(durationMs)}`;
    lines.push(
      `${paint.dim(`${String(sequence).padStart(4)}  ${clock(atMs)}`)}  ${ok ? paint.green('✓') : paint.red('✗')}${took}`,
      ...(ok ? [] : wrappedLines(error, columns - 6).map((line) => `      ${paint.red(line)}`)),
    );
  }
  if (output !== undefined) lines.push('', paint.bold('Output'), ...jsonLines(output, columns));
  return [...lines, '', paint.bold('Definition'), ...jsonLines(row.definition, columns)];
}

function wrappedLines(text: string, columns: number): readonly string[] {
  return plain(text, { lines: true })
    .split('\n')
    .flatMap((line) => wrapWords(line, columns));
}

function jsonLines(value: Json, columns: number): readonly string[] {
  const lines = JSON.stringify(value, null, 2).split('\n');
  const shown = lines.slice(0, MAX_LINES).flatMap((line) => wrapCharacters(plain(line).slice(0, MAX_LINE), columns));
  return lines.length > MAX_LINES ? [...shown, `… ${lines.length - MAX_LINES} more lines`] : shown;
}
