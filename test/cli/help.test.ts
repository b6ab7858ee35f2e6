import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { VERSION } from '../../src/server/config.ts';
import { jamjet } from './terminal-session.ts';

describe('jamjet without a command', () => {
  it('lists every command with its summary', async () => {
    const { code, stdout } = await jamjet([]);
    expect(code).toBe(0);
    for (const { names, summary } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${names[0]} +${summary}$`, 'm'));
  });

  it('prints the same for --help, -h and help', async () => {
    const [bare, ...others] = await Promise.all([jamjet([]), jamjet(['--help']), jamjet(['-h']), jamjet(['help'])]);
    for (const other of others) expect(other).toEqual(bare);
  });

  it.each(['--version', '-V', '-v'])('prints its version with %s', async (option) => {
    expect(await jamjet([option])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  it('lists the commands of a group', async () => {
    const { stdout } = await jamjet(['token', '--help']);
    expect(stdout).toMatch(/token create .*\n.*token list .*\n.*token revoke /);
  });
});

describe.each(COMMANDS.flatMap((entry) => entry.names.map((name) => ({ name, entry }))))('jamjet $name', ({ name, entry }) => {
  it('has the paths of its table entry', async () => {
    const command = await entry.load();
    expect(command.paths?.map((path) => path.join(' '))).toEqual(entry.names);
  });

  it('prints help with options and examples, whatever else is on the line', async () => {
    const { code, stdout, stderr } = await jamjet([...name.split(' '), 'x', '--unknown', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`${entry.summary}.\n\nUsage\n  jamjet ${name} [options]`);
    expect(stdout).toMatch(/Examples\n {2}# .+\n {2}.*jamjet /);
  });

  it('names option values and describes every option', async () => {
    const { stdout } = await jamjet(['help', ...name.split(' ')]);
    const options = /Options\n([\s\S]*?)\n\n/.exec(stdout)?.[1]?.split('\n') ?? [];
    expect(options.length).toBeGreaterThan(0);
    for (const option of options) {
      expect(option).toMatch(/ {2}\S[^ ].*[.…]$/);
      expect(option).not.toMatch(/VALUE|#0/);
    }
  });
});
