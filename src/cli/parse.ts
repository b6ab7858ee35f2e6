import type { Cli, Command } from 'clipanion';
import { closest } from '../../machines/suggest.ts';
import { COMMANDS, type CommandEntry } from './commands/index.ts';
import type { Context } from './context.ts';
import { type Failure, usageFailure } from './failure.ts';
import { argumentNames, optionNames, requiredOptions } from './help.ts';

export interface CommandMatch {
  readonly entry: CommandEntry;
  /** The name that was typed. */
  readonly name: string;
}

/** The command named by the first words, or null. */
export function findCommand(words: readonly string[]): CommandMatch | null {
  for (const entry of COMMANDS) {
    const name = entry.names.find((candidate) => words.slice(0, candidate.split(' ').length).join(' ') === candidate);
    if (name !== undefined) return { entry, name };
  }
  return null;
}

/** Moves the command before its options (`--runtime URL ls`), as the upstream CLI accepts it. Null if options are not followed by a command. */
export function moveCommandFirst(words: readonly string[]): readonly string[] | null {
  for (let at = 0; at < words.length; ) {
    const found = findCommand(words.slice(at));
    if (found !== null && at > 0) {
      const end = at + found.name.split(' ').length;
      return [...words.slice(at, end), ...words.slice(0, at), ...words.slice(end)];
    }
    if (words[at]?.startsWith('-') !== true) return null;
    // Skip an option, and its value unless the next word is a command.
    const next = words[at + 1];
    at += next !== undefined && !next.startsWith('-') && findCommand(words.slice(at + 1)) === null ? 2 : 1;
  }
  return null;
}

const HASH_LIKE_OPTION = /^-[\w-]{42}$/;

/** Joins a hash that begins with a dash, as one of 64 in base64url does, to its option: `--head=-x…`. */
export function joinHashes(words: readonly string[]): readonly string[] {
  return words.flatMap((word, i) => {
    if (words[i - 1] === '--head' && HASH_LIKE_OPTION.test(word)) return [];
    const next = words[i + 1] ?? '';
    return [word === '--head' && HASH_LIKE_OPTION.test(next) ? `--head=${next}` : word];
  });
}

/** Hints for options of the upstream CLI that do not exist here. */
const FOREIGN_OPTIONS: Readonly<Record<string, string>> = {
  '--api-key': 'Set JAMJET_TOKEN instead.',
  '-o': 'It names a file to write, where a command writes one; here use --json.',
  '--token': 'Set JAMJET_TOKEN instead.',
  '--with-mcp-server': 'Every server has an MCP endpoint: /mcp.',
  '--with-a2a-server': 'Every server has an A2A endpoint: /a2a.',
  '--scopes': 'Tokens have a role instead: --role operator, developer, reviewer or viewer.',
  '--tenant': 'The token determines the tenant: use a token of that tenant.',
  '--no-tokens': 'Token usage is shown only for nodes that report it.',
  '--from-node': 'jamjet fork ID --at SEQUENCE continues from there as a new execution.',
  '--override-input':
    'jamjet fork ID --at SEQUENCE --patch JSON continues with a changed state; jamjet run WORKFLOW --input JSON starts over.',
};

/** The commands of a group such as `token`. */
export function commandsUnder(word: string): readonly CommandEntry[] {
  return COMMANDS.filter((entry) => entry.names.some((name) => name.startsWith(`${word} `)));
}

export function unknownCommand(words: readonly string[]): Failure {
  const [first = '', second] = words;
  if (first.startsWith('-')) return usageFailure(`unknown option ${first} before a command`, 'jamjet --help lists the commands.');
  const verbs = commandsUnder(first).flatMap((entry) => entry.names.map((name) => name.slice(first.length + 1)));
  if (verbs.length > 0 && (second === undefined || second.startsWith('-')))
    return usageFailure(`jamjet ${first} needs one of ${verbs.join(', ')}`);
  const [word, candidates] =
    verbs.length > 0
      ? [`${first} ${second}`, verbs.map((verb) => `${first} ${verb}`)]
      : [first, COMMANDS.flatMap((entry) => entry.names)];
  const suggestion = closest(word, candidates);
  return usageFailure(
    `unknown command "${word}"`,
    suggestion === null ? 'jamjet --help lists the commands.' : `Did you mean \`jamjet ${suggestion}\`?`,
  );
}

/** Parses the line with a `cli` that has only this command registered. Throws a usage `Failure` that names the invalid argument. */
export function parse(cli: Cli<Context>, name: string, words: string[], context: Context): Command<Context> {
  try {
    return cli.process(words, context);
  } catch (error) {
    throw argumentFailure(cli, name, words, error);
  }
}

function argumentFailure(cli: Cli<Context>, name: string, words: readonly string[], error: unknown): Failure {
  const help = `jamjet ${name} --help shows the options.`;
  const reason = parseFailureReason(error);
  const option = /^(?:Unsupported|Invalid) option name \("([^"=]+)(=.*)?"\)/.exec(reason);
  if (option !== null) {
    const [, word = '', value] = option;
    const names = optionNames(cli);
    if (value !== undefined && names.includes(word)) return usageFailure(`${word} takes no value`, help);
    const foreignHint = Object.hasOwn(FOREIGN_OPTIONS, word) ? FOREIGN_OPTIONS[word] : undefined;
    const suggestion = closest(word, names);
    const hint = foreignHint ?? (suggestion === null ? help : `Did you mean ${suggestion}?`);
    return usageFailure(`unknown option ${word} for \`jamjet ${name}\``, hint);
  }
  const needs = /^Not enough arguments to option (\S+?)\.?$/.exec(reason);
  if (needs !== null) return usageFailure(`${needs[1]} needs a value`, help);
  const extra = /^Extraneous positional argument \("(.*)"\)/.exec(reason);
  if (extra !== null) return usageFailure(`unexpected argument "${extra[1]}"`, help);
  if (/^Not enough positional arguments/.test(reason))
    return usageFailure(`an argument is missing: jamjet ${name}${argumentNames(cli)}`, help);
  const missing = requiredOptions(cli).find((names) => !words.some((word) => names.includes(word.split('=', 1)[0] ?? '')));
  if (reason === '' && missing !== undefined) return usageFailure(`${missing.at(-1)} is missing`, help);
  return usageFailure(reason === '' ? `invalid arguments for \`jamjet ${name}\`` : reason, help);
}

/** Clipanion gives a reason for each way to parse the line; the one about an option is the most specific. */
function parseFailureReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const candidates =
    'candidates' in error && Array.isArray(error.candidates) ? (error.candidates as { reason: string | null }[]) : [];
  if (candidates.length === 0) return error.message;
  const reasons = candidates.map((candidate) => candidate.reason).filter((reason) => reason !== null);
  return reasons.find((reason) => reason.includes('option')) ?? reasons[0] ?? '';
}
