import { Cli, type CommandClass, Option } from 'clipanion';
import { JamjetCommand, type Usage } from '../base/command.ts';
import { type CommandCompletion, completionScript, type OptionCompletion, SHELLS } from '../completion.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../failure.ts';
import { choiceArgument } from '../input/arguments.ts';

/** An entry of the command table. */
interface ListedCommand {
  readonly names: readonly string[];
  readonly summary: string;
  readonly load: () => Promise<CommandClass<Context>>;
}

const HELP: OptionCompletion = { names: ['-h', '--help'], description: 'Show help.', takesValue: false };

/** The `completion` command. The table of commands, which contains it, is passed in to avoid an import cycle. */
export function completionCommand(commands: () => readonly ListedCommand[]): CommandClass<Context> {
  return class CompletionCommand extends JamjetCommand {
    static override usage: Usage = {
      details: 'Prints the script. Load it in the start-up file of your shell.',
      examples: [
        ['bash: in ~/.bashrc', 'eval "$($0 completion bash)"'],
        ['zsh: in ~/.zshrc, after compinit', 'eval "$($0 completion zsh)"'],
        ['fish', '$0 completion fish > ~/.config/fish/completions/jamjet.fish'],
      ],
    };

    shell = Option.String({ name: 'shell', required: true });

    async execute(): Promise<number> {
      const shell = choiceArgument('shell', this.shell, SHELLS);
      const completions = await Promise.all(commands().map(completionsOf));
      this.context.stdout.write(completionScript(shell, completions.flat()));
      return EXIT.ok;
    }
  };
}

/** One completion per name of a command, with its options as clipanion defines them. */
async function completionsOf({ names, summary, load }: ListedCommand): Promise<readonly CommandCompletion[]> {
  const [definition] = Cli.from<Context>([await load()]).definitions();
  const options = (definition?.options ?? []).map(({ definition: line, description = '' }) => {
    const [names = '', ...values] = line.split(' ');
    return { names: names.split(','), description, takesValue: values.length > 0 };
  });
  return names.map((name) => ({ name, summary, options: [...options, HELP] }));
}
