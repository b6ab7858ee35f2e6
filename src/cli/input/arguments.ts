import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Json } from '../../../machines/json.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import { durationMs, timeMs } from '../../server/times.ts';
import type { Context, Input } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';

/** A JSON argument: JSON text, `@file`, or `-` for standard input. `option` names it in errors. */
export async function jsonArgument(option: string, text: string, context: Pick<Context, 'cwd' | 'stdin'>): Promise<Json> {
  if (text === '-') return parseJson(option, await readAll(context.stdin), 'standard input');
  if (text.startsWith('@')) {
    const path = text.slice(1);
    return parseJson(option, await readText(resolve(context.cwd, path), `${option} ${text}`), path);
  }
  return parseJson(option, text, null);
}

function parseJson(option: string, text: string, source: string | null): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const where = source === null ? '' : ` (${source})`;
    const hint =
      source === null
        ? `Quote it for the shell: ${option} '{"key": "value"}'. ${option} @file.json reads a file, ${option} - reads standard input.`
        : 'Check it with a JSON linter.';
    throw new Failure(`${option} is not JSON${where}: ${error instanceof Error ? error.message : String(error)}`, {
      hint,
      exitCode: 2,
      cause: error,
    });
  }
}

/** Reads a text file; `what` names it in errors. */
export async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure(`${what}: ${fileProblem(error)}`, { exitCode: 2, cause: error });
  }
}

export function fileProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'is a folder, not a file';
  return error instanceof Error ? error.message : String(error);
}

async function readAll(stream: Input): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array | string));
  return Buffer.concat(chunks).toString('utf8');
}

/** `90s`, `15m`, `12h`, `30d` or `4w`, in milliseconds. */
export function durationArgument(option: string, text: string): number {
  const ms = durationMs(text);
  if (ms === null) throw usageFailure(`${option} ${JSON.stringify(text)} is not a duration`, 'Write 90s, 15m, 12h, 30d or 4w.');
  return ms;
}

/** A duration before now (`90m`), a date (its start in local time), or a full time; in the format of the API. */
export function timeArgument(option: string, text: string, nowMs: number): string {
  const agoMs = durationMs(text);
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text);
  const ms = agoMs === null ? timeMs(isDate ? `${text}T00:00:00` : text) : nowMs - agoMs;
  if (ms === null)
    throw usageFailure(
      `${option} ${JSON.stringify(text)} is not a time`,
      'Write 90m or 2d (ago), 2026-03-12, or 2026-03-12T10:00:00Z.',
    );
  return new Date(ms).toISOString();
}

/** Comma-separated names. */
export function namesArgument(option: string, text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw usageFailure(`${option} ${JSON.stringify(text)} contains an empty name`);
  return names;
}

/** Places in the list that a node works on. */
export const ITEMS = { min: 0, max: 9_999 } as const;

/** An integer within inclusive bounds. */
export function integerArgument(option: string, text: string, bounds: { readonly min: number; readonly max: number }): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= bounds.min && value <= bounds.max)) {
    throw usageFailure(`${option} ${JSON.stringify(text)} is not a whole number from ${bounds.min} to ${bounds.max}`);
  }
  return value;
}

/** A decimal amount of money. */
export function amountArgument(option: string, text: string): number {
  const value = /^\d{1,12}(?:\.\d{1,9})?$/.test(text) ? Number(text) : null;
  if (value === null) throw usageFailure(`${option} ${JSON.stringify(text)} is not an amount such as 5 or 0.25`);
  return value;
}

/** An event sequence, from 1. */
export function sequenceArgument(option: string, text: string): number {
  return integerArgument(option, text, { min: 1, max: 999_999_999_999_999 });
}

/** One of a fixed set of words. */
export function choiceArgument<Choice extends string>(option: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    const hint = didYouMean(text, choices)?.replace('did', 'Did');
    throw usageFailure(`${option} ${JSON.stringify(text)} is not one of ${choices.join(', ')}`, hint);
  }
  return choice;
}
