import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * Builds another state of the project in `folder` with this project's bench, so that both are measured by the same code; returns its `dist`.
 * `base` is a folder (with its changes that are not committed) or a Git revision. A part of the bench that does not fit the other state's
 * modules does not load there; its sections are left out of the comparison.
 */
export function checkOut(base: string, project: string, folder: string): string {
  mkdirSync(folder);
  const from = existsSync(base) && statSync(base).isDirectory() ? resolve(base) : null;
  if (from === null) extract(base, project, folder);
  else copySources(from, folder);
  linkModules(from ?? project, project, folder);
  rmSync(join(folder, 'bench'), { recursive: true, force: true });
  cpSync(join(project, 'bench'), join(folder, 'bench'), { recursive: true });
  // Type errors of the bench against the other state's modules do not prevent the output.
  const compiler = join(project, 'node_modules', 'typescript-native', 'bin', 'tsc');
  spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: folder, stdio: 'ignore' });
  // Before there was a bundle, this script wrote what the program reads.
  const script = ['bundle.mjs', 'copy-assets.mjs'].find((name) => existsSync(join(folder, 'scripts', name))) ?? '';
  execFileSync(process.execPath, [join('scripts', script)], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const dist = join(folder, 'dist');
  if (!existsSync(join(dist, 'bench', 'measure.js'))) throw new Error(`${base} does not compile`);
  return dist;
}

function extract(revision: string, project: string, folder: string): void {
  const archive = execFileSync('git', ['archive', revision], { cwd: project, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['-x'], { cwd: folder, input: archive });
}

function copySources(from: string, folder: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: from,
    encoding: 'utf8',
  });
  for (const file of listed.split('\0')) {
    if (file === '' || !existsSync(join(from, file))) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(from, file), join(folder, file));
  }
}

/** Links modules that are installed in the same versions; else installs them. The project's own scripts do not run: they would build it. */
function linkModules(from: string, project: string, folder: string): void {
  const wanted = lockedVersions(folder);
  const installed = [from, project].find((root) => existsSync(join(root, 'node_modules')) && lockedVersions(root) === wanted);
  if (installed === undefined) {
    npm(folder, 'ci', '--ignore-scripts', '--no-audit', '--no-fund');
    npm(folder, 'rebuild', 'better-sqlite3');
  } else symlinkSync(join(installed, 'node_modules'), join(folder, 'node_modules'));
}

/** The version of each package, whether or not it is one of development. */
function lockedVersions(root: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  return JSON.stringify(Object.entries(packages).flatMap(([path, { version }]) => (path === '' ? [] : [[path, version]])));
}

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

function npm(folder: string, ...args: readonly string[]): void {
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}
