import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Where the files are that code of this package reads and the threads that it starts: SQL, pages, pictures.

const PACKAGE = 'jamjet-runtime/package.json';
/** Folder of the shipped program, in which files have the paths that they have in the sources. */
const SHIPPED = 'dist/bundle/';
/** In a CommonJS bundle, `import.meta` may be empty. */
const HERE = import.meta.url ?? pathToFileURL(__filename).href;
/** This module where it was written or compiled. Elsewhere it is part of a bundle: the shipped program, or a user's. */
const [, extension] = /\/store\/package-files\.(js|ts)$/.exec(HERE) ?? [];

/** A file by its path in the sources. A bundle has those of the package that is installed. */
export function packageFile(path: string): URL {
  return extension === undefined ? new URL(`${SHIPPED}${path}`, installed()) : new URL(`../${path}`, HERE);
}

/** A module by its path without extension. */
export function packageModule(path: string): URL {
  return packageFile(`${path}.${extension ?? 'js'}`);
}

/** A file that the build makes, by its path in `dist`. */
export function builtFile(path: string): URL {
  if (extension === undefined) return new URL(`dist/${path}`, installed());
  return packageFile(extension === 'ts' ? `dist/${path}` : path);
}

/** A file of another package, by its path in `node_modules`. The build copies those that `scripts/bundle.mjs` names. */
export function dependencyFile(path: string): string {
  if (extension === 'ts') return createRequire(HERE).resolve(path);
  return fileURLToPath(packageFile(`dependencies/${path}`));
}

const SOURCES = ['machines/', 'src/', 'store/'];

/** The folders with code of this package alone, as stack traces name them with and without source maps. A bundle of a user has none. */
export function codeFolders(): readonly URL[] {
  if (extension !== undefined) return SOURCES.map(packageFile);
  try {
    const shipped = packageFile('');
    if (!HERE.startsWith(shipped.href)) return [];
    return [shipped, ...SOURCES.map((folder) => new URL(folder, installed()))];
  } catch {
    // The package is not installed beside the bundle.
    return [];
  }
}

function installed(): URL {
  try {
    return pathToFileURL(createRequire(HERE).resolve(PACKAGE));
  } catch (cause) {
    const bundle = fileURLToPath(HERE);
    throw new Error(
      `${bundle} does not find the package jamjet-runtime, from which a bundle reads migrations, pages and native code: run "npm install jamjet-runtime" in ${dirname(bundle)} or a folder above it`,
      { cause },
    );
  }
}
