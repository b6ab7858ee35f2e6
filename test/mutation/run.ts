// Plants random bugs (mutants) in the sources, and runs the tests that cover each. See README.md.
import { setMaxListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { areasNamed } from './areas.ts';
import { mutate } from './mutate.ts';
import { isSurvivor, summarise, writeReport } from './report.ts';

const USAGE = `usage: npm run mutate -- [--area NAME]… [--count N] [--seed N] [--at FILE:LINE]… [--by TEST_FILE]… [--again REPORT] [--report FILE] [--tests N]`;

// Vitest adds a listener in each run.
setMaxListeners(0);

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    area: { ...text, multiple: true, default: [] },
    at: { ...text, multiple: true, default: [] },
    by: { ...text, multiple: true, default: [] },
    again: text,
    count: { ...text, default: '300' },
    seed: { ...text, default: '1' },
    report: { ...text, default: 'node_modules/.cache/mutation.json' },
    simulate: { ...text, default: '100' },
    tests: { ...text, default: '40' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
} else {
  process.env.SIM_SEEDS = values.simulate;
  const report = await mutate({
    areas: areasNamed(values.area),
    count: Number(values.count),
    seed: Number(values.seed),
    at: values.at,
    again: values.again ?? null,
    list: values.list,
    by: values.by,
    tests: Number(values.tests),
    say: (line) => console.log(line),
    save: (done) => writeReport(values.report, done),
  });
  console.log(summarise(report));
  if (report.results.some(isSurvivor)) process.exitCode = 1;
}
