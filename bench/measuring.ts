import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from './figures.ts';
import { SECTIONS, type SectionName } from './sections/index.ts';

/**
 * Measures a section in a new process with a new heap and the flags of this one, by the build of the bench in `dist`, in a folder of its own that is
 * removed afterwards.
 */
export async function measure(dist: string, name: SectionName, folder: string): Promise<readonly Table[]> {
  const home = mkdtempSync(join(folder, `${name}-`));
  try {
    return await measured(join(dist, 'bench', 'measure.js'), name, home);
  } finally {
    rmSync(home, { recursive: true });
  }
}

function measured(script: string, name: SectionName, home: string): Promise<readonly Table[]> {
  return new Promise((resolve, reject) => {
    const flags = [...process.execArgv, '--expose-gc', ...(SECTIONS[name].flags ?? [])];
    const child = fork(script, [name, home], { execArgv: flags });
    let result: readonly Table[] | undefined;
    child.on('message', (message) => {
      result = message as readonly Table[];
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`${name} could not be measured (exit ${code})`));
    });
  });
}
