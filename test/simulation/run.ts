import { parseArgs } from 'node:util';
import { describeFailure } from './report.ts';

/** Runs a range of seeds one after the other, and reports failing ones. `scripts/simulate.mjs` starts several of these processes. */
const { values } = parseArgs({ options: { from: { type: 'string', default: '1' }, seeds: { type: 'string', default: '1000' } } });
const from = Number(values.from);
const until = from + Number(values.seeds);
/** Minimising takes hundreds of simulations, so later failures are reported with their complete plan. */
const MAX_MINIMISED = 5;
let failures = 0;
for (let seed = from; seed < until; seed += 1) {
  const failure = await describeFailure(seed, failures < MAX_MINIMISED);
  if (failure === null) continue;
  failures += 1;
  process.stdout.write(`${failure}\n`);
}
process.exitCode = failures === 0 ? 0 : 1;
