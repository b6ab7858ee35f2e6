import { execFileSync } from 'node:child_process';

/** Builds `dist/` if it is older than the sources, because system tests run the shipped program. */
export function setup(): void {
  execFileSync(process.execPath, ['scripts/prepare.mjs'], { stdio: 'inherit' });
}
