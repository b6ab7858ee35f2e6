import type { Json } from '../../../machines/json.ts';
import type { Change } from '../../views/state-diff.ts';
import type { Paint } from '../terminal/paint.ts';
import { cut, inline, plain } from '../terminal/text.ts';

const COLUMNS = 60;
/** Of what two long values have in common, so much is shown before the difference. */
const COMMON = 20;

/** One line: what was added, taken away or changed, and where. */
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

/** Both values, cut to where they differ. */
function replaced(old: Json, value: Json): string {
  const texts = [old, value].map((each) => inline(each, Number.POSITIVE_INFINITY));
  const [before = [], after = []] = texts.map((text) => [...text]);
  const common = before.findIndex((character, index) => character !== after[index]);
  const from = (common === -1 ? before.length : common) - COMMON;
  const shown = (text: readonly string[]): string =>
    text.length <= COLUMNS || from < COMMON ? cut(text.join(''), COLUMNS) : cut(`…${text.slice(from).join('')}`, COLUMNS);
  return `${shown(before)} → ${shown(after)}`;
}
