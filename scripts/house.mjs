// Measures what the code weighs, to be looked at before and after a capability:
//   npm run house -- [--tests REPORT.json] [--files]
// Prints lines by module; files and functions that five requests enter on a warm server; in how many files a field of a node kind and a
// column of a resource are stated; modules and CPU of each import; and, from a JSON report of vitest, the seconds of each test project.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const PRODUCT = ['machines', 'store', 'src', 'console/src'];
const SOURCE = /\.(ts|tsx|css|sql)$/;
/** One name for each kind of fact. */
const FACTS = {
  'a field of the node kind `eval` (retry_node)': /\bretry_?node\b/i,
  'a column of the resource `cron` (last_execution_id)': /\blast_?execution_?id\b/i,
  'an event type (node_completed)': /\bnode_completed\b/,
};
const { values } = parseArgs({ options: { tests: { type: 'string' }, files: { type: 'boolean' } } });

function filesIn(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function print(title, head, rows) {
  console.log(`\n${title}`);
  const texts = [head, ...rows].map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)));
  const widths = head.map((_, i) => Math.max(...texts.map((row) => row[i].length)));
  for (const row of texts)
    console.log(`  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`);
}

/** `src/runtime`, `store/sqlite`, `machines`, `console/src`: the first two folders, where there are two. */
function moduleOf(file) {
  const folders = file.split(sep).slice(0, -1);
  return folders[0] === 'machines' ? 'machines' : folders.slice(0, 2).join('/');
}

function printLines(texts) {
  const modules = new Map();
  for (const [file, text] of texts) {
    const { files, lines } = modules.get(moduleOf(file)) ?? { files: 0, lines: 0 };
    modules.set(moduleOf(file), { files: files + 1, lines: lines + text.split('\n').length - 1 });
  }
  const rows = [...modules].map(([name, { files, lines }]) => [name, files, lines]).sort((a, b) => b[2] - a[2]);
  const total = ['all', texts.length, rows.reduce((sum, [, , lines]) => sum + lines, 0)];
  print('Lines by module', ['module', 'files', 'lines'], [...rows, total]);
}

function printFacts(texts) {
  const rows = Object.entries(FACTS).map(([name, pattern]) => [name, texts.filter(([, text]) => pattern.test(text)).length]);
  print('Files that state', ['fact', 'files'], rows);
}

const APPROVALS = {
  workflow_id: 'approvals',
  version: '1',
  nodes: {
    first: { kind: { type: 'human_approval' } },
    second: { kind: { type: 'human_approval' } },
    work: { kind: { type: 'tool', tool_ref: 'work' } },
  },
  edges: [
    { from: 'first', to: 'second' },
    { from: 'second', to: 'work' },
  ],
};
const WORK = {
  workflow_id: 'work',
  version: '1',
  nodes: { work: APPROVALS.nodes.work, ask: APPROVALS.nodes.first },
  edges: [{ from: 'work', to: 'ask' }],
};

/** Entered files and functions of the product, by V8's coverage of this process, in which the server runs. */
async function printRequests() {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-house-'));
  const env = { JAMJET_PORT: '0', DATABASE_URL: `sqlite:${join(folder, 'runtime.db')}`, JAMJET_LOG: 'silent' };
  const [{ startServer }, { readConfig }] = await Promise.all([load('src/server/compose.js'), load('src/server/config.js')]);
  const server = await startServer({ config: readConfig(env), auth: 'off', tools: { work: () => ({ ok: true }) } });
  const session = new Session();
  session.connect();
  try {
    const rows = [];
    const listed = new Map();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    const call = async (path, body) => {
      const reply = await fetch(
        server.url + path,
        body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      );
      if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
      return reply.json();
    };
    const until = async (id, isReached) => {
      while (!isReached(await call(`/executions/${id}`))) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const start = async (workflow) => (await call('/executions', { workflow_id: workflow })).execution_id;
    const approve = (id, node) => call(`/executions/${id}/approve`, { decision: 'approved', node_id: node });
    const isAtEnd = ({ status }) => status === 'completed';
    const isAsking = ({ status }) => status === 'paused';
    for (const ir of [APPROVALS, WORK]) await call('/workflows', { ir });
    const measure = async (name, request, reached = async () => {}) => {
      await session.post('Profiler.takePreciseCoverage');
      const id = await request();
      const { result } = await session.post('Profiler.takePreciseCoverage');
      await reached(id);
      const entered = result
        .filter(({ url }) => url.startsWith('file:') && fileURLToPath(url).startsWith(DIST))
        .map(({ url, functions }) => ({
          file: relative(DIST, fileURLToPath(url)),
          functions: functions.filter(({ ranges, functionName }) => functionName !== '' && ranges[0].count > 0),
        }))
        .filter(({ functions }) => functions.length > 0);
      listed.set(name, entered);
      return [name, entered.length, entered.reduce((sum, { functions }) => sum + functions.length, 0)];
    };
    const parked = async () => {
      const id = await start('approvals');
      await until(id, isAsking);
      return id;
    };
    // The second round counts: the server is warm then.
    for (let round = 0; round < 2; round += 1) {
      const [first, second] = [await parked(), await parked()];
      await approve(second, 'first');
      rows.splice(
        0,
        rows.length,
        await measure('GET /executions/:id', () => call(`/executions/${first}`)),
        await measure(
          'POST /executions, parks at an approval',
          () => start('approvals'),
          (id) => until(id, isAsking),
        ),
        await measure('POST /executions, a local attempt, then parks', async () => {
          const id = await start('work');
          await server.runtime.settled('default', id, 10_000);
          return id;
        }),
        await measure('POST …/approve, parks at the next approval', () => approve(first, 'first')),
        await measure('POST …/approve, a local attempt, then ends', async () => {
          await approve(second, 'second');
          await server.runtime.settled('default', second, 10_000);
        }),
      );
      await until(second, isAtEnd);
    }
    print('Entered by a request on a warm server (SQLite, HTTP)', ['request', 'files', 'functions'], rows);
    if (!values.files) return;
    for (const [name, entered] of listed) {
      const lines = entered.map(({ file, functions }) => [file, functions.map(({ functionName }) => functionName).join(' ')]);
      print(name, ['file', 'functions'], lines);
    }
  } finally {
    session.disconnect();
    await server.close(0);
    rmSync(folder, { recursive: true, force: true });
  }
}

function load(path) {
  return import(pathToFileURL(join(DIST, path)).href);
}

/** Of a report that `vitest run --reporter=json` wrote. */
function printTests(report) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const folders = new Map();
  for (const { name, startTime, endTime, assertionResults } of testResults) {
    const [, folder] = relative(ROOT, name).split(sep);
    const { files, tests, ms } = folders.get(folder) ?? { files: 0, tests: 0, ms: 0 };
    folders.set(folder, { files: files + 1, tests: tests + assertionResults.length, ms: ms + endTime - startTime });
  }
  const rows = [...folders].map(([name, { files, tests, ms }]) => [`test/${name}`, files, tests, Math.round(ms / 1000)]);
  print(
    'Tests',
    ['folder', 'files', 'tests', 'seconds'],
    rows.sort((a, b) => b[3] - a[3]),
  );
}

const [{ measure }, { report }] = await Promise.all([load('bench/measuring.js'), load('bench/report.js')]);
const texts = PRODUCT.flatMap(filesIn).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]);
printLines(texts);
printFacts(texts);
console.log(report(new Map([['imports', await measure(DIST, 'imports', tmpdir())]])));
await printRequests();
if (values.tests !== undefined) printTests(values.tests);
