import type { NodeVisit } from '../../../machines/history/node-visit.ts';
import type { Json } from '../../../machines/json.ts';
import type { LiveModel } from '../../views/live-model.ts';
import type { OutlineRow } from '../../views/outline.ts';
import { plain } from '../terminal/text.ts';
import { wrapCharacters, wrapWords } from '../terminal/wrap.ts';
import { visitLines } from '../texts/node.ts';
import { type Painter, stateText } from './row-text.ts';

/** Limits of the shown output; `jamjet inspect` prints all of it. */
const MAX_LINES = 2_000;
const MAX_LINE = 10_000;

/** The details of a node: its status, visits with their attempts, and definition. */
export function detailLines(row: OutlineRow, model: LiveModel, columns: number, painter: Painter): readonly string[] {
  const { paint } = painter;
  const status = model.overlayOf(row.node);
  const visits = model.visitsOf(row.node);
  const state = status === null ? paint.dim('not reached yet') : stateText(row, status, model, painter);
  const lines = [
    `${paint.bold(plain(row.node))}  ${paint.dim(`${row.kind}${row.detail === '' ? '' : `: ${plain(row.detail)}`}`)}`,
    status === null || state === '' ? state : `${status.status}  ${state}`,
  ];
  const approval = model.approvals.find((approval) => approval.node === row.node);
  if (approval !== undefined) lines.push('', paint.bold('Approval'), ...wrappedLines(approval.question, columns));
  // What is asked now is above.
  const isAsked = (visit: NodeVisit): boolean => approval !== undefined && visit === visits.at(-1);
  for (const visit of visits) lines.push('', ...visitLines(isAsked(visit) ? { ...visit, question: '' } : visit, columns, paint));
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
