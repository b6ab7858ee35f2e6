// npm runs this after `npm ci`, `npm link` and a local `npm install`, and before `npm pack`: builds dist/ unless it is newer than all that
// it is made of. Without the compiler (`npm ci --omit=dev`) there is nothing to do.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = [
  'machines',
  'store',
  'src',
  'bench',
  'console',
  'scripts/bundle.mjs',
  'package-lock.json',
  'tsconfig.build.json',
  'tsconfig.json',
];

/** Milliseconds since the epoch of the newest file in a folder, the folders in it included: a removed file counts too. */
function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  const below = readdirSync(path, { recursive: true }).map((name) => statSync(join(path, name)).mtimeMs);
  return Math.max(mtimeMs, ...below);
}

const built = statSync(join(ROOT, 'dist/bundle/THIRD-PARTY.txt'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isStale = SOURCES.some((name) => newest(join(ROOT, name)) > built);
if (isStale && existsSync(join(ROOT, 'node_modules/typescript-native')))
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'inherit' });
