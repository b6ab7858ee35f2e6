import { relative } from 'node:path';
import type { RunnerTestCase, RunnerTestFile } from 'vitest';
import { inject, TestRunner } from 'vitest';
import { Journal } from './journal.ts';
import { cpuMs, MutantSwitch } from './switch.ts';

/** What the process of the tests is to do. */
export interface Task {
  readonly journal: string;
  /** A mutant that is active from the beginning, so also while modules are loaded. */
  readonly active: number | null;
  /** Mutants with which each test that evaluates them is repeated. */
  readonly mutants: readonly number[];
  /** CPU time in ms of the tests that are repeated. */
  readonly test: { readonly from: number; readonly to: number };
}

declare module 'vitest' {
  interface ProvidedContext {
    mutation: Task;
  }
}

/** Times what the test needs without a mutant, and a constant for small tests. */
const MORE = 10;
const SPARE = { rounds: 1_000_000, cpuMs: 10_000 };
/** Time in ms in which the event loop only waits; on a busy machine, a process that waits for the CPU does not. */
const SPARE_IDLE_MS = 5_000;
const { setInterval, clearInterval } = globalThis;
/** A mutant that is active from the beginning. */
const WHOLE_RUN = { rounds: Number.MAX_SAFE_INTEGER, cpuMs: 300_000 };

type Mode =
  | { readonly type: 'without' }
  /** The last mutant that was tried; null at first. */
  | { readonly type: 'mutant'; readonly mutant: number | null }
  | { readonly type: 'check'; readonly mutant: number }
  | { readonly type: 'done' };

/** What the runners of one process share: each test file has its own. */
interface Shared {
  readonly mutants: MutantSwitch;
  /** Mutants that no test of this process has killed. */
  readonly left: Set<number>;
}

function sharedBy(task: Task): Shared {
  const holder = globalThis as { __mutation?: Shared };
  if (holder.__mutation === undefined) {
    const mutants = new MutantSwitch();
    mutants.install();
    if (task.active !== null) mutants.set(task.active, WHOLE_RUN);
    holder.__mutation = { mutants, left: new Set(task.mutants) };
  }
  return holder.__mutation;
}

/** Repeats each test with all mutants that it evaluates, one after the other. */
export default class MutantRunner extends TestRunner {
  readonly #task: Task = inject('mutation');
  readonly #shared = sharedBy(this.#task);
  readonly #switch = this.#shared.mutants;
  readonly #left = this.#shared.left;
  readonly #journal = new Journal(this.#task.journal);
  #mode: Mode = { type: 'without' };
  #queue: number[] = [];
  #startedAtMs = 0;
  #file: string | null = null;
  #bounds = SPARE;
  #maxIdleMs = SPARE_IDLE_MS;
  #idleAtStartMs = 0;

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    this.#journal.write({ type: 'file', file: relative(process.cwd(), file.filepath) });
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    await super.onBeforeRunTask(test);
    if (this.#task.active !== null) return;
    this.#noteLoaded(test.file.filepath);
    this.#mode = { type: 'without' };
    // At most: without a mutant, then each mutant and a check after it.
    Object.assign(test, { repeats: 1 + 2 * this.#left.size });
  }

  override onBeforeTryTask(test: RunnerTestCase): void {
    super.onBeforeTryTask(test);
    if (this.#task.active !== null) return;
    this.#startedAtMs = cpuMs();
    this.#idleAtStartMs = idleMs();
    if (this.#mode.type === 'without') {
      this.#switch.set(null, null);
      return;
    }
    if (this.#mode.type === 'mutant') {
      const mutant = this.#queue.shift();
      if (mutant === undefined) {
        this.#mode = { type: 'done' };
        test.context.skip();
      }
      this.#mode = { type: 'mutant', mutant };
      this.#journal.write({ type: 'begun', mutant, test: nameOf(test) });
      this.#switch.set(mutant, this.#bounds);
    }
    if (test.result !== undefined) Object.assign(test.result, { state: 'run', errors: undefined });
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const run = TestRunner.getTestFn(test);
    if (this.#mode.type !== 'mutant') return run();
    let watch: NodeJS.Timeout | undefined;
    const idle = new Promise<never>((_resolve, reject) => {
      const check = () => {
        if (idleMs() - this.#idleAtStartMs > this.#maxIdleMs) reject(new Error('timed out: the test waits'));
      };
      watch = setInterval(check, 200);
    });
    await Promise.race([run(), idle]).finally(() => clearInterval(watch));
  }

  onAfterRetryTask(test: RunnerTestCase): void {
    if (this.#task.active !== null || this.#mode.type === 'done') return;
    const failed = test.result?.state === 'fail';
    const mode = this.#mode;
    const { rounds } = this.#switch;
    this.#switch.set(null, null);
    if (mode.type === 'without') {
      this.#plan(test, failed, rounds);
    } else if (mode.type === 'check') {
      if (failed) {
        this.#journal.write({ type: 'spoilt', mutant: mode.mutant });
        process.kill(process.pid, 'SIGKILL');
      }
      this.#left.delete(mode.mutant);
      this.#mode = { type: 'mutant', mutant: mode.mutant };
    } else if (mode.mutant === null) {
      return;
    } else if (failed) {
      const error = test.result?.errors?.[0]?.message ?? '';
      this.#journal.write({ type: 'failed', mutant: mode.mutant, test: nameOf(test), error: error.slice(0, 300) });
      this.#mode = { type: 'check', mutant: mode.mutant };
    } else {
      this.#journal.write({ type: 'passed', mutant: mode.mutant });
    }
  }

  /** The mutants that the test has just evaluated are the next ones. */
  #plan(test: RunnerTestCase, failed: boolean, rounds: number): void {
    if (failed) {
      const error = test.result?.errors?.[0]?.message ?? '';
      this.#journal.write({ type: 'broken', file: relative(process.cwd(), test.file.filepath), test: nameOf(test), error });
      process.kill(process.pid, 'SIGKILL');
    }
    const evaluated = this.#switch.take().filter((mutant) => this.#left.has(mutant));
    const spentMs = cpuMs() - this.#startedAtMs;
    const { from, to } = this.#task.test;
    if (spentMs >= to && evaluated.length > 0)
      this.#journal.write({ type: 'expensive', file: relative(process.cwd(), test.file.filepath) });
    this.#queue = spentMs < from || spentMs >= to ? [] : evaluated;
    this.#maxIdleMs = SPARE_IDLE_MS + MORE * (idleMs() - this.#idleAtStartMs);
    this.#bounds = { rounds: SPARE.rounds + MORE * rounds, cpuMs: SPARE.cpuMs + MORE * spentMs };
    this.#mode = { type: 'mutant', mutant: null };
  }

  /** What was evaluated since the last test: at the first test of a file, by loading modules; later, by what tests have left running. */
  #noteLoaded(file: string): void {
    const mutants = this.#switch.take().filter((mutant) => this.#left.has(mutant));
    if (this.#file !== file && mutants.length > 0) this.#journal.write({ type: 'loaded', mutants });
    this.#file = file;
  }
}

function idleMs(): number {
  return performance.eventLoopUtilization().idle;
}

function nameOf(test: RunnerTestCase): string {
  return `${relative(process.cwd(), test.file.filepath)} › ${test.fullTestName}`;
}
