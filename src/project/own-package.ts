import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../store/package-files.ts';

let root: string | null = null;

/** The folder of this package. */
export function ownFolder(): string {
  root ??= packageFolder(fileURLToPath(packageFile('src'))) ?? '';
  return root;
}

/** Is it a file of this package that is no example of a project? */
export function isOwnFile(path: string): boolean {
  return ['bin', 'dist', 'machines', 'src', 'store'].some((folder) => path.startsWith(join(ownFolder(), folder) + sep));
}

/** The folder with the nearest `package.json`; null = there is none above the file. */
export function packageFolder(file: string): string | null {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) return null;
  }
}
