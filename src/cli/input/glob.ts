import { readdir } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { usageFailure } from '../failure.ts';
import { fileProblem } from './arguments.ts';

const WILDCARD = /[*?]/;

/** Expands quoted patterns (`*`, `?`, and `**` for folders), which the shell passes on as they are. Other words stay. */
export async function expandGlobs(words: readonly string[], cwd: string): Promise<readonly string[]> {
  const files = await Promise.all(words.map((word) => (WILDCARD.test(word) ? expandGlob(word, cwd) : [word])));
  return [...new Set(files.flat())];
}

async function expandGlob(pattern: string, cwd: string): Promise<readonly string[]> {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => WILDCARD.test(part));
  const folder = parts.slice(0, first).join('/');
  const recursive = parts.length - first > 1;
  const expression = new RegExp(`^${parts.slice(first).map(segmentPattern).join('/').replaceAll('<any>/', '(?:[^/]+/)*')}$`);
  const root = pattern.startsWith('/') ? folder || '/' : resolve(cwd, folder);
  const names = await readdir(root, { recursive }).catch((error: unknown) => {
    throw usageFailure(`${pattern}: ${fileProblem(error)}`);
  });
  const matches = names
    .map((name) => name.split(sep).join('/'))
    .filter((name) => expression.test(name) && !name.split('/').includes('node_modules'))
    .sort();
  if (matches.length === 0) throw usageFailure(`${pattern}: no file matches`);
  return matches.map((name) => (folder === '' && !pattern.startsWith('/') ? name : join(folder || '/', name)));
}

function segmentPattern(part: string): string {
  if (part === '**') return '<any>';
  return part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}
