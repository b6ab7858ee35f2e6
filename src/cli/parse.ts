import type { Cli, Command, CommandClass } from 'clipanion';
import { closest } from '../../machines/suggest.ts';
import type { Context } from './context.ts';
import { type Failure, usageFailure } from './failure.ts';
import { type Commands, commandsUnder, optionNames } from './help.ts';

/** The command the words name, the longest path first; null when they name none. */
export function findCommand(
  commands: Commands,
  words: readonly string[],
): { command: CommandClass<Context>; path: readonly string[] } | null {
  for (let length = Math.min(words.length, 3); length > 0; length--) {
    for (const command of commands) {
      const path = (command.paths ?? []).find(
        (candidate) => candidate.length === length && candidate.every((word, at) => words[at] === word),
      );
      if (path !== undefined) return { command, path };
    }
  }
  return null;
}

/** Throws a usage `Failure` that says what is wrong with the line, not which rules exist. */
export function parse(cli: Cli<Context>, commands: Commands, words: string[], context: Context): Command<Context> {
  const found = findCommand(commands, words);
  if (found === null) throw unknownCommand(commands, words);
  try {
    return cli.process(words, context);
  } catch (error) {
    throw wrongArguments(cli, found, error);
  }
}

function unknownCommand(commands: Commands, words: readonly string[]): Failure {
  const [first = ''] = words;
  const members = commandsUnder(commands, [first]);
  if (members.length > 0) {
    const second = words[1];
    const verbs = members.flatMap((command) => (command.paths ?? []).map((path) => path[1] ?? ''));
    if (second === undefined || second.startsWith('-')) return usageFailure(`jamjet ${first} needs one of ${verbs.join(', ')}`);
    return usageFailure(
      `unknown command "${first} ${second}"`,
      didYouMean(second, verbs, (verb) => `jamjet ${first} ${verb}`),
    );
  }
  if (first.startsWith('-')) return usageFailure(`unknown option ${first} before a command`, 'jamjet --help lists the commands.');
  const verbs = commands.flatMap((command) => (command.paths ?? []).map((path) => path[0] ?? ''));
  return usageFailure(
    `unknown command "${first}"`,
    didYouMean(first, verbs, (verb) => `jamjet ${verb}`),
  );
}

function didYouMean(word: string, candidates: readonly string[], write: (candidate: string) => string): string {
  const candidate = closest(word, candidates);
  return candidate === null ? 'jamjet --help lists the commands.' : `Did you mean \`${write(candidate)}\`?`;
}

function wrongArguments(
  cli: Cli<Context>,
  found: { command: CommandClass<Context>; path: readonly string[] },
  error: unknown,
): Failure {
  const line = `jamjet ${found.path.join(' ')}`;
  const help = `${line} --help shows the options.`;
  const reason = reasonOf(error);
  const option = /^(?:Unsupported|Invalid) option name \("([^"=]+)(=.*)?"\)/.exec(reason);
  if (option !== null) {
    const [, name = '', value] = option;
    const names = optionNames(cli, found.command);
    if (value !== undefined && names.includes(name)) return usageFailure(`${name} takes no value`, help);
    const meant = closest(name, names);
    return usageFailure(`unknown option ${name} for \`${line}\``, meant === null ? help : `Did you mean ${meant}?`);
  }
  const needs = /^Not enough arguments to option (\S+?)\.?$/.exec(reason);
  if (needs !== null) return usageFailure(`${needs[1]} needs a value`, help);
  const extra = /^Extraneous positional argument \("(.*)"\)/.exec(reason);
  if (extra !== null) return usageFailure(`unexpected argument "${extra[1]}"`, help);
  if (/^Not enough positional arguments/.test(reason)) return usageFailure('an argument is missing', help);
  return usageFailure(reason === '' ? `cannot make sense of the arguments of \`${line}\`` : reason, help);
}

/** Clipanion tells why each reading of the line failed; the option-level reasons say most. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const candidates =
    'candidates' in error && Array.isArray(error.candidates) ? (error.candidates as { reason: string | null }[]) : [];
  const reasons = candidates.map((candidate) => candidate.reason).filter((reason) => reason !== null);
  const [first = ''] = reasons;
  if (candidates.length === 0) return error.message;
  return reasons.find((reason) => reason.includes('option')) ?? first;
}
