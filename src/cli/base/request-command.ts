import type { CommandClass } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../failure.ts';
import type { Paint } from '../terminal/paint.ts';
import { ClientCommand } from './client-command.ts';
import type { Usage } from './command.ts';

/** What a reply is printed with. */
export interface Style {
  readonly paint: Paint;
  readonly nowMs: number;
}

/** A command that is one request and the text of its reply. */
export interface RequestSpec<Options extends object, Reply> {
  readonly usage: Usage;
  /** Clipanion's arguments and options by name; a fresh set for each run. */
  readonly options: () => Options;
  /** See `ClientCommand.executionOptions`. */
  readonly executionOptions?: readonly string[];
  /** Default false: see `ClientCommand.changesOffline`. */
  readonly changesOffline?: boolean;
  /** Default false: see `ClientCommand.readOnly`. */
  readonly readOnly?: boolean;
  readonly call: (client: JamjetClient, options: Options, context: Context) => Promise<Reply>;
  /** Null: the reply is empty, and `empty` is printed as a note instead. */
  readonly text: (reply: Reply, style: Style, options: Options) => string | null;
  readonly empty?: string;
  /** A remark below the text, on standard error; null = none. */
  readonly note?: (reply: Reply) => string | null;
  /** Default `EXIT.ok`. */
  readonly exitCode?: (reply: Reply) => number;
}

/** The command class of a specification. With `--json` it prints the reply as it came. */
export function requestCommand<Options extends object, Reply>(spec: RequestSpec<Options, Reply>): CommandClass<Context> {
  return class RequestCommand extends ClientCommand {
    static override usage: Usage = spec.usage;
    protected override readonly executionOptions = spec.executionOptions ?? [];

    constructor() {
      super();
      // Clipanion takes the options of a command from the fields of its instances.
      Object.assign(this, spec.options());
    }

    protected override get readOnly(): boolean {
      return spec.readOnly ?? false;
    }

    protected override get changesOffline(): boolean {
      return spec.changesOffline ?? false;
    }

    protected async request(client: JamjetClient): Promise<number> {
      // Clipanion has replaced each option by its value, of the type that `Option` declares.
      const options = this as unknown as Options;
      const reply = await spec.call(client, options, this.context);
      if (this.json) this.printJson(reply);
      else this.#printText(reply, options);
      return spec.exitCode?.(reply) ?? EXIT.ok;
    }

    #printText(reply: Reply, options: Options): void {
      const text = spec.text(reply, { paint: this.paint, nowMs: Date.now() }, options);
      if (text !== null) this.print(text);
      else if (spec.empty !== undefined) this.note(spec.empty);
      const note = spec.note?.(reply) ?? null;
      if (note !== null) this.note(note);
    }
  };
}
