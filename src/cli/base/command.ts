import { Command, Option } from 'clipanion';
import type { Context } from '../context.ts';
import type { Paint } from '../terminal/paint.ts';
import { paintFor } from '../terminal/paint.ts';

/** Help of a command beyond its summary in commands/index.ts. */
export interface Usage {
  readonly details?: string;
  /** Description and command line, with `$0` for `jamjet`. */
  readonly examples: [string, string][];
}

/** Base of all commands. `execute` resolves to the exit code and throws errors, which main.ts prints. */
export abstract class JamjetCommand extends Command<Context> {
  protected get paint(): Paint {
    return paintFor(this.context.stdout, this.context.env);
  }

  protected print(text: string): void {
    this.context.stdout.write(`${text}\n`);
  }

  /** Prints a remark to standard error, so that it does not end up in a pipe. */
  protected note(text: string): void {
    this.context.stderr.write(`${paintFor(this.context.stderr, this.context.env).dim(text)}\n`);
  }

  protected warn(text: string): void {
    warn(this.context, text);
  }

  protected printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  abstract override execute(): Promise<number>;
}

export function warn({ stderr, env }: Pick<Context, 'stderr' | 'env'>, text: string): void {
  stderr.write(`${paintFor(stderr, env).yellow('warning:')} ${text}\n`);
}

/** A command that prints its result as text or JSON. */
export abstract class PrintingCommand extends JamjetCommand {
  json = Option.Boolean('--json', false, { description: 'Print JSON instead of text.' });
}
