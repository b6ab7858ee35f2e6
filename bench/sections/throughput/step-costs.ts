import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { Done } from '../../../machines/messages.ts';
import type { Effect, Run, StepEnv, StepResult } from '../../../machines/run.ts';
import { save, start, step } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import { cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { median } from '../../load/quantile.ts';
import { cpuMsOfThisProcess } from '../../machine.ts';
import { fanOut, linear, rounds } from '../../subjects/workflows.ts';

/** CPU time of one message: the step, and the serialization of its snapshot. Medians. */
const COLUMNS = [cpu('step µs', 1), cpu('snapshot µs', 1), exact('snapshot B', 0), wall('compile ms', 1)];

const ENV: StepEnv = {
  executionId: 'exec_00000000000000000000000000000000',
  nowMs: 1_750_000_000_000,
  stepLimit: 1_000_000,
  runtimeId: 'bench',
  isLocal: () => true,
  vars: {},
};
const LINEAR = [3, 30, 300] as const;
const FAN_OUT = [10, 200, 1_000] as const;
const HISTORY = [10, 1_000, 10_000] as const;
/** In CPU time. Long enough for Node's JIT compiler. */
const WARM_UP_MS = 100;
const MEASURE_MS = 120;
/** Minimum number of steps between two reads of the clock. */
const BATCH = 100;

/** Measures only the pure step: no store, no event loop. */
export async function stepCosts(): Promise<readonly Table[]> {
  // Code that has run only one machine is faster than in a server, and slow for a while after the next one: run all of them first.
  for (let i = 0; i < 2; i++)
    for (const document of [linear(3), fanOut(10), linear(30), rounds('work', 30)]) wholeRuns('', document);
  const rows = [
    ...LINEAR.map((nodes) => wholeRuns(`chain of ${nodes}`, linear(nodes))),
    ...FAN_OUT.map((branches) => wholeRuns(`fan-out of ${branches}`, fanOut(branches))),
    ...HISTORY.map((events) => atHistory(events)),
  ];
  return [{ title: 'CPU time of one message in the machine (no store)', columns: COLUMNS, rows }];
}

function programOf(document: JsonObject): { readonly program: Program; readonly compileMs: number } {
  const { workflow } = normalise(document);
  const startedMs = performance.now();
  const program = compile(workflow, 'bench');
  return { program, compileMs: performance.now() - startedMs };
}

/** Measures every step of complete runs: the mean of each run, and the median over the runs. */
function wholeRuns(label: string, document: JsonObject): Row {
  const { program, compileMs } = programOf(document);
  const stepUs: number[] = [];
  const saveUs: number[] = [];
  let snapshotBytes = 0;
  const fromMs = cpuMsOfThisProcess() + WARM_UP_MS;
  while (cpuMsOfThisProcess() < fromMs + MEASURE_MS || stepUs.length < 2) {
    const measured = cpuMsOfThisProcess() >= fromMs;
    const runs: Run[] = [];
    const stepping = cpuMsOfThisProcess();
    let last: Run | null = null;
    do last = runToEnd(program, runs);
    while (runs.length < BATCH);
    const stepped = cpuMsOfThisProcess();
    for (const run of runs) snapshotBytes = Math.max(snapshotBytes, save(run).length);
    const saved = cpuMsOfThisProcess();
    if (last.status !== 'completed') throw new Error(`${label} is ${last.status}`);
    if (!measured) continue;
    stepUs.push(((stepped - stepping) * 1000) / runs.length);
    saveUs.push(((saved - stepped) * 1000) / runs.length);
  }
  return { label, values: [median(stepUs), median(saveUs), snapshotBytes, compileMs] };
}

function runToEnd(program: Program, runs: Run[]): Run {
  let stepped: StepResult = start(program, { n: 0 }, ENV);
  const waiting = [...workIn(stepped)];
  runs.push(stepped.run);
  for (let work = waiting.shift(); work !== undefined; work = waiting.shift()) {
    stepped = finish(program, stepped.run, work, { n: runs.length });
    waiting.push(...workIn(stepped));
    runs.push(stepped.run);
  }
  return stepped.run;
}

/** Measures one iteration of a loop whose log has `events` events, repeatedly from the same state. */
function atHistory(events: number): Row {
  const { program, compileMs } = programOf(rounds('work', 1_000_000));
  let stepped: StepResult = start(program, { n: 0 }, ENV);
  while (stepped.run.seq < events) stepped = finish(program, stepped.run, onlyWork(stepped), { n: stepped.run.seq });
  const run = stepped.run;
  const work = onlyWork(stepped);
  const stepUs: number[] = [];
  const saveUs: number[] = [];
  const fromMs = cpuMsOfThisProcess() + WARM_UP_MS;
  while (cpuMsOfThisProcess() < fromMs + MEASURE_MS) {
    const measured = cpuMsOfThisProcess() >= fromMs;
    const stepping = cpuMsOfThisProcess();
    for (let i = 0; i < BATCH; i++) stepped = finish(program, run, work, { n: 1 });
    const done = cpuMsOfThisProcess();
    for (let i = 0; i < BATCH; i++) save(stepped.run);
    const saved = cpuMsOfThisProcess();
    if (!measured) continue;
    stepUs.push(((done - stepping) * 1000) / BATCH);
    saveUs.push(((saved - done) * 1000) / BATCH);
  }
  const values = [median(stepUs), median(saveUs), save(run).length, compileMs];
  return { label: `loop with ${events} events in the log`, values };
}

type WorkEffect = Effect & { readonly type: 'work' };

function workIn(stepped: StepResult): readonly WorkEffect[] {
  return stepped.effects.filter((effect): effect is WorkEffect => effect.type === 'work');
}

function onlyWork(stepped: StepResult): WorkEffect {
  const [work, ...others] = workIn(stepped);
  if (work === undefined || others.length > 0) throw new Error('expected one active node');
  return work;
}

function finish(program: Program, run: Run, { node, activation, attempt }: WorkEffect, output: JsonObject): StepResult {
  const done: Done = { type: 'done', node, activation, attempt, output, durationMs: 0 };
  const stepped = step(program, run, done, ENV);
  if ('refused' in stepped) throw new Error(`${node} was refused: ${stepped.refused}`);
  return stepped;
}
