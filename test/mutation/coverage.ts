import type { Cost } from './journal.ts';
import type { Session } from './session.ts';

/** A test, and the mutants that it evaluates. */
export interface Covered {
  readonly test: string;
  readonly file: string;
  readonly mutants: ReadonlySet<number>;
  readonly cost: Cost;
}

/** Which tests evaluate which mutants. */
export class Coverage {
  readonly #session: Session;
  readonly #tests = new Map<string, Covered>();
  /** Mutants that are evaluated before the tests of a file: while modules are loaded, or by hooks. */
  readonly #loaded = new Set<number>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Runs the tests of files of one project. Returns those that failed; they cannot judge a mutant. */
  async add(files: readonly string[]): Promise<readonly string[]> {
    const { journal, crashed, failure } = await this.#session.run(files, { type: 'cover' });
    if (crashed) throw new Error(`the tests end their process without a mutant: ${failure}`);
    const failed = failure === null ? [] : [failure];
    for (const entry of journal) {
      if (entry.type === 'loaded') for (const id of entry.mutants) this.#loaded.add(id);
      if (entry.type !== 'covered') continue;
      if (entry.error !== null) failed.push(`${entry.test}: ${entry.error}`);
      else this.#tests.set(entry.test, { ...entry, mutants: new Set(entry.mutants) });
    }
    return failed;
  }

  /** The tests of some files that evaluate a mutant: the cheapest of each file, then the next of each. */
  testsOf(mutant: number, files: ReadonlySet<string>): readonly Covered[] {
    const tests = [...this.#tests.values()].filter((test) => test.mutants.has(mutant) && files.has(test.file));
    const ranks = new Map<string, number>();
    const ranked = tests
      .toSorted((a, b) => timeOf(a.cost) - timeOf(b.cost))
      .map((test) => {
        const rank = ranks.get(test.file) ?? 0;
        ranks.set(test.file, rank + 1);
        return { test, rank };
      });
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ test }) => test);
  }

  isEvaluated(mutant: number): boolean {
    return this.#loaded.has(mutant) || [...this.#tests.values()].some((test) => test.mutants.has(mutant));
  }

  isLoaded(mutant: number): boolean {
    return this.#loaded.has(mutant);
  }
}

function timeOf({ cpuMs, idleMs }: Cost): number {
  return cpuMs + idleMs;
}
