// Injects faults into servers under load, and checks that no acknowledged data is lost: docs/faults.md.
//   npm run faults -- --minutes 25 [--seed N] [--engine sqlite|postgres] [--report docs/faults.md]
//   npm run faults -- --only neighbours
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE =
  'usage: npm run faults -- --minutes N [--seed N] [--engine sqlite|postgres] [--report FILE] [--only FILE OF test/faults]';
const ENGINES = ['sqlite', 'postgres'];

function parseOptions() {
  try {
    const text = { type: 'string' };
    const { values } = parseArgs({
      options: { minutes: { ...text, default: '5' }, seed: text, engine: text, report: text, only: text },
    });
    const positive = (value) => value === undefined || Number(value) > 0;
    const known = values.engine === undefined || ENGINES.includes(values.engine);
    return positive(values.minutes) && positive(values.seed) && known ? values : null;
  } catch {
    return null;
  }
}

const values = parseOptions();
if (values === null) {
  console.error(USAGE);
  process.exit(2);
}
const settings = {
  FAULTS_MINUTES: values.minutes,
  FAULTS_SEED: values.seed,
  FAULTS_ENGINES: values.engine,
  FAULTS_REPORT: values.report,
  FAULTS_ONLY: values.only,
};
const chosen = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
const args = [
  'run',
  values.only === undefined ? 'test/faults' : `test/faults/${values.only}.test.ts`,
  '--project',
  'faults',
  '--disable-console-intercept',
];
const { status } = spawnSync('node_modules/.bin/vitest', args, { stdio: 'inherit', env: { ...process.env, ...chosen } });
process.exitCode = status ?? 1;
