import { execFile, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { unknownVariables } from '../../src/server/config.ts';
import { execForm, type Instruction, only, type Stage, stagesOf } from '../support/dockerfile.ts';
import { freePort } from '../support/ports.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { requires } from '../support/requirements.ts';

const run = promisify(execFile);
const DOCKERFILE = readFileSync('deploy/Dockerfile', 'utf8');
const [BUILD, IMAGE] = stagesOf(DOCKERFILE) as [Stage, Stage];
/** They download packages, or compile for a minute what is compiled here already. */
const NEEDS_REGISTRY = /^(apt-get update && apt-get install |npm ci |npm rebuild better-sqlite3$)/;

describe('the Dockerfile', () => {
  let root: string;
  const at = (path: string): string => join(root, path);

  beforeAll(() => {
    // In the file system of the packages, which are linked and not copied.
    mkdirSync('.jamjet', { recursive: true });
    root = mkdtempSync(resolve('.jamjet', 'deploy-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** Everything that is copied from the project. */
  function copied(): readonly string[] {
    return BUILD.instructions.filter(({ name }) => name === 'COPY').flatMap(({ text }) => text.split(' ').slice(0, -1));
  }

  function perform(stage: string, { name, text }: Instruction): void {
    const app = at(`${stage}/app`);
    if (name === 'COPY') copy(app, text);
    else if (name === 'RUN' && text.startsWith('npm ci ')) linkPackages(app);
    else if (text === 'npm run build' && !TRIES_ALL) execFileSync('cp', ['-al', resolve('dist'), app]);
    else if (name === 'RUN' && !NEEDS_REGISTRY.test(text))
      execFileSync('sh', ['-c', inside(stage, text)], { cwd: app, stdio: 'pipe' });
  }

  function copy(app: string, text: string): void {
    const words = text.replace('--from=build ', '').split(' ');
    const target = words.at(-1) ?? '';
    for (const source of words.slice(0, -1)) {
      const from = text.startsWith('--from=build ') ? at(join('build', source)) : resolve(source);
      const to = join(app, target.endsWith('/') ? join(target, source.split('/').at(-1) ?? '') : target);
      mkdirSync(dirname(to), { recursive: true });
      if (text.startsWith('--from=build ')) renameSync(from, to);
      else cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    }
  }

  /** As `npm ci` leaves them. The list of them is written by npm. */
  function linkPackages(app: string): void {
    const folder = join(app, 'node_modules');
    mkdirSync(folder);
    const packages = readdirSync('node_modules').filter((name) => !name.startsWith('.') || name === '.bin');
    execFileSync('cp', ['-al', ...packages.map((name) => resolve('node_modules', name)), folder]);
    cpSync('node_modules/.package-lock.json', join(folder, '.package-lock.json'));
  }

  /** Paths of the image, within the folder of the test; this machine has no user `node`. */
  function inside(stage: string, text: string): string {
    return text
      .replace('--owner=node --group=node ', '')
      .replaceAll(/(?<=\s)\/(app|data|usr\/local\/bin)\b/g, (path) => at(`${stage}${path}`));
  }

  it('copies files that exist and that the context contains', () => {
    const ignored = readFileSync('deploy/Dockerfile.dockerignore', 'utf8').trim().split('\n');
    expect(ignored[0]).toBe('*');
    const context = ignored.slice(1).map((line) => line.slice(1));
    expect(copied().filter((path) => !existsSync(path) || !context.includes(path))).toEqual([]);
    expect(context.filter((path) => !copied().includes(path))).toEqual([]);
  });

  it('runs on a supported Node, as a user without rights, and knows its variables', () => {
    const [, version] = /^ARG NODE_VERSION=(\S+)$/m.exec(DOCKERFILE) ?? [];
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    expect([version, engines.node]).toEqual(['20.20', '>=20.19']);
    expect(only(IMAGE, 'USER')).toBe('node');
    expect(unknownVariables(Object.fromEntries(variables()))).toEqual([]);
  });

  function variables(): readonly (readonly [string, string])[] {
    return only(IMAGE, 'ENV')
      .split(' ')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  }

  // `npm test` takes the build that is there; `npm run test:all` builds what is copied.
  it('builds a server that starts, is found healthy, and stops on its signal', async () => {
    for (const stage of ['build', 'image']) mkdirSync(at(`${stage}/app`), { recursive: true });
    mkdirSync(at('image/usr/local/bin'), { recursive: true });
    for (const instruction of BUILD.instructions) perform('build', instruction);
    for (const instruction of IMAGE.instructions) perform('image', instruction);
    expect(statSync(at('image/data')).mode & 0o777).toBe(0o700);
    expect(existsSync(at('image/app/node_modules/vitest'))).toBe(false);

    const port = String(await freePort());
    const env = {
      PATH: process.env.PATH,
      ...Object.fromEntries(variables()),
      DATABASE_URL: at('image/data/runtime.db'),
      JAMJET_BIND: '127.0.0.1',
      JAMJET_PORT: port,
    };
    const [program = '', ...args] = [...execForm(only(IMAGE, 'ENTRYPOINT')), ...execForm(only(IMAGE, 'CMD'))];
    const server = spawn(
      program,
      args.map((word) => inside('image', ` ${word}`).trim()),
      { cwd: at('image/app'), env },
    );
    let output = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    const ended = new Promise((done) => server.once('exit', (code) => done(code)));
    try {
      await Promise.race([isReady(port), ended.then((code) => Promise.reject(new Error(`ended with ${code}: ${output}`)))]);
      const [probe = '', ...words] = execForm(only(IMAGE, 'HEALTHCHECK').replace(/^.* CMD /, ''));
      await run(probe, words, { env });
      await expect(run(probe, words, { env: { ...env, JAMJET_PORT: '1' } })).rejects.toMatchObject({ code: 1 });
      const { stdout } = await run(at('image/usr/local/bin/jamjet'), ['token', 'create', '--role', 'operator'], { env });
      expect(stdout).toMatch(/^jj_/);
      server.kill(only(IMAGE, 'STOPSIGNAL') as NodeJS.Signals);
      expect([await ended, output]).toEqual([0, expect.stringContaining('server stopped')]);
    } finally {
      server.kill('SIGKILL');
      await ended;
    }
  });
});

/** Resolves when the server on this port is ready. */
async function isReady(port: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/health/ready`;
  while (
    !(await fetch(url).then(
      (reply) => reply.ok,
      () => false,
    ))
  );
}

describe('the compose file', () => {
  interface Service {
    readonly image: string;
    readonly build?: { readonly context: string; readonly dockerfile: string };
    readonly environment: Readonly<Record<string, string>>;
    readonly depends_on?: Readonly<Record<string, unknown>>;
    readonly volumes?: readonly string[];
    readonly ports?: readonly string[];
    readonly healthcheck?: object;
  }
  const { services, volumes } = parse(readFileSync('deploy/compose.yaml', 'utf8'), { strict: true }) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, null>>;
  };

  it('names services, volumes and files that exist', () => {
    const { jamjet, postgres } = services;
    expect(Object.keys(jamjet?.depends_on ?? {})).toEqual(['postgres']);
    expect(postgres?.healthcheck).toBeDefined();
    expect(existsSync(join('deploy', jamjet?.build?.context ?? '', jamjet?.build?.dockerfile ?? ''))).toBe(true);
    const mounted = Object.values(services).flatMap((service) =>
      (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? ''),
    );
    for (const source of mounted)
      expect(source.startsWith('.') ? existsSync(join('deploy', source)) : source in volumes).toBe(true);
  });

  it('has no passwords, publishes nothing to other machines, and sets known variables', () => {
    expect(unknownVariables(services.jamjet?.environment ?? {})).toEqual([]);
    for (const { ports = [] } of Object.values(services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    for (const { environment } of Object.values(services))
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|URL/.test(name) && name !== 'JAMJET_PUBLIC_URL') expect(value).toMatch(/\$\{\w+:\?/);
    expect(services.postgres?.image).toMatch(/^postgres:\d+-/);
  });

  it('has a script that a shell accepts', () => {
    execFileSync('sh', ['-n', 'deploy/postgres-init.sh']);
    expect(statSync('deploy/postgres-init.sh').mode & 0o111).not.toBe(0);
  });
});

describe('the systemd unit', () => {
  const unit = readFileSync('deploy/jamjet.service', 'utf8');

  it('has its keys in sections, and waits longer than a server takes to stop', () => {
    const lines = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.filter((line) => !/^(\[(Unit|Service|Install)\]|[A-Z]\w+=.*)$/.test(line))).toEqual([]);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10 + 12);
    const variables = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]);
    expect(unknownVariables(Object.fromEntries(variables))).toEqual([]);
  });

  it('starts a command that exists', async () => {
    const [, command = ''] = /^ExecStart=\/usr\/bin\/env jamjet (.*)$/m.exec(unit) ?? [];
    const { stdout } = await run(process.execPath, [resolve('bin/jamjet.js'), ...command.split(' '), '--help']);
    expect(stdout).toContain('jamjet serve');
  });

  describe('as systemd reads it', requires('systemd-analyze'), () => {
    it('has no errors', async () => {
      const { stdout, stderr } = await run('systemd-analyze', ['verify', resolve('deploy/jamjet.service')]);
      expect(stdout + stderr).toBe('');
    });
  });
});
