import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Jiti, TransformOptions } from 'jiti';
import { ModuleError, moduleError } from './module-error.ts';

/** The exports of a module. */
export type Module = Readonly<Record<string, unknown>>;

export interface LoaderOptions {
  /** Base of the paths in errors. */
  readonly cwd: string;
  /** Evaluate modules anew, also those that this process has loaded before. Packages are never loaded twice. */
  readonly fresh: boolean;
}

const PACKAGE = 'jamjet-runtime';
const JAVASCRIPT: ReadonlySet<string> = new Set(['.js', '.mjs', '.cjs']);
const JSON_IMPORT = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+\.json)['"]/g;

/**
 * Loads the modules of a user's project: JavaScript by Node, TypeScript by jiti, which removes the types, so that Node 20 runs it as later
 * versions do. All modules of one loader are one graph: a module that two of them import is one.
 */
export class ModuleLoader {
  readonly #options: LoaderOptions;
  readonly #files = new Set<string>();
  #jiti: Promise<Jiti> | null = null;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** The project's own files that have been loaded so far, those that failed included. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /** Also counts a file that is no module, such as a workflow in YAML, so that a change of it is noticed. */
  add(path: string): void {
    this.#files.add(path);
  }

  /** Loads a module by its absolute path. Rejects with `ModuleError`. */
  async load(path: string): Promise<Module> {
    this.#files.add(path);
    const { cwd } = this.#options;
    if (!existsSync(path)) throw new ModuleError('no such file', { file: path, line: null, column: null }, { cwd });
    try {
      return await this.#import(path);
    } catch (error) {
      throw moduleError(error, path, cwd);
    }
  }

  async #import(path: string): Promise<Module> {
    if (!this.#options.fresh && JAVASCRIPT.has(extname(path))) {
      try {
        return await import(pathToFileURL(path).href);
      } catch (error) {
        // A JavaScript module that imports one in TypeScript.
        if (error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION')
          return this.#transpile(path);
        // Node does not tell where a syntax error is.
        if (error instanceof SyntaxError) await this.#transpile(path);
        throw error;
      }
    }
    return this.#transpile(path);
  }

  async #transpile(path: string): Promise<Module> {
    this.#jiti ??= this.#create(path);
    const jiti = await this.#jiti;
    return jiti.import<Module>(path);
  }

  async #create(path: string): Promise<Jiti> {
    const { createJiti } = await import('jiti');
    // No cache on disk: it would be shared by all users of the machine.
    const options = { moduleCache: false, fsCache: false, tsconfigPaths: true } as const;
    const { transform } = createJiti(path, options);
    const { createFreshJiti } = await import('./fresh-jiti.ts');
    const create = this.#options.fresh ? createFreshJiti : createJiti;
    return create(path, {
      ...options,
      ...(isInstalled(path) ? {} : { virtualModules: await ownModules() }),
      transform: (asked) => {
        this.#note(asked);
        return { code: transform(asked) };
      },
    });
  }

  #note({ filename, source }: TransformOptions): void {
    if (filename === undefined) return;
    this.#files.add(filename);
    for (const [, name = ''] of source.matchAll(JSON_IMPORT)) this.#files.add(resolve(dirname(filename), name));
  }
}

/** The entries of this package that a workflow or a tool may import. */
async function ownModules(): Promise<Readonly<Record<string, Module>>> {
  const [library, client, worker, yaml] = await Promise.all([
    import('../index.ts'),
    import('../client/index.ts'),
    import('../library/worker.ts'),
    import('../library/yaml.ts'),
  ]);
  return {
    [PACKAGE]: library,
    [`${PACKAGE}/client`]: client,
    [`${PACKAGE}/worker`]: worker,
    [`${PACKAGE}/yaml`]: yaml,
  };
}

/** Does the project have a copy of this package? If not, its files get this one. */
function isInstalled(path: string): boolean {
  try {
    createRequire(path).resolve(PACKAGE);
    return true;
  } catch {
    return false;
  }
}
