import { resolve } from 'node:path';
import { Option } from 'clipanion';
import type { Report } from '../../testing/report.ts';
import { JamjetCommand, type Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { choiceArgument, integerArgument, readText } from '../input/arguments.ts';
import { expandGlobs } from '../input/glob.ts';
import { moduleLoader } from '../input/workflow-file.ts';
import { count } from '../terminal/text.ts';
import { reportText } from '../texts/test.ts';

const NO_TESTS =
  'no tests: only the possible runs were explored. Add "tests:" to the workflow file (docs/testing.md), or check it with jamjet validate';

const FORMATS = ['text', 'json', 'junit'] as const;

class TestCommand extends JamjetCommand {
  static override usage: Usage = {
    details:
      'Runs the "tests:" of workflow files with scripted results and a simulated clock, and explores other possible runs for dead ends, branches that are never taken and unhandled failures. Needs no server and calls no tools. Fails if a test fails or an error is found; exits with 2 if there are no tests.',
    examples: [
      ['Test one file', '$0 test workflow.yaml'],
      ['Test all workflows below a folder, in CI', "$0 test 'flows/**/*.yaml' --format junit > results.xml"],
      ['Require 80 % coverage of branches and outcomes', '$0 test workflow.yaml --coverage 80'],
    ],
  };

  files = Option.Rest({ name: 'file', required: 1 });
  format = Option.String('--format', { description: 'text (the default), json or junit.' });
  json = Option.Boolean('--json', false, { description: 'The same as --format json.' });
  strict = Option.Boolean('--strict', false, { description: 'Also fail on warnings.' });
  coverage = Option.String('--coverage', { description: 'Fail if the tests cover less than this percentage of branches.' });
  maxPaths = Option.String('--paths', '1000', { description: 'Maximum number of distinct paths (default 1000).' });
  maxSteps = Option.String('--steps', '1000', { description: 'Maximum number of simulated steps (default 1000).' });

  async execute(): Promise<number> {
    const format = this.#format();
    const demands = {
      strict: this.strict,
      coverage: this.coverage === undefined ? null : integerArgument('--coverage', this.coverage, { min: 0, max: 100 }),
    };
    const bounds = {
      paths: integerArgument('--paths', this.maxPaths, { min: 1, max: 100_000 }),
      steps: integerArgument('--steps', this.maxSteps, { min: 1, max: 10_000_000 }),
    };
    const files = await expandGlobs(this.files, this.context.cwd);
    // Imported on use, because the compiler is slow to load.
    const [{ readProjectTests }, { examineTests }, { jsonReport, reportOf }, { junitXml }] = await Promise.all([
      import('../../project/project-file.ts'),
      import('../../testing/examine.ts'),
      import('../../testing/report.ts'),
      import('../../testing/junit.ts'),
    ]);
    const reports: Report[] = [];
    for (const file of files) {
      const path = resolve(this.context.cwd, file);
      const read = await readProjectTests(path, file, { loader: await moduleLoader(this.context.cwd), read: readText });
      for (const examined of examineTests(read, path, bounds, () => performance.now())) {
        const report = reportOf(file, examined, demands);
        reports.push(report);
        if (format === 'text') this.print(`${reportText(report, this.context, this.paint)}\n`);
      }
    }
    if (format === 'text') this.print(this.#summary(reports));
    if (format === 'junit') this.print(junitXml(reports));
    if (format === 'json') this.print(JSON.stringify(reports.map(jsonReport), null, 2));
    if (!reports.every(({ passed }) => passed)) return EXIT.failed;
    if (reports.some(({ examination }) => examination.tests.length > 0)) return EXIT.ok;
    // Nothing was claimed, so nothing was shown to hold: in CI this is more often a mistake than intended.
    this.warn(NO_TESTS);
    return EXIT.usage;
  }

  #format(): (typeof FORMATS)[number] {
    const format = choiceArgument('--format', this.format ?? (this.json ? 'json' : 'text'), FORMATS);
    if (this.json && format !== 'json') throw usageFailure(`give --json or --format ${format}, not both`);
    return format;
  }

  #summary(reports: readonly Report[]): string {
    const tests = reports.flatMap(({ examination }) => examination.tests);
    const failed = tests.filter(({ passed }) => !passed).length;
    const files = new Set(reports.map(({ file }) => file)).size;
    const bad = new Set(reports.flatMap(({ file, passed }) => (passed ? [] : [file]))).size;
    const verdict =
      tests.length === 0 && bad === 0
        ? this.paint.yellow('no tests')
        : bad === 0
          ? this.paint.green('✓ passed')
          : this.paint.red(`✗ ${count(bad, 'file')} failed`);
    const counts = `${count(tests.length, 'test')}${failed === 0 ? '' : `, ${failed} failed`}, ${count(files, 'file')}`;
    return `${verdict} ${this.paint.dim(`(${counts})`)}`;
  }
}

export { TestCommand as command };
