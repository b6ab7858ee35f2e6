import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { describe, expect, it } from 'vitest';

interface Bundle {
  /** Modules that a browser does not have. */
  readonly builtins: readonly string[];
  readonly modules: readonly string[];
  readonly code: string;
}

/** Bundles a module for browsers, in memory. */
async function bundled(entry: string): Promise<Bundle> {
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
  return {
    builtins,
    modules: chunks.flatMap(({ moduleIds }) => moduleIds),
    code: chunks.map(({ code }) => code).join('\n'),
  };
}

describe('the client in a browser', () => {
  it('has no module and no global of Node', async () => {
    const { builtins, code } = await bundled('src/client/index.ts');
    expect(builtins).toEqual([]);
    expect(code).toContain('text/event-stream');
    expect(code).not.toMatch(/\bprocess\.|\bBuffer\b|\brequire\(|\bsetImmediate\b/);
    expect(gzipSync(code).length).toBeLessThan(12 * 1024);
  });
});
