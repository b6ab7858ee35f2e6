import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import { EXIT, Failure } from '../failure.ts';
import { plain } from '../terminal/text.ts';
import { fileProblem } from './arguments.ts';

/** Reads the bytes of a file, or of standard input (`-`). */
export async function readBytes(path: string, context: Pick<Context, 'cwd' | 'stdin'>): Promise<Uint8Array> {
  if (path === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(resolve(context.cwd, path));
  } catch (error) {
    throw new Failure(`${path}: ${fileProblem(error)}`, { exitCode: EXIT.usage, cause: error });
  }
}

export async function writeBytes(path: string, bytes: Uint8Array, context: Pick<Context, 'cwd'>): Promise<void> {
  try {
    await writeFile(resolve(context.cwd, path), bytes);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Failure(`${path}: ${isMissing ? 'the folder does not exist' : fileProblem(error)}`, { cause: error });
  }
}

/** Writes bytes unchanged to a pipe or file. A terminal gets only text, with control characters escaped. */
export function printBytes(bytes: Uint8Array, { stdout }: Pick<Context, 'stdout'>): void {
  if (stdout.isTTY !== true) {
    stdout.write(bytes);
    return;
  }
  const text = textOf(bytes);
  if (text === null)
    throw new Failure('binary data is not printed to a terminal', { hint: 'Write it to a file: add --file PATH.' });
  const shown = plain(text, { lines: true });
  stdout.write(shown.endsWith('\n') ? shown : `${shown}\n`);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\u0000') ? null : text;
  } catch {
    return null;
  }
}
