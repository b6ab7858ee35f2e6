import { stripVTControlCharacters } from 'node:util';
import { eastAsianWidth } from 'get-east-asian-width';
import type { Json } from '../../../machines/json.ts';

/**
 * Escapes control characters in untrusted text, so that the error of a tool or the description of an approval cannot control the terminal.
 * With `lines`, newlines are kept.
 */
export function plain(text: string, options: { readonly lines?: boolean } = {}): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes control characters
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === '\n') return options.lines === true ? '\n' : ' ';
    if (character === '\t') return '  ';
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `1 step`, `2 steps`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

/** Quotes a word for the shell if necessary. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Characters without a column of their own: combining marks, joiners and other invisible characters. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]/u;

/** Width of painted text in columns. */
export function width(text: string): number {
  return [...stripVTControlCharacters(text)].reduce((columns, character) => columns + widthOf(character), 0);
}

function widthOf(character: string): number {
  if (character <= '~') return 1;
  // string-width also joins emoji sequences, but importing it takes a third of the time in which a command starts.
  return ZERO_WIDTH.test(character) ? 0 : eastAsianWidth(character.codePointAt(0) ?? 0);
}

/** Cuts plain text to `columns`, ending in an ellipsis. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Cuts painted text to `columns`, ending in an ellipsis, and resets the paint. */
export function cutPainted(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: matches escape sequences
  for (const [piece] of text.matchAll(/\u001b\[[\d;]*m|./gsu)) {
    if (!piece.startsWith('\u001b')) left -= widthOf(piece);
    if (left < 0) break;
    kept += piece;
  }
  return `${kept}…${kept.includes('\u001b') ? '\u001b[0m' : ''}`;
}

export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)));
}

/** A value on one line: strings without quotes, everything else as JSON. */
export function inline(value: Json | undefined, columns = 100): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return cut(plain(text), columns);
}
