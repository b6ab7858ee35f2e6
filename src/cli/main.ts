import { fstatSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { unknownVariables, VERSION } from '../server/config.ts';
import type { Context } from './context.ts';
import { asFailure, EXIT } from './failure.ts';
import { commandHelp, groupHelp, overview } from './help.ts';
import { type CommandMatch, commandsUnder, findCommand, joinHashes, moveCommandFirst, parse, unknownCommand } from './parse.ts';
import { paintFor } from './terminal/paint.ts';
import { plain } from './terminal/text.ts';

/** Runs `jamjet ARGS` in the given context; resolves to the exit code. Errors are printed as one line and a hint, without a stack. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    const failure = asFailure(error);
    const paint = paintFor(context.stderr, context.env);
    context.stderr.write(`${paint.red('error:')} ${plain(failure.message, { lines: true })}\n`);
    if (failure.hint !== null) context.stderr.write(`${paint.dim(plain(failure.hint, { lines: true }))}\n`);
    return failure.exitCode;
  }
}

async function dispatch(args: readonly string[], context: Context): Promise<number> {
  const paint = paintFor(context.stdout, context.env);
  const print = (text: string) => {
    context.stdout.write(`${text}\n`);
    return EXIT.ok;
  };
  if (args.length === 1 && ['--version', '-V', '-v'].includes(args[0] ?? '')) return print(VERSION);
  if (args[0] === '__complete') {
    const { complete } = await import('./complete.ts');
    await complete(args.slice(1), context);
    return EXIT.ok;
  }
  const argsAfterHelp = args[0] === 'help' ? args.slice(1) : args;
  const words = joinHashes(moveCommandFirst(argsAfterHelp) ?? argsAfterHelp);
  const [first] = words;
  const match = findCommand(words);
  const wantsHelp = args[0] === 'help' || asksForHelp(words);
  if (match !== null) return wantsHelp ? print(await helpOn(match, context)) : execute(match, words, context);
  if (first === undefined || (wantsHelp && first.startsWith('-'))) return print(overview(VERSION, paint));
  const group = commandsUnder(first);
  if (wantsHelp && group.length > 0) return print(groupHelp(first, group, paint));
  throw unknownCommand(words);
}

/** They log such warnings. */
const LOGGING_COMMANDS: ReadonlySet<string> = new Set(['serve', 'dev']);

function warn(problem: string, { stderr, env }: Context): void {
  stderr.write(`${paintFor(stderr, env).yellow('warning:')} ${plain(problem)}\n`);
}

async function execute(match: CommandMatch, words: readonly string[], context: Context): Promise<number> {
  const { cli } = await load(match);
  if (!LOGGING_COMMANDS.has(match.name)) for (const problem of unknownVariables(context.env)) warn(problem, context);
  return await parse(cli, match.name, [...words], context).validateAndExecute();
}

async function helpOn(match: CommandMatch, context: Context): Promise<string> {
  const { cli, command } = await load(match);
  return commandHelp(cli, command, match.entry, match.name, paintFor(context.stdout, context.env));
}

async function load({ entry }: CommandMatch) {
  const [{ Cli }, command] = await Promise.all([import('clipanion'), entry.load()]);
  return { cli: Cli.from<Context>([command], { binaryName: 'jamjet' }), command };
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return (end === -1 ? words : words.slice(0, end)).some((word) => word === '-h' || word === '--help');
}

/** A pipe of a shell, or a file. Other programs may pass a socket that never ends. */
function isPiped(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile();
  } catch {
    // Standard input is closed.
    return false;
  }
}

/** Delay before the process exits although handles are open, once the command has ended and its output is flushed. */
const EXIT_DELAY_MS = 500;

/**
 * Entry point of the `jamjet` process. A closed output pipe (`jamjet events ID | head`) ends it silently, as SIGPIPE would. A user function
 * that never returns does not keep the process alive.
 */
export async function main(host: NodeJS.Process): Promise<void> {
  // V8 would put into the old space what executions allocate, since the first ones survive while the young generation is small (docs/scale.md).
  setFlagsFromString('--no-allocation-site-pretenuring');
  const onOutputError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    host.exit(141);
  };
  host.stdout.on('error', onOutputError);
  host.stderr.on('error', onOutputError);
  const { env, stdin, stdout, stderr } = host;
  // Keeps the process alive until the command has ended, even if no handle is open.
  const keepAlive = setInterval(() => undefined, 60_000);
  host.exitCode = await run(host.argv.slice(2), {
    env,
    stdin,
    stdout,
    stderr,
    signals: host,
    cwd: host.cwd(),
    colorDepth: 1,
    stdinIsPiped: isPiped(),
  });
  clearInterval(keepAlive);
  await Promise.all([stdout, stderr].map((stream) => new Promise<void>((flushed) => stream.write('', () => flushed()))));
  setTimeout(() => host.exit(), EXIT_DELAY_MS).unref();
}
