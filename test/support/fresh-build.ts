import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Builds `dist/` if it is older than the sources, because system tests run the shipped program. */
export function setup(): void {
  const built = statSync('dist/src/cli/main.js', { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['tsconfig.build.json', ...['machines', 'store', 'src'].flatMap(filesUnder)];
  if (sources.some((file) => statSync(file).mtimeMs > built))
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
