import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands/index.ts';
import { REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

const server = runtimeServer(TOOLS);

const NAMES = COMMANDS.flatMap(({ names }) => names);
const FIRST = [...new Set(NAMES.map((name) => name.split(' ', 1)[0] ?? ''))].sort();
const TOKEN_VERBS = ['create', 'list', 'revoke'];

/** The completions that a shell with the script offers for each line. */
type Complete = (lines: readonly string[]) => readonly (readonly string[])[];

async function withScript(shell: string, test: (file: string) => void): Promise<void> {
  const { code, stdout, stderr } = await jamjet(['completion', shell]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await inFolder(async (folder) => {
    const file = join(folder, `jamjet.${shell}`);
    writeFileSync(file, stdout);
    test(file);
  });
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

const output = (program: string, ...args: string[]): readonly string[] =>
  execFileSync(program, args, { encoding: 'utf8' }).split('\n').filter(Boolean);

/** The words of a line; the last may be empty. */
const words = (line: string): string =>
  line
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ');

const SHELLS: Readonly<Record<string, (file: string) => Complete>> = {
  bash: (file) => (lines) =>
    lines.map((line) =>
      output(
        'bash',
        '--norc',
        '-c',
        `source ${file}; COMP_WORDS=(${words(line)}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _jamjet; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ),
    ),
  // Zsh completes only at a terminal, so `_describe` is replaced by a function that prints matching words.
  zsh: (file) => (lines) =>
    lines.map((line) => {
      const stubs = `compdef() {}; _files() {}; _describe() { print -rl -- "\${(@P)\${@[-1]}}" }`;
      const script = `${stubs}; source ${file}; words=(${words(line)}); CURRENT=$#words; _jamjet`;
      return output('zsh', '-f', '-c', script)
        .map((choice) => choice.split(':', 1)[0] ?? '')
        .filter((choice) => choice.startsWith(line.split(' ').at(-1) ?? ''));
    }),
  fish: (file) => (lines) =>
    lines.map((line) =>
      output('fish', '--no-config', '-c', `source ${file}; complete -C '${line}'`).map(
        (choice) => choice.split('\t', 1)[0] ?? '',
      ),
    ),
};

describe.each(Object.keys(SHELLS))('jamjet completion %s', (shell) => {
  it.skipIf(!has(shell))('completes commands, verbs and options', () =>
    withScript(shell, (file) => {
      const complete = SHELLS[shell]?.(file) ?? (() => []);
      const [first, some, verbs, verb, options, option] = complete([
        'jamjet ',
        'jamjet val',
        'jamjet token ',
        'jamjet token re',
        'jamjet token create --',
        'jamjet ls --stat',
      ]);
      expect([...(first ?? [])].sort()).toEqual(FIRST);
      expect(some).toEqual(['validate']);
      expect(verbs).toEqual(expect.arrayContaining(TOKEN_VERBS));
      expect(verb).toEqual(['revoke']);
      expect(options).toEqual(expect.arrayContaining(['--role', '--name', '--help']));
      expect(options).not.toContain('--status');
      expect(option).toEqual(['--status']);
    }),
  );

  it('completes every name of every command', async () => {
    const { stdout } = await jamjet(['completion', shell]);
    for (const name of NAMES) expect(stdout).toContain(name.split(' ').at(-1));
  });
});

describe('jamjet completion', () => {
  it('lists the supported shells', async () => {
    const { code, stderr } = await jamjet(['completion', 'tcsh']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('"tcsh" is not one of bash, zsh, fish')]);
  });
});

describe('values of options', () => {
  it.runIf(has('bash'))('are offered by bash', () =>
    withScript('bash', (file) => {
      const complete = SHELLS.bash?.(file) ?? (() => []);
      const lines = ['jamjet ls --status f', 'jamjet visualize x --format s', 'jamjet approve x --decision r'];
      expect(complete(lines)).toEqual([['failed'], ['svg'], ['rejected']]);
    }),
  );
});

describe('jamjet __complete', () => {
  it('offers ids, workflows and nodes of the server, and nothing without one', async () => {
    const { client, jamjet: run } = server();
    const { workflow_id } = await client.registerWorkflow(REVIEWED);
    const { execution_id: id } = await client.start({ workflow_id, input: { n: 1 } });
    expect((await run('__complete ids').ended).stdout.split('\n')).toEqual(expect.arrayContaining(['last', id.slice(-8)]));
    expect((await run('__complete workflows').ended).stdout).toBe('reviewed\n');
    expect((await run(`__complete nodes ${id.slice(-8)}`).ended).stdout.trim().split('\n').sort()).toEqual(['double', 'review']);
    const unreachable = { env: { JAMJET_URL: 'http://127.0.0.1:65533' } };
    for (const line of ['__complete ids', '__complete nodes', '__complete what'])
      expect(await run(line, unreachable).ended).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
