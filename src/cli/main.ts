import { readFileSync } from 'node:fs';
import { Cli } from 'clipanion';
import { COMMANDS } from './commands/index.ts';
import type { Context } from './context.ts';
import { asFailure, EXIT } from './failure.ts';
import { commandHelp, commandsUnder, groupHelp, overview } from './help.ts';
import { findCommand, parse } from './parse.ts';
import { paintFor } from './terminal/paint.ts';
import { plain } from './terminal/text.ts';

/** `jamjet ARGS` in the given context; resolves to the exit code. Prints every error as one line and a hint, never a stack. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  const cli = Cli.from<Context>([...COMMANDS], { binaryName: 'jamjet' });
  try {
    const answer = information(cli, args, context);
    if (answer !== null) {
      context.stdout.write(`${answer}\n`);
      return EXIT.ok;
    }
    const command = parse(cli, COMMANDS, [...args], context);
    return await command.validateAndExecute();
  } catch (error) {
    const failure = asFailure(error);
    const paint = paintFor(context.stderr, context.env);
    context.stderr.write(`${paint.red('error:')} ${plain(failure.message, { lines: true })}\n`);
    if (failure.hint !== null) context.stderr.write(`${paint.dim(plain(failure.hint, { lines: true }))}\n`);
    return failure.exitCode;
  }
}

/** Help or version, when that is what is asked for. */
function information(cli: Cli<Context>, args: readonly string[], context: Context): string | null {
  const paint = paintFor(context.stdout, context.env);
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) return version();
  const end = args.indexOf('--');
  const asked = (end === -1 ? args : args.slice(0, end)).some((word) => word === '-h' || word === '--help');
  if (args.length > 0 && !asked && args[0] !== 'help') return null;
  const words = args.filter((word, at) => !(at === 0 && word === 'help'));
  const found = findCommand(COMMANDS, words);
  if (found !== null) return commandHelp(cli, found.command, found.path, paint);
  const [first] = words;
  if (first === undefined || first.startsWith('-')) return overview(COMMANDS, version(), paint);
  return commandsUnder(COMMANDS, [first]).length > 0 ? groupHelp(COMMANDS, [first], paint) : null;
}

/** Read rather than imported: the file stays outside the compiled tree. */
function version(): string {
  const text = readFileSync(new URL(import.meta.resolve('jamjet-runtime/package.json')), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The process `jamjet` runs as. A reader that went away (`jamjet events ID | head`) ends it quietly, as SIGPIPE would. */
export async function main(host: NodeJS.Process): Promise<void> {
  const leave = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    host.exit(141);
  };
  host.stdout.on('error', leave);
  host.stderr.on('error', leave);
  const { env, stdin, stdout, stderr } = host;
  host.exitCode = await run(host.argv.slice(2), { env, stdin, stdout, stderr, signals: host, cwd: host.cwd(), colorDepth: 1 });
}
