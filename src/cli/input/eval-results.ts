import { resolve } from 'node:path';
import type { EvalResult } from '../../evaluation/run.ts';
import type { Context } from '../context.ts';
import { EXIT, Failure } from '../failure.ts';
import { readText } from './arguments.ts';

/** Reads a JSON file. */
export async function readJsonFile(file: string, { cwd }: Pick<Context, 'cwd'>): Promise<unknown> {
  const text = await readText(resolve(cwd, file), file);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Failure(`${file} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
      exitCode: EXIT.usage,
      cause,
    });
  }
}

/** Reads a file that `jamjet eval run --output` has written. */
export async function readResultsFile(file: string, context: Pick<Context, 'cwd'>): Promise<readonly EvalResult[]> {
  const document = await readJsonFile(file, context);
  const { readResults } = await import('../../evaluation/run.ts');
  try {
    return readResults(document);
  } catch (cause) {
    throw new Failure(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      exitCode: EXIT.usage,
      hint: '`jamjet eval run … --output FILE` writes results.',
      cause,
    });
  }
}
