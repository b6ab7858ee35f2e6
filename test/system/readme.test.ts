import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { requires } from '../support/requirements.ts';

const ROOT = resolve('.');
/** Not repeated: reinstalling would remove packages that running tests use. */
const INSTALL = 'npm ci && ';
/** The command that runs this test. */
const TESTS = 'npm test';

interface Snippet {
  readonly language: string;
  readonly text: string;
  /** From `` `name`: `` right before the snippet. */
  readonly file: string | null;
}

function snippets(): readonly Snippet[] {
  const readme = readFileSync('README.md', 'utf8');
  return [...readme.matchAll(/(?:`([\w.-]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, file, language = '', text = '']) => ({
    language,
    text,
    file: file ?? null,
  }));
}

/** The folder of a reader who has `jamjet` on the path and the package installed. */
const folder = mkdtempSync(join(tmpdir(), 'jamjet-readme-'));
mkdirSync(join(folder, 'node_modules'));
mkdirSync(join(folder, 'bin'));
symlinkSync(ROOT, join(folder, 'node_modules', 'jamjet-runtime'));
symlinkSync(join(ROOT, 'bin', 'jamjet.js'), join(folder, 'bin', 'jamjet'));

let server: ChildProcess | null = null;
let url = 'http://localhost:7700';

function environment(): NodeJS.ProcessEnv {
  const { JAMJET_TOKEN: _token, DATABASE_URL: _database, ...env } = process.env;
  return {
    ...env,
    PATH: `${join(folder, 'bin')}:${env.PATH}`,
    NO_COLOR: '1',
    JAMJET_PORT: '0',
    JAMJET_URL: server === null ? '' : url,
  };
}

function shell(line: string): Promise<string> {
  const script = line.replaceAll('http://localhost:7700', url);
  const options = { cwd: script.startsWith('npm ') ? ROOT : folder, env: environment() };
  return new Promise((done, fail) => {
    execFile('bash', ['-euo', 'pipefail', '-c', script], options, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${script}\n${error.message}\n${stdout}${stderr}`));
    });
  });
}

/** Runs a line of a snippet as far as a test can run it. */
async function command(line: string): Promise<string> {
  const installed = line.startsWith(INSTALL) ? line.slice(INSTALL.length) : line;
  return installed === TESTS ? '' : shell(installed);
}

/** Starts a server that keeps running; resolves with the address that it prints. */
function start(script: string): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('bash', ['-c', `exec ${script}`], { cwd: folder, env: environment() });
    server = child;
    let printed = '';
    const read = (chunk: Buffer): void => {
      printed += chunk;
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
      if (address !== undefined) done(address);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => fail(new Error(`${script} ended with ${code}:\n${printed}`)));
  });
}

/** Replaces what differs from run to run: ids, times, durations and their width. */
function steady(text: string): string {
  return text
    .replaceAll(/exec_[0-9a-f]{32}/g, 'exec_…')
    .replaceAll(/\d+(\.\d+)?\s?(ms|s)\b/g, 'TIME')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/^ | $/gm, '')
    .trim();
}

describe('the README', requires('curl'), () => {
  afterAll(async () => {
    const child = server;
    if (child !== null && child.exitCode === null) {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it('has snippets that run, from the first to the last', async () => {
    let output = '';
    for (const { language, text, file } of snippets()) {
      const lines = text.trim().split('\n');
      if (file !== null) writeFileSync(join(folder, file), text);
      else if (language === 'text') expect(steady(output)).toContain(steady(text));
      else if (language === 'js') output = await runModule(text);
      else if (lines[0]?.startsWith('jamjet dev')) url = await start(text.trim());
      else for (const line of lines) output = await command(line);
    }
    expect(output).toBe('completed { n: 42 }\n');
  });
});

function runModule(text: string): Promise<string> {
  writeFileSync(join(folder, 'library.mjs'), text);
  return shell('node library.mjs');
}
