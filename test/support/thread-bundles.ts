import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';

/** In `node_modules`, since native packages are not part of a bundle; one for each run, since several may run at once. */
const FOLDER = resolve('node_modules', '.cache', 'thread-bundles', String(process.pid));

/** Bundles the modules that run in threads, for `typescript-threads.mjs`. */
export async function setup(): Promise<() => void> {
  if (process.env.THREAD_BUNDLES !== undefined) return () => {};
  const entries = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(join('thread', 'worker.ts')))
    .map((path) => join('src', path));
  mkdirSync(FOLDER, { recursive: true });
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((path) => [path.replace(/\.ts$/, ''), path])),
    platform: 'node',
    external: [/^@resvg\/resvg-js$/, /^better-sqlite3$/, /^jiti(\/|$)/],
    plugins: [urlsOfSources],
    logLevel: 'warn',
  });
  await bundle.write({
    dir: FOLDER,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
    keepNames: true,
  });
  await bundle.close();
  process.env.THREAD_BUNDLES = FOLDER;
  return () => {
    delete process.env.THREAD_BUNDLES;
    rmSync(FOLDER, { recursive: true });
  };
}

/** Code that looks for files beside its module finds those of the sources. */
const urlsOfSources: Plugin = {
  name: 'urls-of-sources',
  transform: (code, id) =>
    basename(id) === 'package-files.ts' ? code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)) : null,
};
