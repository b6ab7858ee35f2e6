import { readdirSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { Cli } from 'clipanion';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { commandsUnder, findCommand, joinHashes, parse } from '../../src/cli/parse.ts';

const PAGES = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
/** Commands of the Python SDK, which has a program of the same name. */
const PYTHON_SDK = ['jamjet dev --no-sidecar --modules app.tools', 'jamjet worker'];
const stream = (): PassThrough => new PassThrough();
const CONTEXT: Context = {
  env: {},
  stdin: stream(),
  stdout: stream(),
  stderr: stream(),
  signals: process,
  cwd: '/nonexistent',
  colorDepth: 1,
};

/** Command lines of `jamjet` in code blocks for a shell, and in inline code with arguments. */
function commandLines(page: string): readonly string[] {
  const source = readFileSync(page, 'utf8');
  const blocks = [...source.matchAll(/^```(?:sh|bash)\n([\s\S]*?)^```/gm)].flatMap(([, text = '']) =>
    text.replaceAll(/\\\n\s*/g, ' ').split('\n'),
  );
  const prose = source.replaceAll(/^```[\s\S]*?^```/gm, '');
  const inline = [...prose.matchAll(/`(jamjet [^`]+)`/g)].map(([, text = '']) => text.replaceAll(/\s*\n\s*/g, ' '));
  return [...blocks, ...inline].flatMap((line) => {
    const [, command] = /^(?:\s*[A-Z_]+=\S+)*\s*(?:\$ )?(jamjet [^#]*)/.exec(line) ?? [];
    return command === undefined ? [] : [command.trim()];
  });
}

/** The words of a line as a shell would split it, up to a pipe, a redirection or `&&`. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [raw] of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    if (/^(\||&&|;|>|2>|&)/.test(raw)) break;
    words.push(raw.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ''));
  }
  return words.slice(1);
}

/** What is wrong with the line; null = it would be accepted. Synopses such as `jamjet token create|list` name several commands. */
async function problemOf(line: string): Promise<string | null> {
  const words = wordsOf(line);
  const [first = '', second = ''] = words;
  if (first.startsWith('-') || first === 'help' || first === '…') return null;
  // Not `exec_0199…`, which stands for an id.
  if (words.slice(0, 2).some((word) => /[|[\]{}]|^…/.test(word))) return synopsisProblem(first, second);
  const match = findCommand(words);
  if (match === null) return commandsUnder(first).length > 0 && words.length === 1 ? null : 'no such command';
  if (words.some((word) => /^(\[|…)/.test(word) || word.includes('|'))) return null;
  const command = await match.entry.load();
  try {
    parse(Cli.from<Context>([command], { binaryName: 'jamjet' }), match.name, [...joinHashes(words)], CONTEXT);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // A text may name a command, or an option, without what belongs to it.
    return isMention(words, match.name) && /an argument is missing|needs a value/.test(message) ? null : message;
  }
}

/** The name of a command, alone or followed by options. */
function isMention(words: readonly string[], name: string): boolean {
  return words[name.split(' ').length]?.startsWith('-') !== false;
}

function synopsisProblem(first: string, second: string): string | null {
  const verbs = first.includes('|') ? first.split('|') : second.split('|').map((verb) => `${first} ${verb}`);
  const unknown = verbs.filter((verb) => !/[…[\]{}]/.test(verb) && findCommand(verb.split(' ')) === null);
  return unknown.every((verb) => findCommand([first]) !== null && verb.startsWith(first))
    ? null
    : `no command ${unknown.join(', ')}`;
}

describe('the commands of the documentation', () => {
  it('are many, above all those for what is stuck', () => {
    expect(commandLines('docs/stuck.md').length).toBeGreaterThan(20);
    expect(commandLines('docs/run.md').length).toBeGreaterThan(30);
  });

  it.each(PAGES)('exist, with these arguments and options: %s', async (page) => {
    const problems: string[] = [];
    for (const line of commandLines(page).filter((each) => !PYTHON_SDK.includes(each))) {
      const problem = await problemOf(line);
      if (problem !== null) problems.push(`${line}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });

  it('are checked', async () => {
    expect(await problemOf('jamjet inspekt exec_1')).toBe('no such command');
    expect(await problemOf('jamjet inspect exec_1 --nothing')).toMatch(/--nothing/);
    expect(await problemOf('jamjet inspect exec_0199… --nothing')).toMatch(/--nothing/);
    expect(await problemOf('jamjet fork exec_1 --at 12 | cat')).toBeNull();
    expect(await problemOf('jamjet token create|burn')).toBe('no command token burn');
  });
});
