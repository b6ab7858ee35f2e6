import { readFile } from 'node:fs/promises';
import { BadScript, type ModelScript, readScript } from '../executors/model/script.ts';
import { ConfigError } from './config.ts';

/** Reads a file with the answers of a scripted model (YAML or JSON). Throws `ConfigError`. */
export async function readModelScript(path: string): Promise<ModelScript> {
  try {
    const { parse } = await import('yaml');
    return readScript(parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof BadScript) throw new ConfigError([`${path}: the script ${error.message}`]);
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError([`cannot read the script ${path}: ${code ?? String(message).split('\n')[0]}`]);
  }
}
