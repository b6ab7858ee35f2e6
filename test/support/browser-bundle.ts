import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';

export interface BrowserBundle {
  /** Modules that a browser does not have. */
  readonly builtins: readonly string[];
  readonly modules: readonly string[];
  readonly code: string;
  /** Bytes of the code as servers send it. */
  readonly gzipBytes: number;
}

/** Bundles a module for browsers, in memory. */
export async function browserBundle(entry: string): Promise<BrowserBundle> {
  const builtins: string[] = [];
  const refuse: Plugin = {
    name: 'builtins',
    enforce: 'pre',
    resolveId(source, importer) {
      if (!isBuiltin(source)) return null;
      builtins.push(`${source} in ${importer}`);
      return { id: source, external: true };
    },
  };
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [refuse],
    build: { write: false, target: 'es2023', lib: { entry: resolve(entry), formats: ['es'] }, minify: true },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (output === undefined || !('output' in output)) throw new Error('no bundle');
  const chunks = output.output.filter((each) => each.type === 'chunk');
  const code = chunks.map((each) => each.code).join('\n');
  return { builtins, modules: chunks.flatMap(({ moduleIds }) => moduleIds), code, gzipBytes: gzipSync(code).length };
}
