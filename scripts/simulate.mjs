// Runs the deterministic simulation of the runtime (test/simulation), and prints failing seeds with the commands that replay them.
//   npm run simulate -- --seeds 10000 --from 1 --processes 2
import { spawn, spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const USAGE = 'usage: npm run simulate -- [--seeds N] [--from SEED] [--processes N]';

function given() {
  try {
    const number = (value) => ({ type: 'string', default: value });
    const { values } = parseArgs({ options: { seeds: number('10000'), from: number('1'), processes: number('2') } });
    const numbers = [values.seeds, values.from, values.processes].map(Number);
    return numbers.every((each) => Number.isInteger(each) && each > 0) ? numbers : null;
  } catch {
    return null;
  }
}

const numbers = given();
if (numbers === null) {
  console.error(USAGE);
  process.exit(2);
}
const [seeds, from, processes] = numbers;

const compiled = spawnSync(process.execPath, ['node_modules/typescript-native/bin/tsc', '-p', 'tsconfig.simulation.json'], {
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(1);

const started = performance.now();
const each = Math.ceil(seeds / processes);
const runs = Array.from({ length: processes }, (_, i) => ({ from: from + i * each, seeds: Math.min(each, seeds - i * each) }));
const codes = await Promise.all(
  runs
    .filter((run) => run.seeds > 0)
    .map(
      (run) =>
        new Promise((resolve) => {
          const args = ['dist/test/simulation/run.js', '--from', String(run.from), '--seeds', String(run.seeds)];
          spawn(process.execPath, args, { stdio: 'inherit' }).on('close', resolve);
        }),
    ),
);
const seconds = (performance.now() - started) / 1000;
const passed = codes.every((code) => code === 0);
console.log(`${seeds} seeds from ${from} in ${seconds.toFixed(0)} s: ${passed ? 'all pass' : 'some fail'}`);
process.exitCode = passed ? 0 : 1;
