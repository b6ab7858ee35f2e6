import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, runnerImport } from 'vite';

/** The server whose API `npm run dev` shows. */
const SERVER = 'http://127.0.0.1:7700';

// Tests build it too, and set another environment, which would give the development build of React.
process.env.NODE_ENV = 'production';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative URLs work behind the path prefix of a proxy. Pages are in the fragment, so that they share no path with the API.
  base: './',
  plugins: [schemasAsJson(), react(), compressed()],
  server: { proxy: { '^/(?!src/|node_modules/|@|$|index\\.html)': SERVER } },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    assetsDir: 'console',
    // The content security policy admits no data: scripts, fonts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    reportCompressedSize: false,
  },
});

/** Evaluates the schemas of the API: pages hold those that they use as JSON, without TypeBox. */
function schemasAsJson(): Plugin {
  return {
    name: 'schemas-as-json',
    enforce: 'pre',
    load: {
      filter: { id: /\/src\/api\/(?:operations|schemas)\// },
      async handler(id) {
        const { module } = await runnerImport<Readonly<Record<string, unknown>>>(id);
        const schemas = Object.entries(module).filter(([, value]) => typeof value === 'object');
        return schemas.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join('\n');
      },
    },
  };
}

/** Writes each asset a second time, compressed: the server compresses nothing itself. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }, bundle) {
      const files = Object.keys(bundle).filter((file) => /\.(?:js|css)$/.test(file));
      for (const file of files) await writeFile(join(dir, `${file}.gz`), gzipSync(await readFile(join(dir, file)), { level: 9 }));
    },
  };
}
