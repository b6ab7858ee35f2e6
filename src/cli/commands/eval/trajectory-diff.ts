import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT, Failure, usageFailure } from '../../failure.ts';
import { readJsonFile } from '../../input/eval-results.ts';
import { trajectoryDiffText } from '../../texts/eval.ts';

class EvalTrajectoryDiffCommand extends PrintingCommand {
  static override usage: Usage = {
    details:
      'Compares the tools that two runs called, in their order. A file holds the events of an execution (`jamjet events ID --json`), the results of `jamjet eval run` (name the row with --row-id), or a list of names. The exit status is 1 if they differ.',
    examples: [
      ['Two executions', '$0 eval trajectory-diff before.json after.json'],
      ['One row of two runs', '$0 eval trajectory-diff v1.json v2.json --row-id q7'],
    ],
  };

  before = Option.String({ name: 'before' });
  after = Option.String({ name: 'after' });
  rowId = Option.String('--row-id', { description: 'The row, if the files are results.' });
  failOnChange = Option.Boolean('--fail-on-change', true, { description: 'Exit with 1 if they differ (default).' });

  async execute(): Promise<number> {
    const before = await this.#tools(this.before);
    const after = await this.#tools(this.after);
    const { trajectoryDiff } = await import('../../../evaluation/trajectory.ts');
    const diff = trajectoryDiff(before, after);
    if (this.json) this.printJson(diff);
    else this.print(trajectoryDiffText(diff, this.paint));
    return diff.changed && this.failOnChange ? EXIT.failed : EXIT.ok;
  }

  async #tools(file: string): Promise<readonly string[]> {
    const document = await readJsonFile(file, this.context);
    const { toolsIn } = await import('../../../evaluation/trajectory-file.ts');
    const tools = toolsIn(document, this.rowId ?? null);
    if (tools.found !== null) return tools.found;
    if (tools.problem === 'no_row') throw usageFailure(`${file} has several results: name the row with --row-id`);
    if (tools.problem === 'unknown_row') throw new Failure(`${file} has no result for the row ${JSON.stringify(this.rowId)}`);
    throw new Failure(`${file} has neither events, nor results, nor a list of names`);
  }
}

export { EvalTrajectoryDiffCommand as command };
