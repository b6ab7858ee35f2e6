import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'clipanion';
import { JamjetCommand, type Usage } from '../../base/command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { choiceArgument, fileProblem } from '../../input/arguments.ts';
import { readResultsFile } from '../../input/eval-results.ts';

class EvalExportCommand extends JamjetCommand {
  static override usage: Usage = {
    details: 'Writes results as CSV for a spreadsheet, as a LaTeX table, or as JSON.',
    examples: [
      ['For a spreadsheet', '$0 eval export results.json --format csv --output results.csv'],
      ['For a paper', '$0 eval export results.json --format latex --caption "Question answering"'],
    ],
  };

  results = Option.String({ name: 'results' });
  format = Option.String('-f,--format', { required: true, description: 'csv, json or latex.' });
  output = Option.String('-o,--output', { description: 'The file (default: standard output).' });
  caption = Option.String('--caption', 'Evaluation results', { description: 'Caption of a LaTeX table.' });

  async execute(): Promise<number> {
    const { EXPORT_FORMATS, exportResults } = await import('../../../evaluation/export.ts');
    const format = choiceArgument('--format', this.format, EXPORT_FORMATS);
    const text = exportResults(await readResultsFile(this.results, this.context), format, this.caption);
    if (this.output === undefined) {
      this.print(text);
      return EXIT.ok;
    }
    await writeFile(resolve(this.context.cwd, this.output), `${text}\n`).catch((cause: unknown) => {
      throw new Failure(`cannot write ${this.output}: ${fileProblem(cause)}`, { cause });
    });
    this.note(`${format} written to ${this.output}`);
    return EXIT.ok;
  }
}

export { EvalExportCommand as command };
