import type { Json } from '../../../machines/json.ts';
import type { Change } from '../../views/state-diff.ts';
import type { Paint } from '../terminal/paint.ts';
import { cut, inline, plain } from '../terminal/text.ts';

const COLUMNS = 60;
/** Characters of the common prefix shown before the first difference. */
const COMMON = 20;

/** A change as one line: operation, path and values. */
export function changeText(change: Change, paint: Paint): string {
  const path = plain(change.path === '' ? '/' : change.path);
  switch (change.op) {
    case 'add':
      return paint.green(`+ ${path}  ${inline(change.value, COLUMNS)}`);
    case 'remove':
      return paint.red(`- ${path}  ${inline(change.old, COLUMNS)}`);
    case 'replace':
      return `${paint.yellow(`~ ${path}`)}  ${replaced(change.old, change.value)}`;
    default: {
      const unhandled: never = change;
      throw new TypeError(`unhandled ${JSON.stringify(unhandled)}`);
    }
  }
}

/** The old and new value, cut to the part around their first difference. */
function replaced(old: Json, value: Json): string {
  const texts = [old, value].map((each) => inline(each, Number.POSITIVE_INFINITY));
  const [before = [], after = []] = texts.map((text) => [...text]);
  const common = before.findIndex((character, index) => character !== after[index]);
  const from = (common === -1 ? before.length : common) - COMMON;
  const shown = (text: readonly string[]): string =>
    text.length <= COLUMNS || from < COMMON ? cut(text.join(''), COLUMNS) : cut(`…${text.slice(from).join('')}`, COLUMNS);
  return `${shown(before)} → ${shown(after)}`;
}
