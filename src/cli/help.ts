import type { Cli, CommandClass, Definition } from 'clipanion';
import type { Usage } from './base/command.ts';
import { CATEGORIES, COMMANDS, type CommandEntry } from './commands/index.ts';
import type { Context } from './context.ts';
import { EXIT } from './failure.ts';
import type { Paint } from './terminal/paint.ts';
import { pad } from './terminal/text.ts';
import { wrapWords } from './terminal/wrap.ts';

/** Placeholders of option values in help. */
const VALUES: Readonly<Record<string, string>> = {
  '--action': 'ACTION',
  '--actor': 'NAME',
  '--after': 'SEQUENCE',
  '--at': 'SEQUENCE',
  '--bind': 'ADDRESS',
  '--comment': 'TEXT',
  '--cost-usd': 'AMOUNT',
  '--coverage': 'PERCENT',
  '--cursor': 'CURSOR',
  '--data': 'JSON',
  '--db': 'DATABASE',
  '--decision': 'DECISION',
  '--delay': 'DURATION',
  '--description': 'TEXT',
  '--error': 'ERROR',
  '--event': 'KEY',
  '--events': 'KINDS',
  '--execution': 'ID',
  '--expires-in': 'DURATION',
  '--file': 'PATH',
  '--format': 'FORMAT',
  '--from-block': 'N',
  '--group-by': 'FIELD',
  '--month': 'MONTH',
  '--visit': 'N',
  '--head': 'HASH',
  '--header': 'HEADER',
  '--idempotency-key': 'KEY',
  '--filter': 'JSON',
  '--id': 'ID',
  '--queue': 'QUEUE',
  '--grace': 'SECONDS',
  '--input': 'JSON',
  '--input-file': 'PATH',
  '--label': 'LABEL',
  '--limit': 'N',
  '--limits': 'JSON',
  '--media-type': 'TYPE',
  '--missed': 'POLICY',
  '--name': 'NAME',
  '--node': 'NODE',
  '--node-id': 'NODE',
  '--item': 'N',
  '--item-status': 'STATUS',
  '--offset': 'N',
  '--on-behalf-of': 'NAME',
  '--output': 'FORMAT',
  '--overlap': 'POLICY',
  '--parent': 'ID',
  '--metadata': 'JSON',
  '--patch': 'JSON',
  '--paths': 'N',
  '--policy': 'JSON',
  '--script': 'FILE',
  '--rubric': 'TEXT',
  '--model': 'MODEL',
  '--min-score': 'SCORE',
  '--assert': 'EXPRESSION',
  '--latency-ms': 'MS',
  '--concurrency': 'N',
  '--fail-below': 'PERCENT',
  '--row-id': 'ID',
  '--caption': 'TEXT',
  '--tenant-policy': 'FILE',
  '--thread': 'ID',
  '--key': 'KEY',
  '--if-running': 'WHAT',
  '--port': 'PORT',
  '--protocol': 'PROTOCOL',
  '--reason': 'TEXT',
  '--resume': 'ID',
  '--role': 'ROLE',
  '--runtime': 'URL',
  '--since': 'TIME',
  '--skill': 'SKILL',
  '--start': 'JSON',
  '--start-at': 'TIME',
  '--state-patch': 'JSON',
  '--status': 'STATUS',
  '--steps': 'N',
  '--subject-token-env': 'NAME',
  '--template': 'NAME',
  '--tenant': 'TENANT',
  '--timeout': 'SECONDS',
  '--timezone': 'ZONE',
  '--tokens': 'N',
  '--tools': 'MODULE',
  '--ttl': 'DURATION',
  '--trust-domain': 'DOMAIN',
  '--type': 'TYPE',
  '--until': 'TIME',
  '--url': 'URL',
  '--view': 'VIEW',
  '--wait': 'DURATION',
  '--workflow': 'ID',
  '--workflow-version': 'VERSION',
};

const MAX_DETAILS_COLUMNS = 100;

/** `jamjet --help`: every command with its summary, by category. */
export function overview(version: string, paint: Paint): string {
  const sections = Object.entries(CATEGORIES).map(
    ([category, entries]) => `${paint.bold(category)}\n${summaries(entries, widestName(COMMANDS), paint)}`,
  );
  return [
    `${paint.bold('jamjet')} ${version}: durable execution for agent workflows`,
    `${paint.bold('Usage')}\n  jamjet COMMAND [options]\n  jamjet COMMAND --help`,
    ...sections,
    `${paint.bold('Environment')}
  JAMJET_URL     URL of the server (default http://localhost:7700)
  JAMJET_TOKEN   API token (default: the one that \`jamjet dev\` saved in .jamjet/token)
  DATABASE_URL   database of dev, serve, db, token and embedded runs (default .jamjet/runtime.db)
  NO_COLOR       any value turns colours off`,
    `${paint.bold('Exit status')}
  ${EXIT.ok} success · ${EXIT.failed} failure · ${EXIT.usage} invalid command line · ${EXIT.unfinished} the followed execution has not ended · ${EXIT.interrupted} interrupted`,
  ].join('\n\n');
}

/** `jamjet token --help`: the commands of a group. */
export function groupHelp(prefix: string, entries: readonly CommandEntry[], paint: Paint): string {
  return `${paint.bold('Usage')}\n  jamjet ${prefix} COMMAND [options]\n\n${paint.bold('Commands')}\n${summaries(entries, widestName(entries), paint)}`;
}

/** `jamjet VERB --help`. */
export function commandHelp(
  cli: Cli<Context>,
  command: CommandClass<Context>,
  entry: CommandEntry,
  name: string,
  paint: Paint,
): string {
  const { details, examples } = command.usage as Usage;
  const definition = definitionOf(cli);
  const options = [...definition.options.map(optionRow), ['-h, --help', 'Show this help.'] as const];
  const widest = Math.max(...options.map(([option]) => option.length));
  const aliases = entry.names.filter((other) => other !== name).map((other) => `jamjet ${other}`);
  return [
    `${entry.summary}.`,
    `${paint.bold('Usage')}\n  jamjet ${name} [options]${positionals(definition)}`,
    ...(aliases.length === 0 ? [] : [`${paint.bold('Aliases')}\n  ${aliases.join(', ')}`]),
    `${paint.bold('Options')}\n${options.map(([option, text]) => `  ${paint.cyan(pad(option, widest))}  ${text}`).join('\n')}`,
    ...(details === undefined ? [] : [reflowed(details.trim())]),
    `${paint.bold('Examples')}\n${examples.map(([what, line]) => `  ${paint.dim(`# ${what}`)}\n  ${line.replaceAll('$0', 'jamjet')}`).join('\n\n')}`,
  ].join('\n\n');
}

/** Paragraphs wrapped for reading; indented lines stay as they are, and lines that describe an option are not joined. */
function reflowed(details: string): string {
  const paragraphs = details.split('\n\n').map((paragraph) => {
    if (/^ /m.test(paragraph)) return paragraph;
    const blocks = paragraph.split(/\n(?=--)/).map((block) => block.replaceAll('\n', ' '));
    return blocks.flatMap((block) => wrapWords(block, MAX_DETAILS_COLUMNS)).join('\n');
  });
  return paragraphs.join('\n\n');
}

/** Option names, short and long, of the single command registered with `cli`. */
export function optionNames(cli: Cli<Context>): string[] {
  return definitionOf(cli).options.flatMap((option) => (option.definition.split(' ')[0] ?? '').split(','));
}

/** Positional arguments of the single command registered with `cli`, as in its usage line: ` ID [KEY]`. */
export function argumentNames(cli: Cli<Context>): string {
  return positionals(definitionOf(cli));
}

/** Names of each required option, the short one first. */
export function requiredOptions(cli: Cli<Context>): string[][] {
  const required = definitionOf(cli).options.filter((option) => option.required);
  return required.map((option) => (option.definition.split(' ')[0] ?? '').split(','));
}

function definitionOf(cli: Cli<Context>): Definition {
  const [definition] = cli.definitions();
  if (definition === undefined) throw new Error('no command is registered');
  return definition;
}

function summaries(entries: readonly CommandEntry[], widest: number, paint: Paint): string {
  return entries.map((entry) => `  ${paint.cyan(pad(entry.names[0], widest))}  ${entry.summary}`).join('\n');
}

function widestName(entries: readonly CommandEntry[]): number {
  return Math.max(...entries.map((entry) => entry.names[0].length));
}

function optionRow(option: { readonly definition: string; readonly description?: string }): readonly [string, string] {
  const [names = '', ...values] = option.definition.split(' ');
  const long = names.split(',').find((name) => name.startsWith('--')) ?? names;
  const value = values.length === 0 ? '' : ` ${VALUES[long] ?? 'VALUE'}`;
  const indent = names.startsWith('--') ? '    ' : '';
  return [`${indent}${names.replaceAll(',', ', ')}${value}`, option.description ?? ''];
}

/** Rewrites the arguments of clipanion's usage line, ` <file> [node]`, as ` FILE [NODE]`. */
function positionals(definition: Definition): string {
  const words = definition.usage.match(/(?<= )(?:<[a-z-]+>|\[[a-z-]+\]|\.\.\.)(?= |$)/g) ?? [];
  return words.map((word) => ` ${word.replace(/^<(.*)>$/, '$1').toUpperCase()}`).join('');
}
