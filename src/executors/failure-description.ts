import { basename, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, types } from 'node:util';
import { fitted } from '../../machines/shortened.ts';
import { toStorableText } from '../../machines/unicode.ts';
import { codeFolders } from '../../store/package-files.ts';

/** Frames of the stack of a thrown value; of its causes, fewer. */
const MAX_FRAMES = 20;
const MAX_INNER_FRAMES = 5;
const MAX_FRAME = 300;
const MAX_MESSAGE = 2_000;
const MAX_INNER_MESSAGE = 1_000;
const MAX_NAME = 100;
/** Of a chain of causes, and of the errors of an `AggregateError`. */
const MAX_DEPTH = 5;
const MAX_ERRORS = 10;
/** Characters of all texts of a description together. */
const MAX_CHARS = 16_000;

/** An error behind another one, as JSON. */
export interface DescribedError {
  /** Absent for values that are no errors. */
  readonly name?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
  readonly errors?: readonly DescribedError[];
}

/** What is logged of a failure besides its text, under these names in `node_failed`. */
export interface FailureDetails {
  /** `TypeError`; absent for values that are no errors. */
  readonly error_name?: string;
  /** One frame per line, the innermost first: `at charge (tools/pay.ts:12:9)`. At most 20. */
  readonly stack?: string;
  readonly cause?: DescribedError;
  /** Those of an `AggregateError`; the first 10. */
  readonly errors?: readonly DescribedError[];
}

export interface FailureDescription extends FailureDetails {
  /** What went wrong: the message, and that of the cause if it says more. */
  readonly error: string;
}

/**
 * Describes a thrown value of any kind for the log. Paths are relative to the folder of the process; of other files only the name is given,
 * of packages the path from `node_modules` on. Never throws; at most about 16,000 characters.
 *
 * @example
 * describeFailure(new TypeError('no amount', { cause: { code: 42 } }));
 * // { error: 'no amount', error_name: 'TypeError', stack: 'at charge (tools.ts:3:9)', cause: { message: '{code: 42}' } }
 * describeFailure({ code: 42 }); // { error: '{code: 42}' }
 */
export function describeFailure(thrown: unknown): FailureDescription {
  return { error: failureText(thrown), ...detailsOf(thrown) };
}

/** The text of a thrown value, with what its cause or the errors of an `AggregateError` add. */
export function failureText(thrown: unknown): string {
  const said = messageOf(thrown);
  const behind = said === '' || isWrapper(thrown) ? messagesBehind(thrown) : [];
  const added = behind.filter((text) => text !== '' && !said.includes(text)).join('; ');
  const text = [said, added].filter((part) => part !== '').join(': ');
  return fitted(text === '' ? shown(thrown) : text, MAX_MESSAGE);
}

export function detailsOf(thrown: unknown): FailureDetails {
  const budget = { left: MAX_CHARS };
  const seen = new Set<unknown>([thrown]);
  const name = nameOf(thrown);
  const frames = framesOf(thrown);
  return {
    ...(name === '' ? {} : { error_name: take(name, MAX_NAME, budget) }),
    ...stackIn(frames, MAX_FRAMES, budget),
    ...behindIn(thrown, frames, 0, seen, budget),
  };
}

/** Does the text say little without that of what is behind it? `fetch` and drivers wrap the errors that tell why. */
function isWrapper(thrown: unknown): boolean {
  return property(thrown, 'cause') !== undefined || Array.isArray(property(thrown, 'errors'));
}

/** Errors of the system that are tried one after the other (`AggregateError` with a code) say the same: the first one tells. */
function messagesBehind(thrown: unknown): string[] {
  const cause = property(thrown, 'cause');
  const own = errorsOf(thrown);
  const errors = own.length > 0 ? own : errorsOf(cause);
  if (errors.length === 0) return [messageOf(cause)];
  const isOfSystem = typeof (property(thrown, 'code') ?? property(cause, 'code')) === 'string';
  const texts = (isOfSystem ? errors.slice(0, 1) : errors).map((error) => messageOf(error) || shown(error));
  return [...new Set(texts)];
}

interface Budget {
  left: number;
}

function behindIn(
  thrown: unknown,
  outer: readonly string[],
  depth: number,
  seen: Set<unknown>,
  budget: Budget,
): Pick<DescribedError, 'cause' | 'errors'> {
  if (depth >= MAX_DEPTH) return {};
  const describe = (value: unknown): DescribedError | null => {
    if (budget.left <= 0 || (typeof value === 'object' && value !== null && seen.has(value))) return null;
    seen.add(value);
    const name = nameOf(value);
    const frames = framesOf(value);
    return {
      ...(name === '' ? {} : { name: take(name, MAX_NAME, budget) }),
      message: take(messageOf(value) || (name === '' ? shown(value) : ''), MAX_INNER_MESSAGE, budget),
      ...stackIn(withoutCommon(frames, outer), MAX_INNER_FRAMES, budget),
      ...behindIn(value, frames, depth + 1, seen, budget),
    };
  };
  const cause = property(thrown, 'cause');
  const described = cause === undefined || cause === null ? null : describe(cause);
  const errors = errorsOf(thrown)
    .map(describe)
    .filter((error) => error !== null);
  return { ...(described === null ? {} : { cause: described }), ...(errors.length === 0 ? {} : { errors }) };
}

function stackIn(frames: readonly string[], most: number, budget: Budget): { readonly stack?: string } {
  const shown: string[] = [];
  for (const frame of frames.slice(0, most)) if (budget.left > 0) shown.push(take(frame, MAX_FRAME, budget));
  return shown.length === 0 ? {} : { stack: shown.join('\n') };
}

/** The frames that an error does not share with the one it caused; at least the first. */
function withoutCommon(frames: readonly string[], outer: readonly string[]): readonly string[] {
  let common = 0;
  while (common < frames.length - 1 && common < outer.length && frames.at(-1 - common) === outer.at(-1 - common)) common += 1;
  return frames.slice(0, frames.length - common);
}

/** The frames of an error's stack, as they may be shown: without those of the runtime and of Node.js that called the function. */
function framesOf(thrown: unknown): readonly string[] {
  const stack = property(thrown, 'stack');
  if (typeof stack !== 'string') return [];
  const lines = stack.split('\n').slice(0, 500);
  // The first lines repeat the message, which may have any lines.
  const header = `${nameOf(thrown)}: ${messageOf(thrown)}`.split('\n').length;
  const start = stack.startsWith(`${nameOf(thrown)}: ${messageOf(thrown)}`) ? header : 0;
  const frames = lines.slice(start).flatMap((line) => frameOf(line) ?? []);
  const last = frames.findLastIndex(({ isInternal }) => !isInternal);
  return (last === -1 ? frames : frames.slice(0, last + 1)).map(({ text }) => text);
}

/** Where code of the user has called code of this package: `at charge (tools/pay.ts:12:9)`; null = the stack does not say. */
export function callerOf({ stack = '' }: Error): string | null {
  const frames = stack.split('\n').flatMap((line) => frameOf(line) ?? []);
  return frames.find(({ isInternal }) => !isInternal)?.text ?? null;
}

/** The folders with the code of this package, once they are known. */
let ownFolders: readonly string[] | null = null;

function isOwnCode(path: string): boolean {
  ownFolders ??= codeFolders().map((folder) => fileURLToPath(folder));
  return ownFolders.some((folder) => path.startsWith(folder));
}

function frameOf(line: string): { readonly text: string; readonly isInternal: boolean } | null {
  const found = /^\s+at (.+)$/.exec(line)?.[1];
  if (found === undefined) return null;
  const text = found.trim();
  if (/\(eval at /.test(text)) return { text: `at ${text.slice(0, text.indexOf('('))}(eval)`, isInternal: false };
  const parenthesised = /^(.*) \((.*)\)$/.exec(text);
  const prefix = /^async /.exec(text)?.[0] ?? '';
  const location = parenthesised?.[2] ?? text.slice(prefix.length);
  const isInternal = location.startsWith('node:') || isOwnCode(pathOf(location));
  const place = placeOf(location);
  return { text: parenthesised === null ? `at ${prefix}${place}` : `at ${parenthesised[1]} (${place})`, isInternal };
}

/** `/home/ada/shop/tools/pay.ts:12:9` → `tools/pay.ts:12:9`. */
function placeOf(location: string): string {
  if (location.startsWith('data:')) return 'data:…';
  const path = pathOf(location);
  if (!/^(?:\/|[A-Za-z]:\\)/.test(path)) return path;
  const installed = path.lastIndexOf(`${sep}node_modules${sep}`);
  if (installed !== -1) return path.slice(installed + 1);
  const inProject = relative(process.cwd(), path);
  return inProject.startsWith('..') || /^[A-Za-z]:/.test(inProject) ? `…/${basename(path)}` : inProject;
}

/** The path of a location, with line and column, without the query by which modules are loaded again. */
function pathOf(location: string): string {
  const [, place = location, position = ''] = /^(.*?)((?::\d+){0,2})$/.exec(location) ?? [];
  const file = place.replace(/\?.*$/, '');
  if (!file.startsWith('file://')) return `${file}${position}`;
  try {
    return `${fileURLToPath(file)}${position}`;
  } catch {
    return `${basename(file)}${position}`;
  }
}

function errorsOf(thrown: unknown): readonly unknown[] {
  const errors = property(thrown, 'errors');
  return Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : [];
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return toStorableText(thrown);
  const message = property(thrown, 'message');
  return typeof message === 'string' ? toStorableText(message) : '';
}

function isError(thrown: unknown): boolean {
  try {
    return types.isNativeError(thrown) || thrown instanceof Error;
  } catch {
    return false;
  }
}

/** '' for values that are no errors. */
function nameOf(thrown: unknown): string {
  if (!isError(thrown)) return '';
  const name = property(thrown, 'name');
  return typeof name === 'string' && name !== '' ? toStorableText(name) : 'Error';
}

/** A value without a message, as JavaScript writes it: `{code: 42}`. */
function shown(thrown: unknown): string {
  if (nameOf(thrown) !== '') return nameOf(thrown);
  if (typeof thrown !== 'object' || thrown === null) return `${String(thrown) || 'an empty text'} was thrown`;
  const text = toStorableText(inspected(thrown));
  return text.replace(/^(.*?)\{ (.*) \}$/, '$1{$2}');
}

function inspected(value: object): string {
  try {
    const limits = { depth: 3, maxArrayLength: 20, maxStringLength: 500 };
    return inspect(value, { ...limits, customInspect: false, breakLength: Number.POSITIVE_INFINITY, compact: true });
  } catch {
    return 'an object that cannot be shown was thrown';
  }
}

function take(text: string, most: number, budget: Budget): string {
  const taken = fitted(text, Math.min(most, budget.left));
  budget.left -= taken.length;
  return toStorableText(taken);
}

/** Reads a property of any value; a getter that throws counts as absent. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
