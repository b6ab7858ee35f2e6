import { Command, Option } from 'clipanion';
import type { Context } from '../context.ts';
import type { Paint } from '../terminal/paint.ts';
import { paintFor } from '../terminal/paint.ts';

/** Help on a command beyond its summary (commands/index.ts). */
export interface Usage {
  readonly details?: string;
  /** What it does, and the command line, `$0` for `jamjet`. */
  readonly examples: [string, string][];
}

/** What every command has: painted output, errors thrown (main.ts prints them), an exit code returned. */
export abstract class JamjetCommand extends Command<Context> {
  protected get paint(): Paint {
    return paintFor(this.context.stdout, this.context.env);
  }

  protected print(text: string): void {
    this.context.stdout.write(`${text}\n`);
  }

  /** Remarks beside the output proper: to standard error, so that pipes stay clean. */
  protected note(text: string): void {
    this.context.stderr.write(`${paintFor(this.context.stderr, this.context.env).dim(text)}\n`);
  }

  protected warn(text: string): void {
    this.context.stderr.write(`${paintFor(this.context.stderr, this.context.env).yellow('warning:')} ${text}\n`);
  }

  protected printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  abstract override execute(): Promise<number>;
}

/** A command that prints a result, for people or as JSON. */
export abstract class PrintingCommand extends JamjetCommand {
  json = Option.Boolean('--json', false, { description: 'Print JSON instead of text.' });
}
