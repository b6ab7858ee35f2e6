import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { readResultsFile } from '../../input/eval-results.ts';
import { comparisonText } from '../../texts/eval.ts';

class EvalCompareCommand extends PrintingCommand {
  static override usage: Usage = {
    details:
      'Compares the results of two runs row by row: pass rates, scores, times and costs, the rows that pass no more and those that pass now, and whether the difference may be chance.',
    examples: [
      ['Compare two runs', '$0 eval compare before.json after.json'],
      ['Fail when a row passes no more, in CI', '$0 eval compare before.json after.json --fail-on-regression'],
    ],
  };

  before = Option.String({ name: 'before' });
  after = Option.String({ name: 'after' });
  failOnRegression = Option.Boolean('--fail-on-regression', false, { description: 'Exit with 1 if a row passes no more.' });

  async execute(): Promise<number> {
    const before = await readResultsFile(this.before, this.context);
    const after = await readResultsFile(this.after, this.context);
    const { compareResults } = await import('../../../evaluation/compare.ts');
    const comparison = compareResults(before, after);
    if (this.json) this.printJson(comparison);
    else this.print(comparisonText(comparison, this.paint));
    return this.failOnRegression && comparison.regressions.length > 0 ? EXIT.failed : EXIT.ok;
  }
}

export { EvalCompareCommand as command };
