import type { Change } from './state-diff.ts';
import type { Paint } from './terminal/paint.ts';
import { inline, plain } from './terminal/text.ts';

const COLUMNS = 60;

/** One line: what was added, taken away or changed, and where. */
export function changeText(change: Change, paint: Paint): string {
  const path = plain(change.path === '' ? '/' : change.path);
  switch (change.op) {
    case 'add':
      return paint.green(`+ ${path}  ${inline(change.value, COLUMNS)}`);
    case 'remove':
      return paint.red(`- ${path}  ${inline(change.old, COLUMNS)}`);
    case 'replace':
      return `${paint.yellow(`~ ${path}`)}  ${inline(change.old, COLUMNS)} → ${inline(change.value, COLUMNS)}`;
    default: {
      const unhandled: never = change;
      throw new TypeError(`unhandled ${JSON.stringify(unhandled)}`);
    }
  }
}
