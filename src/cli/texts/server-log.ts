import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { shortId } from '../../views/short-id.ts';
import { clock } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';

const LEVELS: Readonly<Record<number, readonly [string, keyof Paint]>> = {
  10: ['trace', 'dim'],
  20: ['debug', 'dim'],
  30: ['info', 'green'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
};
/** Shown elsewhere in the text, or by `jamjet inspect`. */
const LEFT_OUT = new Set(
  'level time pid hostname msg execution workflow node attempt error stack cause errors err status'.split(' '),
);
const INDENT = ' '.repeat(21);

/**
 * A line of the server's log, which is JSON, as people read it: time, level, what happened, where, and what went wrong; below it the stack.
 *
 * @example
 * // 22:15:38.771  warn   attempt failed  order charge attempt 0 272e5b52  card declined
 * //                      at charge (tools.mjs:3:9)
 */
export function serverLogText(line: string, paint: Paint): string {
  const entry = parsed(line);
  if (entry === null) return line;
  const { level, time, msg, execution, workflow, node, attempt, error, stack, err } = entry;
  const [name, style] = LEVELS[Number(level)] ?? [String(level), 'dim'];
  const where = [workflow, node, typeof attempt === 'number' ? `attempt ${attempt}` : undefined];
  const place = [...where, typeof execution === 'string' ? shortId(execution) : undefined].filter(
    (part) => typeof part === 'string',
  );
  const thrown = isObject(err) ? err : {};
  const more = Object.entries(entry).flatMap(([key, value]) => (isLeftOut(key, value) ? [] : [`${key}=${shown(value)}`]));
  const said = [
    textOf(msg),
    paint.dim(plain(place.join(' '))),
    textOf(error ?? thrown.message),
    paint.dim(plain(more.join(' '))),
  ].filter((text) => text !== '');
  const frames = typeof stack === 'string' ? stack.split('\n') : typeof thrown.stack === 'string' ? framesOf(thrown.stack) : [];
  const first = `${clock(Number(time))}  ${paint[style](name.padEnd(5))}  ${said.join('  ')}`;
  return [first, ...frames.map((frame) => paint.dim(`${INDENT}${plain(frame)}`)), ''].join('\n');
}

function parsed(line: string): JsonObject | null {
  try {
    const entry = JSON.parse(line) as Json;
    return isObject(entry) ? entry : null;
  } catch {
    return null;
  }
}

function framesOf(stack: string): readonly string[] {
  return stack.split('\n').flatMap((line) => (line.trimStart().startsWith('at ') ? [line.trim()] : []));
}

function isLeftOut(key: string, value: Json): boolean {
  return LEFT_OUT.has(key) || (key === 'tenant' && value === 'default');
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? plain(value) : '';
}

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
