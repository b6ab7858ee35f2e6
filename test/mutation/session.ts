import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { TestModule, TestSpecification, Vitest } from 'vitest/node';
import { createVitest } from 'vitest/node';
import base from '../../vitest.config.ts';
import { instrument } from './instrument.ts';
import { Journal, type JournalEntry } from './journal.ts';
import type { Mutant } from './mutants.ts';
import type { Task } from './runner.ts';

/** Tests that wait with a mutant are ended before by the runner. */
const TEST_MS = 300_000;
/** Hooks close what tests have opened, which a mutant may prevent. */
const HOOK_MS = 15_000;

/** Of each kind of task alone. */
type TaskOf<Kind> = Kind extends unknown ? Omit<Kind, 'journal'> : never;

/** What became of one process of tests. */
export interface RunResult {
  readonly journal: readonly JournalEntry[];
  /** The process ended before its tests did. */
  readonly crashed: boolean;
  /** The last file that began. */
  readonly file: string | null;
  /** The first test or file that failed. */
  readonly failure: string | null;
}

/** Vitest with the mutants of all areas in the sources. Each run has a process of its own. */
export class Session {
  readonly #vitest: Vitest;
  readonly #folder: string;
  /** The test files of the current run that have ended. */
  readonly #ended: TestModule[];
  readonly #specifications = new Map<string, TestSpecification | null>();

  private constructor(vitest: Vitest, folder: string, ended: TestModule[]) {
    this.#vitest = vitest;
    this.#folder = folder;
    this.#ended = ended;
  }

  static async open(mutants: readonly Mutant[], instrumented: readonly string[]): Promise<Session> {
    // Code that Vitest itself runs, such as the start of a database, has no mutants.
    Object.assign(globalThis, { __mutant: () => false, __round: () => undefined });
    const ended: TestModule[] = [];
    const plugins = [switches(mutants, new Set(instrumented))];
    const runner = resolve('test/mutation/runner.ts');
    const vitest = await createVitest('test', {
      config: false,
      watch: false,
      maxWorkers: 1,
      bail: 1,
      silent: true,
      reporters: [{ onTestModuleEnd: (module) => void ended.push(module) }],
      dangerouslyIgnoreUnhandledErrors: true,
      projects: (base.test?.projects ?? []).flatMap((project) => {
        if (typeof project !== 'object' || !('test' in project)) return [];
        const { test } = project;
        if (test?.name !== 'unit' && test?.name !== 'postgres') return [];
        return [{ plugins, test: { ...test, runner, maxWorkers: 1, sequence: { sequencer: InGivenOrder } } }];
      }),
    });
    return new Session(vitest, mkdtempSync(join(tmpdir(), 'mutation-')), ended);
  }

  /** Runs test files in their order. */
  async run(files: readonly string[], task: TaskOf<Task>): Promise<RunResult> {
    const path = join(this.#folder, 'journal');
    const journal = new Journal(path);
    journal.clear();
    for (const project of this.#vitest.projects) {
      project.provide('mutation', { ...task, journal: path });
      Object.assign(project.config, { testTimeout: TEST_MS, hookTimeout: HOOK_MS, expect: { poll: { timeout: TEST_MS / 2 } } });
    }
    if (files.length === 0) return { journal: [], crashed: false, file: null, failure: null };
    const specifications = (await Promise.all(files.map((file) => this.#specification(file)))).filter((each) => each !== null);
    this.#ended.length = 0;
    const { unhandledErrors } = await this.#vitest.runTestSpecifications(specifications);
    const crashes = unhandledErrors.map((error) => String((error as Error)?.message ?? error));
    const crashed = crashes.some((crash) => /worker (exited|forks emitted error)/i.test(crash));
    const entries = journal.read();
    const file = entries.findLast((entry) => entry.type === 'file')?.file ?? null;
    return { journal: entries, crashed, file, failure: failureOf(this.#ended) ?? crashes[0] ?? null };
  }

  /** Test files of different projects do not share a process; those without a database first. */
  async byProject(files: readonly string[]): Promise<readonly (readonly string[])[]> {
    const groups = new Map<string, string[]>(['unit', 'postgres'].map((name) => [name, []]));
    for (const file of files) {
      const name = (await this.#specification(file))?.project.name;
      if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), file]);
    }
    return [...groups.values()];
  }

  async close(): Promise<void> {
    rmSync(this.#folder, { recursive: true });
    await this.#vitest.close();
  }

  async #specification(file: string): Promise<TestSpecification | null> {
    const known = this.#specifications.get(file);
    if (known !== undefined) return known;
    const [found = null] = await this.#vitest.globTestSpecifications([file]);
    this.#specifications.set(file, found);
    return found;
  }
}

class InGivenOrder {
  sort(files: TestSpecification[]): TestSpecification[] {
    return files;
  }
  shard(files: TestSpecification[]): TestSpecification[] {
    return files;
  }
}

function switches(mutants: readonly Mutant[], instrumented: ReadonlySet<string>) {
  return {
    name: 'mutants',
    enforce: 'pre' as const,
    transform(_code: string, id: string) {
      const file = relative(process.cwd(), id.split('?')[0] ?? id);
      if (!instrumented.has(file)) return null;
      const own = mutants.filter((mutant) => mutant.file === file);
      return instrument(file, readFileSync(file, 'utf8'), own);
    },
  };
}

function failureOf(modules: readonly TestModule[]): string | null {
  for (const module of modules) {
    const file = relative(process.cwd(), module.moduleId);
    for (const test of module.children.allTests('failed')) {
      return `${file} › ${test.fullName}: ${test.result().errors?.[0]?.message ?? ''}`;
    }
    const [error] = module.errors();
    if (error !== undefined) return `${file}: ${error.message}`;
  }
  return null;
}
