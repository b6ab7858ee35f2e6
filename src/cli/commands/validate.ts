import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { readWorkflow, renderDiagnostics, type WorkflowDiagnostic } from '../input/workflow-file.ts';
import { count, plain } from '../terminal/text.ts';

class ValidateCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `Accepts workflow.yaml and IR files (JSON); a file may contain several workflows and agents under
\`workflows:\` and \`agents:\`. Needs no server. Fails if a file has an error; warnings do not fail it.`,
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
    const results: { file: string; valid: boolean; diagnostics: readonly WorkflowDiagnostic[] }[] = [];
    for (const file of this.files) {
      const { document, workflows: units, diagnostics } = await readWorkflow(file, this.context.cwd);
      const valid = units.length > 0;
      results.push({ file, valid, diagnostics });
      if (this.output) {
        if (diagnostics.length > 0) this.context.stderr.write(`${this.#summary(file, valid, diagnostics)}\n`);
        if (valid) this.printJson(document ?? units.map((unit) => unit.document));
      } else if (!this.json) this.print(this.#summary(file, valid, diagnostics));
    }
    if (this.json && !this.output) this.printJson(results.length === 1 ? results[0] : results);
    return results.every((result) => result.valid) ? EXIT.ok : EXIT.failed;
  }

  #summary(file: string, valid: boolean, diagnostics: readonly WorkflowDiagnostic[]): string {
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

export { ValidateCommand as command };
