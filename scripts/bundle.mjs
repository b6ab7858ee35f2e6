// Makes the program and the library that are shipped, in dist/bundle: the entries of the package, the command line and the threads, with the
// dependencies in JavaScript that they use, every module once; what they read from files; the types; and the licences of the dependencies.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const TARGET = 'dist/bundle';
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const LIBRARY = Object.values(exports).flatMap((entry) => (entry.default === undefined ? [] : [sourceOf(entry.default)]));
/** Has no built-in module of Node, also not in what the bundler adds, so it shares nothing with the others. */
const BROWSER = sourceOf(exports['./client'].default);
/** The main entry, without its extension. */
const MAIN = sourceOf(exports['.'].default).replace(/\.ts$/, '');
const PROGRAM = [
  'src/cli/main.ts',
  'src/authoring/thread/worker.ts',
  'src/diagrams/thread/worker.ts',
  'src/executors/schema/thread/worker.ts',
  'src/testing/thread/worker.ts',
];
/** A thread in JavaScript, which the sources start by this path. */
const LAYOUT = 'src/diagrams/assets/layout-worker.mjs';
/** What is used of packages that have native code, or find files of their own. */
const INSTALLED = { '@resvg/resvg-js': 'renderAsync', 'better-sqlite3': 'default', jiti: 'createJiti' };
/** Parts of Fastify, pg and ws that nothing here uses: the API has its own validators, and writes replies without schemas. */
const UNUSED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'bufferutil', 'pg-native', 'utf-8-validate'];

/** What is loaded together, by the modules that are imported to load it. Modules of this package that the same of these share are one chunk. */
const LOADED_TOGETHER = {
  main: /^src\/cli\/main\.ts$/,
  commands: /^src\/cli\/(commands|complete|dev|live|stately)\b/,
  library: /^src\/index\.ts$/,
  runtime: /^src\/(runtime\/index|library\/open)\.ts$/,
  server: /^src\/(library\/server|server\/(admin|backups|compose|databases))\.ts$/,
  sqlite: /^store\/sqlite\/open\.ts$/,
  postgres: /^(src\/library\/postgres\.ts|store\/postgres\/)/,
  machines: /^src\/(diagrams\/draw\.ts|diagrams\/thread\/|testing\/|views\/)/,
  worker: /^src\/(library\/worker|worker\/index)\.ts$/,
  yaml: /^src\/(library\/yaml\.ts|project\/|authoring\/)/,
};
/** Modules that more of them share are one chunk, too: they are small. */
const MAX_SHARED = 5;

const MIGRATIONS = readdirSync('store', { withFileTypes: true })
  .map(({ name }) => `store/${name}/migrations`)
  .filter((folder) => existsSync(folder));
const ASSETS = [...MIGRATIONS, 'src/diagrams/assets', 'src/cli/templates'];
/** Files that the program reads of packages, and serves. */
const DEPENDENCIES = [
  '@fastify/swagger-ui/static/favicon-32x32.png',
  '@fastify/swagger-ui/static/swagger-ui-bundle.js',
  '@fastify/swagger-ui/static/swagger-ui.css',
  'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf',
  'dejavu-fonts-ttf/ttf/DejaVuSans.ttf',
];

rmSync(TARGET, { recursive: true, force: true });
// The compiled files, which the bench and scripts use, read the same files.
for (const folder of ['dist', TARGET]) copyAssets(folder);
const packages = await bundled();
await copyTypes();
for (const file of DEPENDENCIES) packages.add(packageOf(resolve('node_modules', file)));
writeFileSync(join(TARGET, 'THIRD-PARTY.txt'), licences([...packages].sort()));

function sourceOf(built) {
  return `${relative(TARGET, built).replace(/\.js$/, '')}.ts`;
}

function copyAssets(target) {
  const copy = (from, to) => {
    // A file that was renamed must not stay beside its new name: a second migration of a number stops every server.
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
  };
  for (const folder of ASSETS) copy(folder, join(target, folder));
  for (const file of DEPENDENCIES) copy(join('node_modules', file), join(target, 'dependencies', file));
}

/** Writes the modules, and for tests which packages each chunk is from; resolves to the folders of those packages. */
async function bundled() {
  const forNode = [...LIBRARY, ...PROGRAM, LAYOUT].filter((path) => path !== BROWSER);
  const output = [...(await written(forNode, 'node')), ...(await written([BROWSER], 'browser'))];
  const chunks = output
    .filter(({ type }) => type === 'chunk')
    .map(({ fileName, moduleIds }) => [fileName, packagesOf(moduleIds)]);
  writeFileSync('dist/packages-by-chunk.json', JSON.stringify(Object.fromEntries(chunks)));
  return new Set(chunks.flatMap(([, folders]) => folders));
}

async function written(sources, platform) {
  const input = Object.fromEntries(sources.map((path) => [path.replace(/\.ts$/, '.js'), path]));
  const bundle = await rolldown({
    input,
    platform,
    external: UNUSED,
    preserveEntrySignatures: 'allow-extension',
    plugins: [installedPackages(), requireInCommonJs(), ownSourcesInMaps()],
    logLevel: 'warn',
  });
  const { output } = await bundle.write({
    dir: TARGET,
    format: 'esm',
    entryFileNames: '[name]',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
    keepNames: true,
    codeSplitting: {
      groups: [{ debugName: 'shared modules', name: chunkNames(sources) }],
      includeDependenciesRecursively: false,
    },
  });
  await bundle.close();
  return output;
}

/**
 * Names the chunks of the modules of this package that several of `LOADED_TOGETHER` share. By default, a chunk has the modules that the same
 * of 200 dynamic imports share, so that a command would load 140 files, most of them of a few lines.
 */
function chunkNames(sources) {
  let names = null;
  return (id, graph) => {
    names ??= sharedModules(sources, (module) => graph.getModuleInfo(module));
    return names.get(id) ?? null;
  };
}

function sharedModules(sources, getModuleInfo) {
  const importedBy = new Map();
  const imports = new Set(sources.map((path) => resolve(path)));
  for (const entry of imports) {
    for (const id of staticImportsOf(entry, getModuleInfo)) {
      importedBy.set(id, [...(importedBy.get(id) ?? []), entry]);
      for (const imported of getModuleInfo(id)?.dynamicallyImportedIds ?? []) imports.add(imported);
    }
  }
  const isShared = ([id, by]) => by.length > 1 && packageOf(id) === null && !getModuleInfo(id)?.isEntry;
  return new Map([...importedBy].filter(isShared).map(([id, by]) => [id, chunkName(by)]));
}

function staticImportsOf(entry, getModuleInfo) {
  const found = new Set([entry]);
  for (const id of found) for (const imported of getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  return found;
}

function chunkName(entries) {
  const paths = entries.map((entry) => relative('.', entry));
  const together = Object.keys(LOADED_TOGETHER).filter((name) => paths.some((path) => LOADED_TOGETHER[name].test(path)));
  if (together.length === 0) return null;
  return together.length > MAX_SHARED ? 'shared' : together.join('-');
}

/** Requires `INSTALLED` from where this package is, so that a user's bundler leaves them there. */
function installedPackages() {
  const PREFIX = '\0installed:';
  return {
    name: 'installed-packages',
    resolveId: (id) => (Object.hasOwn(INSTALLED, id) ? `${PREFIX}${id}` : null),
    load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const name = id.slice(PREFIX.length);
      return `
        import { createRequire } from 'node:module';
        import { packageFile } from ${JSON.stringify(resolve('store/package-files.ts'))};
        const installed = createRequire(packageFile('package'))(${JSON.stringify(name)});
        ${INSTALLED[name] === 'default' ? 'export default installed' : `export const { ${INSTALLED[name]} } = installed`};`;
    },
  };
}

/** `import.meta` is empty in a CommonJS bundle that esbuild has made of the bundle. */
function requireInCommonJs() {
  return {
    name: 'require-in-common-js',
    renderChunk: (code) => ({
      code: code.replace('createRequire(import.meta.url)', 'createRequire(import.meta.url ?? __filename)'),
      map: null,
    }),
  };
}

/** Source maps have the text of the modules of this package, not that of its dependencies, which debuggers step over. */
function ownSourcesInMaps() {
  const isOwn = (source) => !source.includes('node_modules/') && !source.startsWith('\0');
  return {
    name: 'own-sources-in-maps',
    generateBundle(_options, output) {
      for (const [name, asset] of Object.entries(output)) {
        if (extname(name) !== '.map') continue;
        const map = JSON.parse(asset.source);
        if (!map.sources.some(isOwn)) {
          const chunk = output[name.replace(/\.map$/, '')];
          chunk.code = chunk.code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
          delete output[name];
          continue;
        }
        map.sourcesContent = map.sourcesContent.map((text, i) => (isOwn(map.sources[i]) ? text : null));
        map.x_google_ignoreList = map.sources.flatMap((source, i) => (isOwn(source) ? [] : [i]));
        asset.source = JSON.stringify(map);
      }
    },
  };
}

function packagesOf(modules) {
  return [...new Set(modules.map(packageOf).filter((folder) => folder !== null))];
}

/** The folder of the package that a module is from; null for this one, and for what the bundler adds. */
function packageOf(module) {
  return /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? null;
}

/** Copies the declarations that those of the library import. Types that are made of schemas are documented by them. */
async function copyTypes() {
  const origins = originsOf(MAIN);
  const found = new Set(LIBRARY.map((path) => path.replace(/\.ts$/, '.d.ts')));
  for (const path of found) {
    const text = documented(readFileSync(join('dist', path), 'utf8'), await schemasOf(path)).replace(
      /import\("(\.[^"]+)\.ts"\)\.(\w+)/g,
      (named, from, name) =>
        join(dirname(path), from) === MAIN ? `import("${pathTo(path, origins.get(name))}").${name}` : named,
    );
    for (const [, name] of text.matchAll(/(?:from|import\(|import) ?['"](\.[^'"]+)\.(?:js|ts)['"]/g))
      found.add(`${join(dirname(path), name)}.d.ts`);
    mkdirSync(dirname(join(TARGET, path)), { recursive: true });
    writeFileSync(join(TARGET, path), text);
  }
}

/**
 * The modules of the names that a module exports of others. The compiler names a type that it infers by the main entry, with which the client would have
 * the declarations of everything.
 */
function originsOf(module) {
  const text = readFileSync(join('dist', `${module}.d.ts`), 'utf8');
  const lists = text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm);
  return new Map(
    [...lists].flatMap(([, names, from]) => names.split(',').map((name) => [name.trim(), join(dirname(module), from)])),
  );
}

function pathTo(path, module) {
  const found = relative(dirname(path), module);
  return found.startsWith('.') ? found : `./${found}`;
}

/** The schemas that a module of the API exports. */
async function schemasOf(path) {
  return path.startsWith('src/api/') ? import(resolve('dist', path.replace(/\.d\.ts$/, '.js'))) : {};
}

function documented(text, schemas) {
  return text.replace(/(?<!\*\/\n)^export type (\w+) = Static<typeof \1>;/gm, (declaration, name) => {
    const description = schemas[name]?.description;
    return description === undefined ? declaration : `/** ${description} */\n${declaration}`;
  });
}

function licences(folders) {
  const texts = folders.map((folder) => {
    const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof license !== 'string') throw new Error(`${name} has no licence`);
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    const origin = `No text of the licence is in the package: ${repository?.url ?? repository}`;
    return `${name} ${version}\n${license}\n\n${text === '' ? origin : text}\n`;
  });
  return ['JamJet contains code and files of these packages.\n', ...texts].join(`\n${'='.repeat(78)}\n\n`);
}
