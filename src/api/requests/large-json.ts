import type { Cooperative } from '../../../machines/cooperative.ts';
import type { Json } from '../../../machines/json.ts';
import { charsUpTo, noteChars } from '../../../machines/json-size.ts';
import { MAX_KEYS } from '../../../machines/limits.ts';
import { noteWellFormed } from '../../../machines/unicode.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { assertAllowed, decodeBody, forbiddenKey } from './body-checks.ts';

/** What is parsed at once, if there is a comma: many small values of this length take milliseconds. */
const PIECE_BYTES = 32_768;

const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];
/** From an opening bracket or brace to its counterpart. */
const TO_CLOSING = 2;

/** A list or object whose end has not been reached. */
interface Level {
  readonly isObject: boolean;
  /** Where its key stands, if it has one. */
  readonly keyAt: readonly [from: number, to: number];
  /** Its part that has been parsed; null = all of it lies in the current piece. */
  value: Json[] | Record<string, Json> | null;
  key: string | null;
  keys: number;
  /** As `charsUpTo` counts them, without those of the level in it. */
  chars: number;
}

/**
 * The value of a JSON text of balanced brackets, parsed in pieces between commas; undefined if it is blank. Each piece is closed by the brackets that
 * are open at its end, so that `JSON.parse` decides what is valid. Throws `SyntaxError`, and `bad_request` for what `assertAllowed` refuses and for
 * too many keys.
 */
export function* parseInPieces(bytes: Uint8Array, hugeNumbers: boolean): Cooperative<Json | undefined> {
  const root: Json[] = [];
  const open: Level[] = [{ isObject: false, keyAt: [0, 0], value: root, key: null, keys: 0, chars: 0 }];
  /** The level in which the piece lies, where it begins, and what it follows. */
  let [base, from, follows] = [0, 0, 'nothing' as 'nothing' | 'comma' | 'value'];
  let keyAt: [number, number] = [0, 0];

  const takePiece = (to: number, endsInComma: boolean): void => {
    const level = open[base] as Level;
    const text = decodeBody(bytes, from, to);
    const last = text.trimEnd().at(-1);
    const isBlank = last === undefined;
    const isExpected = follows === 'value' ? isBlank : !isBlank || !(endsInComma || follows === 'comma');
    if (!isExpected || (endsInComma && (last === '[' || last === '{')))
      throw new SyntaxError(`unexpected token near byte ${from}`);
    const inner = open.slice(base + 1).reverse();
    const closing = inner.map(({ isObject }) => (isObject ? '}' : ']')).join('');
    const value = JSON.parse(level.isObject ? `{${text}${closing}}` : `[${text}${closing}]`) as Json[] | Record<string, Json>;
    append(level, value);
    assertAllowed(text, value, hugeNumbers, root[0]);
    for (let i = base + 1; i < open.length; i += 1)
      continueWith(open[i] as Level, open[i - 1]?.value as NonNullable<Level['value']>);
    countChars(level, value, inner);
  };
  const continueWith = (level: Level, parent: NonNullable<Level['value']>): void => {
    if (!Array.isArray(parent)) level.key = JSON.parse(decodeBody(bytes, ...level.keyAt)) as string;
    level.value = (Array.isArray(parent) ? parent.at(-1) : parent[level.key ?? '']) as Level['value'];
    level.keys = Array.isArray(level.value) ? 0 : Object.keys(level.value ?? {}).length;
  };

  let stringFrom = -1;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] as number;
    if (stringFrom >= 0) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) {
        keyAt = [stringFrom, i + 1];
        stringFrom = -1;
      }
    } else if (byte === QUOTE) stringFrom = i;
    else if (byte === LIST || byte === OBJECT)
      open.push({ isObject: byte === OBJECT, keyAt, value: null, key: null, keys: 0, chars: 0 });
    else if (byte === LIST + TO_CLOSING || byte === OBJECT + TO_CLOSING) {
      if (open.length - 1 === base) {
        takePiece(i, false);
        const { isObject } = open[base] as Level;
        if (base === 0 || isObject !== (byte === OBJECT + TO_CLOSING)) throw new SyntaxError(`unexpected token at byte ${i}`);
        complete(open[base] as Level, open[base - 1] as Level);
        [base, from, follows] = [base - 1, i + 1, 'value'];
      }
      open.pop();
    } else if (byte === COMMA && (i - from >= PIECE_BYTES || follows === 'value')) {
      takePiece(i, true);
      [base, from, follows] = [open.length - 1, i + 1, 'comma'];
      yield;
    }
  }
  if (open.length > 1 || stringFrom >= 0) throw new SyntaxError('unexpected end');
  takePiece(bytes.length, false);
  if (root.length > 1) throw new SyntaxError('unexpected token after the end');
  return root[0];
}

/** `inner`: the levels that are open at the end of the piece, from the innermost. */
function countChars(level: Level, piece: Json, inner: readonly Level[]): void {
  let within = 0;
  for (const open of inner) {
    const chars = charsUpTo(open.value, Number.POSITIVE_INFINITY);
    open.chars = chars - within;
    within = chars;
  }
  // The brackets were counted with what the level began with.
  level.chars += charsUpTo(piece, Number.POSITIVE_INFINITY) - 2 - within;
}

function complete({ value, chars }: Level, parent: Level): void {
  parent.chars += chars;
  if (value === null) return;
  noteChars(value, chars);
  noteWellFormed(value);
}

function append(level: Level, piece: Json[] | Record<string, Json>): void {
  const { value } = level;
  if (Array.isArray(value)) {
    for (const item of piece as Json[]) value.push(item);
    return;
  }
  const object = value as Record<string, Json>;
  if (level.key === 'constructor' && Object.hasOwn(piece, 'prototype')) throw forbiddenKey('constructor.prototype');
  for (const [key, item] of Object.entries(piece)) {
    if (key === '__proto__') throw forbiddenKey(key);
    if (!Object.hasOwn(object, key)) level.keys += 1;
    // The count has the value that is replaced.
    else level.chars = Number.NaN;
    if (level.keys > MAX_KEYS) throw new RuntimeError('bad_request', `an object of the body has more than ${MAX_KEYS} keys`);
    object[key] = item;
  }
}
