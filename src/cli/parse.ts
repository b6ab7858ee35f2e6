import type { Cli, Command } from 'clipanion';
import { closest } from '../../machines/suggest.ts';
import { COMMANDS, type CommandEntry } from './commands/index.ts';
import type { Context } from './context.ts';
import { type Failure, usageFailure } from './failure.ts';
import { argumentNames, optionNames, requiredOptions } from './help.ts';

export interface CommandMatch {
  readonly entry: CommandEntry;
  /** The name it was called by. */
  readonly name: string;
}

/** The command that the first words name; null when they name none. */
export function findCommand(words: readonly string[]): CommandMatch | null {
  for (const entry of COMMANDS) {
    const name = entry.names.find((candidate) => words.slice(0, candidate.split(' ').length).join(' ') === candidate);
    if (name !== undefined) return { entry, name };
  }
  return null;
}

/** The same words with the command first: other programs of this name take options before it. Null when no command follows them. */
export function moveCommandFirst(words: readonly string[]): readonly string[] | null {
  for (let at = 0; at < words.length; ) {
    const found = findCommand(words.slice(at));
    if (found !== null && at > 0) {
      const end = at + found.name.split(' ').length;
      return [...words.slice(at, end), ...words.slice(0, at), ...words.slice(end)];
    }
    if (words[at]?.startsWith('-') !== true) return null;
    // An option, and its value if the command is not next.
    const next = words[at + 1];
    at += next !== undefined && !next.startsWith('-') && findCommand(words.slice(at + 1)) === null ? 2 : 1;
  }
  return null;
}

/** Options of other programs of this name, and what does the same here. */
const FOREIGN_OPTIONS: Readonly<Record<string, string>> = {
  '--api-key': 'The token is taken from JAMJET_TOKEN.',
  '--token': 'The token is taken from JAMJET_TOKEN.',
  '--with-mcp-server': 'Every server is one: its MCP endpoint is /mcp.',
  '--with-a2a-server': 'Every server is one: its A2A endpoint is /a2a.',
  '--scopes': 'A token has a role: --role operator, developer, reviewer or viewer.',
  '--tenant': 'A token belongs to a tenant: use one of it.',
  '--no-tokens': 'Tokens are shown where nodes report them; there is nothing to leave out.',
  '--from-node': 'jamjet fork ID --at SEQUENCE goes on from there, as an execution of its own.',
  '--override-input':
    'jamjet fork ID --at SEQUENCE --patch JSON goes on with another state; jamjet run WORKFLOW --input JSON starts anew.',
};

/** The commands under a word that is none itself: `token`. */
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

/** Throws a usage `Failure` that says what is wrong with the line, not which rules exist. `cli` knows the command called alone. */
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
  return usageFailure(reason === '' ? `cannot make sense of the arguments of \`jamjet ${name}\`` : reason, help);
}

/** Clipanion tells why each reading of the line failed; what it says of options says most. */
function parseFailureReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const candidates =
    'candidates' in error && Array.isArray(error.candidates) ? (error.candidates as { reason: string | null }[]) : [];
  if (candidates.length === 0) return error.message;
  const reasons = candidates.map((candidate) => candidate.reason).filter((reason) => reason !== null);
  return reasons.find((reason) => reason.includes('option')) ?? reasons[0] ?? '';
}
