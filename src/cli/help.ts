import type { Cli, CommandClass, Definition } from 'clipanion';
import type { Usage } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './failure.ts';
import type { Paint } from './terminal/paint.ts';
import { pad } from './terminal/text.ts';

export type Commands = readonly CommandClass<Context>[];

const CATEGORIES: readonly Usage['category'][] = ['Workflows', 'Executions', 'Server', 'Administration'];

/** What an option's value is called in help. */
const VALUES: Readonly<Record<string, string>> = {
  '--after': 'SEQUENCE',
  '--bind': 'ADDRESS',
  '--comment': 'TEXT',
  '--data': 'JSON',
  '--db': 'PATH',
  '--decision': 'approved|rejected',
  '--event': 'KEY',
  '--expires-in': 'DURATION',
  '--idempotency-key': 'KEY',
  '--input': 'JSON',
  '--limit': 'N',
  '--name': 'NAME',
  '--node': 'NODE',
  '--node-id': 'NODE',
  '--offset': 'N',
  '--output': 'text|json',
  '--port': 'PORT',
  '--resume': 'ID',
  '--role': 'ROLE',
  '--runtime': 'URL',
  '--state-patch': 'JSON',
  '--status': 'STATUS',
  '--tenant': 'TENANT',
  '--timeout': 'SECONDS',
  '--tools': 'MODULE',
  '--type': 'TYPE',
  '--workflow': 'ID',
  '--workflow-version': 'VERSION',
};

/** `jamjet --help`: every command with its summary, by category. */
export function overview(commands: Commands, version: string, paint: Paint): string {
  const names = commands.map((command) => pathOf(command).join(' '));
  const widest = Math.max(...names.map((name) => name.length));
  const sections = CATEGORIES.map((category) => {
    const lines = commands
      .filter((command) => usageOf(command).category === category)
      .map((command) => `  ${paint.cyan(pad(pathOf(command).join(' '), widest))}  ${usageOf(command).description}`);
    return `${paint.bold(category)}\n${lines.join('\n')}`;
  });
  return [
    `${paint.bold('jamjet')} ${version}: durable execution for agent workflows`,
    `${paint.bold('Usage')}\n  jamjet COMMAND [options]\n  jamjet COMMAND --help`,
    ...sections,
    `${paint.bold('Environment')}
  JAMJET_URL     the runtime commands talk to (default http://localhost:7700)
  JAMJET_TOKEN   the token they send (default: the one \`jamjet dev\` saved in .jamjet/token)
  DATABASE_URL   the database of dev, serve, token and embedded runs (default .jamjet/runtime.db)
  NO_COLOR       any value: no colours`,
    `${paint.bold('Exit status')}
  ${EXIT.ok} done · ${EXIT.failed} failed · ${EXIT.usage} wrong command line · ${EXIT.unfinished} the followed execution has not ended · ${EXIT.interrupted} interrupted`,
  ].join('\n\n');
}

/** `jamjet VERB --help`. */
export function commandHelp(cli: Cli<Context>, command: CommandClass<Context>, path: readonly string[], paint: Paint): string {
  const { description, details, examples } = usageOf(command);
  const definition = definitionOf(cli, command);
  const options = [...definition.options.map(optionRow), ['-h, --help', 'Show this help.'] as const];
  const widest = Math.max(...options.map(([name]) => name.length));
  const aliases = (command.paths ?? [])
    .filter((other) => other.join(' ') !== path.join(' '))
    .map((other) => `jamjet ${other.join(' ')}`);
  return [
    `${description}.`,
    `${paint.bold('Usage')}\n  jamjet ${path.join(' ')} [options]${positionals(definition)}`,
    ...(aliases.length === 0 ? [] : [`${paint.bold('Also')}\n  ${aliases.join(', ')}`]),
    `${paint.bold('Options')}\n${options.map(([name, text]) => `  ${paint.cyan(pad(name, widest))}  ${text}`).join('\n')}`,
    ...(details === undefined ? [] : [details.trim()]),
    `${paint.bold('Examples')}\n${examples.map(([what, line]) => `  ${paint.dim(`# ${what}`)}\n  ${line.replaceAll('$0', 'jamjet')}`).join('\n\n')}`,
  ].join('\n\n');
}

/** `jamjet token --help`: the commands under a word that is none itself. */
export function groupHelp(commands: Commands, prefix: readonly string[], paint: Paint): string {
  const members = commandsUnder(commands, prefix);
  const widest = Math.max(...members.map((command) => pathOf(command).join(' ').length));
  const lines = members.map(
    (command) => `  ${paint.cyan(pad(pathOf(command).join(' '), widest))}  ${usageOf(command).description}`,
  );
  return `${paint.bold('Usage')}\n  jamjet ${prefix.join(' ')} COMMAND [options]\n\n${paint.bold('Commands')}\n${lines.join('\n')}`;
}

export function commandsUnder(commands: Commands, prefix: readonly string[]): Commands {
  return commands.filter((command) =>
    (command.paths ?? []).some((path) => path.length > prefix.length && prefix.every((word, at) => path[at] === word)),
  );
}

export function pathOf(command: CommandClass<Context>): readonly string[] {
  return command.paths?.[0] ?? [];
}

export function usageOf(command: CommandClass<Context>): Usage {
  return command.usage as Usage;
}

/** The long names of a command's options, and its short ones: `--input`, `-i`. */
export function optionNames(cli: Cli<Context>, command: CommandClass<Context>): string[] {
  return definitionOf(cli, command).options.flatMap((option) => (option.definition.split(' ')[0] ?? '').split(','));
}

function definitionOf(cli: Cli<Context>, command: CommandClass<Context>): Definition {
  const path = `jamjet ${pathOf(command).join(' ')}`;
  const definition = cli.definitions().find((candidate) => candidate.path.startsWith(path) && candidate.usage.startsWith(path));
  if (definition === undefined) throw new Error(`no definition of ${path}`);
  return definition;
}

function optionRow(option: { readonly definition: string; readonly description?: string }): readonly [string, string] {
  const [names = '', ...values] = option.definition.split(' ');
  const long = names.split(',').find((name) => name.startsWith('--')) ?? names;
  const value = values.length === 0 ? '' : ` ${VALUES[long] ?? 'VALUE'}`;
  const indent = names.startsWith('--') ? '    ' : '';
  return [`${indent}${names.replaceAll(',', ', ')}${value}`, option.description ?? ''];
}

/** ` <file> [node]` out of clipanion's usage line, in the words of this help: ` FILE [NODE]`. */
function positionals(definition: Definition): string {
  const words = definition.usage.match(/(?<= )(?:<[a-z-]+>|\[[a-z-]+\]|\.\.\.)(?= |$)/g) ?? [];
  return words.map((word) => ` ${word.replace(/^<(.*)>$/, '$1').toUpperCase()}`).join('');
}
