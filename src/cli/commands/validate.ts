import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
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
\`workflows:\` and \`agents:\`. Needs no server. Says what the\nworkflows need from outside: keys of models, MCP servers, functions, workers, variables. Fails if a file has an error; warnings do not fail it.`,
    examples: [
      ['Check one file', '$0 validate workflow.yaml'],
      ['Check all workflows of a folder', '$0 validate flows/*.yaml'],
      ['Print the IR a file compiles to', '$0 validate workflow.yaml --output > workflow.json'],
    ],
  };

  files = Option.Rest({ name: 'file', required: 1 });
  output = Option.Boolean('-o,--output', false, {
    description: 'Print the IR the file compiles to, and problems to standard error.',
  });

  async execute(): Promise<number> {
    if (this.output && this.files.length > 1) throw usageFailure('--output takes one file');
    const results: Result[] = [];
    for (const file of this.files) {
      const { document, workflows: units, diagnostics } = await readWorkflow(file, this.context.cwd);
      const valid = units.length > 0;
      const result = { file, valid, diagnostics, requirements: merged(units.flatMap(({ requirements }) => requirements)) };
      results.push(result);
      if (this.output) {
        if (diagnostics.length > 0) this.context.stderr.write(`${this.#summary(result)}\n`);
        if (valid) this.printJson(document ?? units.map((unit) => unit.document));
      } else if (!this.json) this.print(`${this.#summary(result)}${this.#requirements(result)}`);
    }
    if (this.json && !this.output) this.printJson(results.length === 1 ? results[0] : results);
    return results.every((result) => result.valid) ? EXIT.ok : EXIT.failed;
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
    const verdict = valid ? `${paint.green('✓')} ${plain(file)} is valid` : `${paint.red('✗')} ${plain(file)} is not valid`;
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
