import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Jiti, JitiOptions } from 'jiti';
import { packageFile } from '../../store/package-files.ts';
import { isOwnFile, packageFolder } from './own-package.ts';

/** What jiti's entry module gives to its core. */
interface CoreHooks {
  readonly onError: (error: unknown) => never;
  readonly nativeImport: (id: string) => Promise<unknown>;
  readonly createRequire: typeof createRequire;
}

type CreateCore = (id: string, options: JitiOptions, hooks: CoreHooks) => Jiti;

/**
 * Like `createJiti`, but it also evaluates the JavaScript modules of the project of `id` anew, which jiti leaves to Node, and Node keeps
 * once loaded. jiti falls back to its own evaluation when an import by Node fails; so such an import is made to fail. For that, it takes the
 * core of jiti, whose version is pinned.
 */
export function createFreshJiti(id: string, options: JitiOptions): Jiti {
  const require = createRequire(packageFile('src'));
  const core = require(join(dirname(require.resolve('jiti/package.json')), 'dist', 'jiti.cjs')) as CreateCore;
  const project = packageFolder(id);
  return core(id, options, {
    onError: (error) => {
      throw error;
    },
    nativeImport: (module) => (isOfProject(module, project) ? Promise.reject(new Error('evaluated by jiti')) : import(module)),
    createRequire,
  });
}

function isOfProject(module: string, project: string | null): boolean {
  const path = module.startsWith('file:') ? fileURLToPath(module) : module;
  if (!isAbsolute(path)) return false;
  return !/[\\/]node_modules[\\/]/.test(path) && !isOwnFile(path) && packageFolder(path) === project;
}
