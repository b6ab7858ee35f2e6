import { relative } from 'node:path';
import type { RunnerTestCase, RunnerTestFile } from 'vitest';
import { inject, TestRunner } from 'vitest';
import { type Cost, Journal } from './journal.ts';
import { cpuMs, MutantSwitch } from './switch.ts';

/** The mutants with which each test is to be run. */
export type Plan = Readonly<Record<string, { readonly mutants: readonly number[]; readonly cost: Cost }>>;

/** What the process of the tests is to do. */
export type Task = { readonly journal: string } & (
  | { readonly type: 'cover' }
  | { readonly type: 'try'; readonly plan: Plan }
  /** All tests with a mutant that is active from the beginning, so also while modules are loaded. */
  | { readonly type: 'alone'; readonly mutant: number }
);

declare module 'vitest' {
  interface ProvidedContext {
    mutation: Task;
  }
}

/** Times what the test needs without a mutant, and a constant for small tests. */
const MORE = 10;
/** `idleMs` is time in which the event loop only waits; on a busy machine, a process that waits for the CPU does not. */
const SPARE: Cost = { rounds: 1_000_000, cpuMs: 10_000, idleMs: 5_000 };
/** CPU time in ms of a test that polls. A test that holds the event loop is ended by the switch. */
const SPARE_POLLING_MS = 2_500;
const { setInterval, clearInterval } = globalThis;
/** For a mutant that is active from the beginning. */
const WHOLE_RUN = { rounds: Number.MAX_SAFE_INTEGER, cpuMs: 300_000 };

type Mode =
  | { readonly type: 'without' }
  | { readonly type: 'mutant'; readonly mutant: number }
  /** Without the mutant that has just failed. */
  | { readonly type: 'check'; readonly mutant: number }
  | { readonly type: 'done' };

/** What the runners of one process share: each test file has its own. */
interface Shared {
  readonly mutants: MutantSwitch;
  readonly killed: Set<number>;
}

function sharedBy(task: Task): Shared {
  const holder = globalThis as { __mutation?: Shared };
  if (holder.__mutation === undefined) {
    const mutants = new MutantSwitch();
    mutants.install();
    if (task.type === 'alone') mutants.set(task.mutant, WHOLE_RUN);
    holder.__mutation = { mutants, killed: new Set() };
  }
  return holder.__mutation;
}

/** Runs each test once and notes what it evaluates, or repeats it with the mutants of a plan. */
export default class MutantRunner extends TestRunner {
  readonly #task: Task = inject('mutation');
  readonly #shared = sharedBy(this.#task);
  readonly #switch = this.#shared.mutants;
  readonly #journal = new Journal(this.#task.journal);
  #mode: Mode = { type: 'without' };
  #queue: number[] = [];
  #bounds = SPARE;
  #startedAtMs = 0;
  #idleAtStartMs = 0;
  #file: string | null = null;

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    this.#journal.write({ type: 'file', file: fileOf(file.filepath) });
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    await super.onBeforeRunTask(test);
    if (this.#task.type === 'cover') this.#noteLoaded(test.file.filepath);
    if (this.#task.type !== 'try') return;
    const { mutants, cost } = this.#task.plan[nameOf(test)] ?? { mutants: [], cost: SPARE };
    this.#queue = mutants.filter((mutant) => !this.#shared.killed.has(mutant));
    if (this.#queue.length === 0) {
      test.mode = 'skip';
      return;
    }
    this.#mode = { type: 'without' };
    this.#bounds = {
      rounds: SPARE.rounds + MORE * cost.rounds,
      cpuMs: SPARE.cpuMs + MORE * cost.cpuMs,
      idleMs: SPARE.idleMs + MORE * cost.idleMs,
    };
    // At most: each mutant and a check after it, and the end.
    Object.assign(test, { repeats: 2 * this.#queue.length });
  }

  override onBeforeTryTask(test: RunnerTestCase): void {
    super.onBeforeTryTask(test);
    if (this.#task.type === 'alone') return;
    this.#startedAtMs = cpuMs();
    this.#idleAtStartMs = idleMs();
    if (this.#task.type === 'cover') this.#switch.set(null, null);
    else if (this.#mode.type !== 'check') this.#next(test);
    if (test.result !== undefined) Object.assign(test.result, { state: 'run', errors: undefined });
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test);
    if (this.#mode.type !== 'mutant') return run();
    let watch: NodeJS.Timeout | undefined;
    const idle = new Promise<never>((_resolve, reject) => {
      const check = () => {
        const isIdle = idleMs() - this.#idleAtStartMs > this.#bounds.idleMs;
        const polls = cpuMs() - this.#startedAtMs > this.#bounds.cpuMs - SPARE.cpuMs + SPARE_POLLING_MS;
        if (isIdle || polls) reject(new Error('timed out: the test waits'));
      };
      watch = setInterval(check, 200);
    });
    await Promise.race([run(), idle]).finally(() => clearInterval(watch));
  }

  onAfterRetryTask(test: RunnerTestCase): void {
    const mode = this.#mode;
    if (this.#task.type === 'alone' || mode.type === 'done') return;
    const error = test.result?.state === 'fail' ? (test.result.errors?.[0]?.message ?? '').slice(0, 300) : null;
    const { rounds } = this.#switch;
    this.#switch.set(null, null);
    const name = nameOf(test);
    if (mode.type === 'without') {
      const cost = { rounds, cpuMs: cpuMs() - this.#startedAtMs, idleMs: idleMs() - this.#idleAtStartMs };
      const file = fileOf(test.file.filepath);
      this.#journal.write({ type: 'covered', file, test: name, mutants: this.#switch.take(), cost, error });
      // The others go on.
      if (error !== null) Object.assign(test.result ?? {}, { state: 'pass', errors: undefined });
    } else if (mode.type === 'check') {
      if (error !== null) {
        this.#journal.write({ type: 'spoilt', mutant: mode.mutant, test: name });
        process.kill(process.pid, 'SIGKILL');
      }
      this.#mode = { type: 'without' };
    } else if (error === null) {
      this.#journal.write({ type: 'passed', mutant: mode.mutant, test: name });
    } else {
      this.#journal.write({ type: 'failed', mutant: mode.mutant, test: name, error });
      this.#shared.killed.add(mode.mutant);
      this.#mode = { type: 'check', mutant: mode.mutant };
    }
  }

  #next(test: RunnerTestCase): void {
    const mutant = this.#queue.shift();
    if (mutant === undefined) {
      this.#mode = { type: 'done' };
      test.context.skip();
    } else {
      this.#mode = { type: 'mutant', mutant };
      this.#journal.write({ type: 'begun', mutant, test: nameOf(test) });
      this.#switch.set(mutant, this.#bounds);
    }
  }

  /** What was evaluated since the last test: at the first test of a file, by loading modules; later, by what tests have left running. */
  #noteLoaded(path: string): void {
    const mutants = this.#switch.take();
    if (this.#file !== path && mutants.length > 0) this.#journal.write({ type: 'loaded', mutants });
    this.#file = path;
  }
}

function idleMs(): number {
  return performance.eventLoopUtilization().idle;
}

function fileOf(path: string): string {
  return relative(process.cwd(), path);
}

function nameOf(test: RunnerTestCase): string {
  return `${fileOf(test.file.filepath)} › ${test.fullTestName}`;
}
