import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// Where the files are that code of this package reads and the threads that it starts: SQL, pages, pictures.

const PACKAGE = 'jamjet-runtime/package.json';
/** This module where it was written or built. Elsewhere it is part of a bundle, which has none of those files. */
const [, extension] = /\/store\/package-files\.(js|ts)$/.exec(import.meta.url) ?? [];

/** A file by its path in the sources. A bundle has those of the package that is installed beside it. */
export function packageFile(path: string): URL {
  return extension === undefined ? new URL(`dist/${path}`, installed()) : new URL(`../${path}`, import.meta.url);
}

/** A module by its path without extension. */
export function packageModule(path: string): URL {
  return packageFile(`${path}.${extension ?? 'js'}`);
}

/** A file that the build makes, by its path in `dist`. */
export function builtFile(path: string): URL {
  return packageFile(extension === 'ts' ? `dist/${path}` : path);
}

/** The path of a file of another package, on which this one depends. */
export function dependencyFile(specifier: string): string {
  return createRequire(extension === undefined ? installed() : import.meta.url).resolve(specifier);
}

function installed(): URL {
  return pathToFileURL(createRequire(import.meta.url).resolve(PACKAGE));
}
