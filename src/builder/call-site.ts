import { fileURLToPath } from 'node:url';
import type { Authored } from './definition.ts';

/** Where a function was called; the top of the current folder if the engine does not say. */
export function callSite(called: (...args: never) => unknown): Authored['at'] {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, called);
  const [, frame = ''] = (holder.stack ?? '').split('\n');
  const [, file = '', line = '1', column = '1'] = /\(?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*):(\d+):(\d+)\)?$/.exec(frame) ?? [];
  return { file: pathOf(file), line: Number(line), column: Number(column) };
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file.replace(/\?.*$/, '')) : file.replace(/\?.*$/, '');
}
