import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build as esbuild } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { program } from '../support/program.ts';
import { someOf } from '../support/properties.ts';
import { temporaryFolder } from '../support/server.ts';

/** Native code cannot be bundled. */
const EXTERNAL = ['@resvg/resvg-js', 'better-sqlite3', 'pg-native'];

/** Asks the server for what it reads from files, and for what it does in threads. */
const SERVER = `
import { createServer, readConfig } from 'jamjet-runtime/server';

const { app, runtime, close } = await createServer({
  config: readConfig(process.env),
  auth: 'off',
  tools: { double: ({ n }) => ({ n: n * 2 }) },
});
const workflow = 'workflow: { id: w, version: "1" }\\nnodes: { a: { type: tool, tool_ref: double, input: { n: "{{ state.n }}" }, next: end } }\\n';
const payload = workflow + '# a long file is read in a thread'.repeat(500);
const registered = await app.inject({ method: 'POST', url: '/workflows', payload, headers: { 'content-type': 'application/yaml' } });
const { executionId } = await runtime.start({ workflowId: 'w', input: { n: 21 } });
const { state } = await runtime.settled(executionId);
const replies = {};
for (const url of ['/', '/docs/swagger-ui.css', '/openapi.json', '/workflows/w/findings', '/workflows/w/machine?format=html', '/workflows/w/machine?format=png']) {
  const { statusCode, headers } = await app.inject({ url, headers: { accept: 'text/html, */*' } });
  replies[url] = [statusCode, headers['content-type'].split(';')[0]];
}
await close();
console.log(JSON.stringify({ registered: registered.statusCode, state, replies }));
`;

const BUNDLERS: Readonly<Record<string, (input: string, dir: string) => Promise<unknown>>> = {
  rolldown: async (input, dir) => {
    const { rolldown } = await import('rolldown');
    const bundle = await rolldown({ input, platform: 'node', external: EXTERNAL, logLevel: 'silent' });
    await bundle.write({ dir, format: 'esm', entryFileNames: '[name].mjs' });
    await bundle.close();
  },
  esbuild: (input, outdir) =>
    esbuild({
      entryPoints: [input],
      outdir,
      external: EXTERNAL,
      bundle: true,
      platform: 'node',
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      // For dependencies in CommonJS, which call it.
      banner: {
        js: "import { createRequire as bannerRequire } from 'node:module'; const require = bannerRequire(import.meta.url);",
      },
      logLevel: 'silent',
    }),
};

describe('a server in a bundle', () => {
  it.each(someOf(Object.keys(BUNDLERS), 2))('finds its files in the installed package: %s', async (name) => {
    const folder = temporaryFolder(onTestFinished);
    for (const installed of ['jamjet-runtime', ...EXTERNAL.slice(0, 2)]) {
      const link = join(folder, 'node_modules', installed);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(resolve(installed === 'jamjet-runtime' ? '.' : join('node_modules', installed)), link);
    }
    writeFileSync(join(folder, 'server.mjs'), SERVER);
    await BUNDLERS[name]?.(join(folder, 'server.mjs'), join(folder, 'bundle'));
    expect(readdirSync(join(folder, 'bundle'))).toContain('server.mjs');

    const server = program(process.execPath, [join('bundle', 'server.mjs')], folder, {
      DATABASE_URL: 'sqlite:runs.db',
      JAMJET_LOG: 'silent',
    });
    expect([(await server.ended).code, server.stderr()]).toEqual([0, '']);
    expect(JSON.parse(server.stdout())).toEqual({
      registered: 201,
      state: { n: 42 },
      replies: {
        '/': [200, 'text/html'],
        '/docs/swagger-ui.css': [200, 'text/css'],
        '/openapi.json': [200, 'application/json'],
        '/workflows/w/findings': [200, 'application/json'],
        '/workflows/w/machine?format=html': [200, 'text/html'],
        '/workflows/w/machine?format=png': [200, 'image/png'],
      },
    });
  });
});
