import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { choiceArgument } from '../input/arguments.ts';
import { UnreadablePackage } from '../input/package-file.ts';
import { commandsOf, FilesExist, TEMPLATES, type WrittenTemplate, writeTemplate } from '../input/templates.ts';
import { plain, shellWord } from '../terminal/text.ts';

/** Fits into a workflow file and a heading as it is. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,199}$/u;
const NAMES = Object.keys(TEMPLATES);

class CreateCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Writes a workflow with its functions, an input, and answers of a scripted model, so that it runs at once and without a provider.
Nothing is overwritten: of an existing project, package.json is extended, and README.md, .gitignore and tsconfig.json stay as they are.`,
    examples: [
      ['Begin a project in TypeScript in a new folder', '$0 create my-agent -t typescript'],
      ['Add a workflow in TypeScript to the present folder', '$0 init -t typescript'],
      ['Begin with another template', '$0 create helper -t research-agent'],
      ['Begin in the present folder', '$0 init -t approval-workflow'],
      ['Show the templates', '$0 init --list-templates'],
    ],
  };

  project = Option.String({ name: 'name', required: false });
  template = Option.String('-t,--template', 'hello-agent', { description: `${NAMES.join(', ')} (default hello-agent).` });
  listTemplates = Option.Boolean('--list-templates', false, { description: 'List the templates.' });

  async execute(): Promise<number> {
    if (this.listTemplates) return this.#list();
    const template = choiceArgument('--template', this.template, NAMES);
    const isInit = this.path[0] === 'init';
    if (this.project === undefined && !isInit)
      throw usageFailure('name the project', 'jamjet init writes into the present folder.');
    const folder = resolve(this.context.cwd, this.project ?? '.');
    const name = basename(folder);
    if (!NAME.test(name)) throw usageFailure(`the name ${JSON.stringify(name)} must be letters, digits, spaces and "._-"`);
    if (this.project !== undefined && (await exists(folder))) throw new Failure(`${plain(this.project)} exists already`);
    try {
      const written = await writeTemplate(template, name, folder);
      this.#report(template, name, written, await commandsOf(template, folder));
    } catch (error) {
      throw error instanceof FilesExist || error instanceof UnreadablePackage ? new Failure(error.message) : error;
    }
    return EXIT.ok;
  }

  #list(): number {
    if (this.json) this.printJson(Object.entries(TEMPLATES).map(([name, description]) => ({ name, description })));
    else
      for (const [name, description] of Object.entries(TEMPLATES))
        this.print(`${name.padEnd(18)} ${this.paint.dim(description)}`);
    return EXIT.ok;
  }

  #report(template: string, name: string, { files, merged, kept }: WrittenTemplate, commands: readonly string[]): void {
    if (this.json) {
      this.printJson({ name, template, files, merged, kept });
      return;
    }
    const { paint } = this;
    this.print(`${paint.green('✓')} ${plain(name)} from the template ${template}`);
    for (const file of files) this.print(paint.dim(`  ${file}`));
    for (const file of merged) this.print(paint.dim(`  ${file} (extended)`));
    if (kept.length > 0) this.print(`  kept as it was: ${kept.map((file) => plain(file)).join(', ')}`);
    const enter = this.project === undefined ? [] : [`cd ${shellWord(this.project)}`];
    this.print(['', ...enter, ...commands].join('\n  '));
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export { CreateCommand as command };
