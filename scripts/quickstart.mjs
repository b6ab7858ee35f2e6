// `npm run quickstart`: runs a server, a workflow and an approval over REST, in a few seconds. Removes its files afterwards.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const JAMJET = join(ROOT, 'bin', 'jamjet.js');
const EXAMPLE = join(ROOT, 'examples', 'refund-approval');
const READY_MS = 60_000;
const STOP_MS = 5_000;
const RUN_MS = 60_000;

/** An error that the user can fix; printed without a stack trace. */
class UserError extends Error {}

const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (format, text) => (coloured ? styleText(format, text) : text);
const say = (text = '') => console.log(text);
const chapter = (title) => say(`\n${paint('bold', title)}`);

async function installed() {
  if (!existsSync(join(ROOT, 'node_modules', 'better-sqlite3'))) throw new UserError('the packages are missing: run `npm ci`');
  if (!existsSync(join(ROOT, 'dist', 'src', 'cli', 'main.js'))) throw new UserError('dist/ is missing: run `npm run build`');
  try {
    const { default: Database } = await import('better-sqlite3');
    new Database(':memory:').close();
  } catch {
    throw new UserError('better-sqlite3 is not compiled: install python3, make and g++, then run `npm rebuild better-sqlite3`');
  }
}

/** Starts `jamjet dev`; `ready` resolves with the address that it prints. */
function serve(folder) {
  const args = [JAMJET, 'dev', '--port', '0', '--db', join(folder, 'runtime.db'), '--tools', join(EXAMPLE, 'tools.mjs')];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const ready = new Promise((resolve, reject) => {
    let printed = '';
    const late = setTimeout(
      () => reject(new UserError(`the server was not ready within ${READY_MS / 1000} s:\n${printed}`)),
      READY_MS,
    );
    const read = (chunk) => {
      printed += chunk;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new UserError(`the server ended with ${code}:\n${printed}`)));
  });
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await exited;
    clearTimeout(late);
    return code;
  };
  return { ready, stop };
}

async function compileExample() {
  const { checkWorkflow } = await import('../dist/src/library/yaml.js');
  const file = join(EXAMPLE, 'workflow.yaml');
  const { document, diagnostics } = checkWorkflow(await readFile(file, 'utf8'), file);
  if (document === null)
    throw new UserError(diagnostics.map((found) => `${found.file}:${found.line}: ${found.message}`).join('\n'));
  return document;
}

function line(event, startedMs) {
  const at = `+${Date.parse(event.created_at) - startedMs} ms`.padStart(10);
  const { error, attempt, decision, user_id: user, reason } = event.data;
  const remark = [
    attempt > 0 ? `attempt ${attempt + 1}` : '',
    error ?? '',
    decision === undefined ? '' : `${decision} by ${user}`,
    event.kind === 'InterruptRaised' ? 'waits for an approval' : '',
    event.kind === 'NodeSkipped' ? (reason ?? '') : '',
  ].filter((text) => text !== '');
  return `  ${paint('dim', at)}  ${String(event.sequence).padStart(2)}  ${event.kind.padEnd(22)} ${(event.node_id ?? '').padEnd(16)} ${remark.join('  ')}`.trimEnd();
}

/** Follows the log to its end, and approves each approval request. */
async function follow(client, id) {
  const events = [];
  let startedMs = 0;
  let approvals = 0;
  for await (const event of client.follow(id, { signal: AbortSignal.timeout(RUN_MS) })) {
    if (events.length === 0) startedMs = Date.parse(event.created_at);
    events.push(event);
    say(line(event, startedMs));
    if (event.kind !== 'InterruptRaised') continue;
    const { pending } = await client.approvals(id);
    const open = pending.find((approval) => approval.node_id === event.node_id);
    if (open === undefined) throw new UserError(`${event.node_id} waits for an approval that is not listed as pending`);
    say(`  ${paint('yellow', '◆')} ${open.context.description}`);
    say(`    ${paint('cyan', `POST /executions/${id}/approve`)}  {"decision": "approved"}`);
    await client.approve(id, { decision: 'approved', user_id: 'you', comment: 'from the quickstart' });
    approvals += 1;
  }
  return { events, approvals };
}

function verify(execution, { events, approvals }) {
  const gap = events.findIndex((event, index) => event.sequence !== index + 1);
  if (execution.status !== 'completed')
    throw new UserError(`the execution is ${execution.status}: ${execution.error ?? 'no error given'}`);
  if (approvals !== 1) throw new UserError(`expected one approval, there were ${approvals}`);
  if (gap >= 0) throw new UserError(`the log has a gap before event ${gap + 1}`);
  if (events.at(-1)?.kind !== 'WorkflowCompleted') throw new UserError('the log does not end with WorkflowCompleted');
}

async function tour(url, folder) {
  const { JamjetClient } = await import('../dist/src/client/index.js');
  const client = new JamjetClient({ url, token: (await readFile(join(folder, 'token'), 'utf8')).trim() });
  const { version } = await client.health();
  say(`JamJet ${version} is running on ${url}, with embedded SQLite in ${folder}`);

  chapter('1. Register the workflow');
  const workflow = await client.registerWorkflow(await compileExample());
  say(
    `  ${paint('cyan', 'POST /workflows')}  examples/refund-approval/workflow.yaml → ${workflow.workflow_id} ${workflow.version}`,
  );

  chapter('2. Start it and watch');
  const input = JSON.parse(await readFile(join(EXAMPLE, 'input.json'), 'utf8'));
  const { execution_id: id } = await client.start({ workflow_id: workflow.workflow_id, input });
  say(`  ${paint('cyan', 'POST /executions')}  ${JSON.stringify(input)} → ${id}`);
  const followed = await follow(client, id);

  chapter('3. The final state');
  const execution = await client.execution(id);
  verify(execution, followed);
  say(JSON.stringify(execution.state, null, 2).replace(/^/gm, '  '));
  const kinds = new Set(followed.events.map((event) => event.kind));
  say(
    `\n  ${paint('green', '✓')} ${execution.status}: ${execution.steps_executed} nodes, ${followed.events.length} events of ${kinds.size} kinds, all stored before they were shown`,
  );
}

const startedMs = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'jamjet-quickstart-'));
let server = null;
try {
  await installed();
  server = serve(folder);
  await tour(await server.ready, folder);
  const code = await server.stop();
  if (code !== 0) throw new UserError(`the server stopped with ${code}`);
  say(`\nDone in ${((performance.now() - startedMs) / 1000).toFixed(1)} s. Next: README.md, examples/, \`bin/jamjet.js --help\``);
} catch (error) {
  await server?.stop();
  console.error(`\n${paint('red', 'quickstart failed')}: ${error instanceof UserError ? error.message : (error.stack ?? error)}`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
