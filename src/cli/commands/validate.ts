import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { writeBytes } from '../input/bytes.ts';
import { type AuthoredUnit, readWorkflow, renderDiagnostics, type WorkflowDiagnostic } from '../input/workflow-file.ts';
import { count, plain } from '../terminal/text.ts';

type Requirement = AuthoredUnit['requirements'][number];

interface Result {
  readonly file: string;
  readonly valid: boolean;
  readonly diagnostics: readonly WorkflowDiagnostic[];
  readonly requirements: readonly Requirement[];
}

const NOUNS: Readonly<Record<Requirement['type'], string>> = {
  model: 'model',
  mcp_server: 'MCP server',
  agent: 'agent',
  function: 'function',
  worker: 'worker',
  workflow: 'workflow',
  variable: 'variable',
};

class ValidateCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `Accepts workflow.yaml and IR files (JSON); a file may contain several workflows and agents under
\`workflows:\` and \`agents:\`. Needs no server. Says what the\nworkflows need from outside: keys of models, MCP servers, functions, workers, variables. Fails if a file has an error, and with --strict
also if it has a warning.`,
    examples: [
      ['Check one file', '$0 validate workflow.yaml'],
      ['Check all workflows of a folder', '$0 validate flows/*.yaml'],
      ['Fail on warnings too, in CI', '$0 validate flows/*.yaml --strict'],
      ['Write the IR that a file compiles to', '$0 validate workflow.yaml -o workflow.json'],
      ['Print it', '$0 validate workflow.yaml -o -'],
    ],
  };

  files = Option.Rest({ name: 'file', required: 1 });
  output = Option.String('-o,--output', {
    description: 'Write the IR that the file compiles to into this file (- = standard output), and problems to standard error.',
  });
  strict = Option.Boolean('--strict', false, { description: 'Also fail on warnings.' });

  async execute(): Promise<number> {
    if (this.output !== undefined && this.files.length > 1) throw usageFailure('--output takes one file');
    const results: Result[] = [];
    for (const file of this.files) {
      const { document, workflows: units, diagnostics } = await readWorkflow(file, this.context.cwd);
      const valid = units.length > 0;
      const result = { file, valid, diagnostics, requirements: merged(units.flatMap(({ requirements }) => requirements)) };
      results.push(result);
      if (this.output !== undefined) {
        if (diagnostics.length > 0) this.context.stderr.write(`${this.#summary(result)}\n`);
        if (valid) await this.#write(this.output, document ?? units.map((unit) => unit.document));
      } else if (!this.json) this.print(`${this.#summary(result)}${this.#requirements(result)}`);
    }
    if (this.json && this.output === undefined) this.printJson(results.length === 1 ? results[0] : results);
    return results.every((result) => this.#passes(result)) ? EXIT.ok : EXIT.failed;
  }

  #passes({ valid, diagnostics }: Pick<Result, 'valid' | 'diagnostics'>): boolean {
    return valid && !(this.strict && diagnostics.length > 0);
  }

  async #write(file: string, ir: unknown): Promise<void> {
    if (file === '-') return this.printJson(ir);
    await writeBytes(file, new TextEncoder().encode(`${JSON.stringify(ir, null, 2)}\n`), this.context);
  }

  /** What the workflows need from outside: a line each. */
  #requirements({ requirements }: Result): string {
    return requirements
      .map(({ type, name, nodes, hint }) => {
        const used = nodes.length === 0 ? '' : ` (${nodes.slice(0, 3).join(', ')}${nodes.length > 3 ? ', …' : ''})`;
        return `\n    ${this.paint.dim('needs')} ${NOUNS[type]} ${plain(name)}${this.paint.dim(plain(used))}: ${plain(hint)}`;
      })
      .join('');
  }

  #summary({ file, valid, diagnostics }: Result): string {
    const { paint } = this;
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
    const warnings = diagnostics.length - errors;
    const counts = [errors > 0 ? count(errors, 'error') : '', warnings > 0 ? count(warnings, 'warning') : '']
      .filter((text) => text !== '')
      .join(', ');
    const verdict = !valid
      ? `${paint.red('✗')} ${plain(file)} is not valid`
      : this.#passes({ valid, diagnostics })
        ? `${paint.green('✓')} ${plain(file)} is valid`
        : `${paint.red('✗')} ${plain(file)} has warnings, which fail it with --strict`;
    const listed = diagnostics.length === 0 ? '' : `${renderDiagnostics(diagnostics, this.context, paint)}\n`;
    return `${listed}${verdict}${counts === '' ? '' : paint.dim(` (${counts})`)}`;
  }
}

/** The requirements of several workflows, each once. */
function merged(requirements: readonly Requirement[]): readonly Requirement[] {
  const found = new Map<string, Requirement>();
  for (const requirement of requirements) {
    const key = `${requirement.type} ${requirement.name}`;
    const nodes = [...new Set([...(found.get(key)?.nodes ?? []), ...requirement.nodes])];
    found.set(key, { ...requirement, nodes });
  }
  return [...found.values()];
}

export { ValidateCommand as command };
