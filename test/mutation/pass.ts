import type { Coverage } from './coverage.ts';
import type { Mutant } from './mutants.ts';
import type { Verdict } from './report.ts';
import type { Plan } from './runner.ts';
import type { RunResult, Session } from './session.ts';

export interface Kill {
  readonly verdict: Verdict;
  readonly by: string;
}

/** How many of the tests that evaluate a mutant have been tried on it after each round: most fall in the first. */
const ROUNDS = [2, 8, 32, 128, 512, 2048];

/** Tries mutants on tests that evaluate them, cheap ones first, many in one process. */
export class Pass {
  readonly #session: Session;
  readonly #coverage: Coverage;
  readonly #left: Map<number, Mutant>;
  readonly #killed: (mutant: Mutant, kill: Kill) => void;
  readonly #say: (line: string) => void;
  readonly #most: number;

  constructor(options: {
    readonly session: Session;
    readonly coverage: Coverage;
    /** Those that no test has killed yet. */
    readonly left: Map<number, Mutant>;
    killed(mutant: Mutant, kill: Kill): void;
    say(line: string): void;
    /** So many tests of a project are tried on a mutant at most. */
    readonly most: number;
  }) {
    this.#session = options.session;
    this.#coverage = options.coverage;
    this.#left = options.left;
    this.#killed = options.killed;
    this.#say = options.say;
    this.#most = options.most;
  }

  /** Tries each mutant on the tests of its files, which belong to one project. */
  async run(filesOf: (mutant: Mutant) => readonly string[]): Promise<void> {
    const tests = new Map(
      [...this.#left.values()].map((mutant) => [mutant.id, this.#coverage.testsOf(mutant.id, new Set(filesOf(mutant)))]),
    );
    let from = 0;
    for (const round of ROUNDS) {
      const to = Math.min(round, this.#most);
      if (to <= from) break;
      const plan = new Map<string, Plan[string]>();
      const files = new Set<string>();
      for (const id of this.#left.keys()) {
        for (const { test, file, cost } of (tests.get(id) ?? []).slice(from, to)) {
          files.add(file);
          plan.set(test, { mutants: [...(plan.get(test)?.mutants ?? []), id], cost });
        }
      }
      await this.#carryOut([...files].sort(), plan);
      this.#say(`${this.#left.size} mutants are left after at most ${to} tests each`);
      from = to;
    }
    for (const mutant of [...this.#left.values()]) {
      if (tests.get(mutant.id)?.length === 0 && this.#coverage.isLoaded(mutant.id)) await this.#tryAlone(mutant, filesOf(mutant));
    }
  }

  /** What a process has tried is taken from the plan, so that the next one goes on where it ended. */
  async #carryOut(files: readonly string[], plan: Map<string, Plan[string]>): Promise<void> {
    let pending = files;
    let failedFile: string | null = null;
    while (pending.length > 0) {
      for (const [test, { mutants, cost }] of plan) plan.set(test, { mutants: mutants.filter((id) => this.#left.has(id)), cost });
      const result = await this.#session.run(pending, { type: 'try', plan: Object.fromEntries(plan) });
      const begun = this.#judge(result, plan);
      if (!result.crashed && result.failure === null) return;
      const file = result.file ?? pending[0] ?? '';
      pending = pending.slice(Math.max(0, pending.indexOf(file)));
      if (result.crashed && begun > 0) continue;
      // A hook has failed, perhaps by what a mutant left behind; so the file gets a new process, once.
      if (failedFile === file) {
        this.#say(`the rest of ${file} is left out: ${result.failure}`);
        pending = pending.slice(1);
      }
      failedFile = file;
    }
  }

  /** Returns how many tries the process began. */
  #judge({ journal, crashed }: RunResult, plan: Map<string, Plan[string]>): number {
    let begun: { mutant: number; test: string } | null = null;
    let count = 0;
    const spoilt = new Set(journal.map((entry) => (entry.type === 'spoilt' ? `${entry.mutant} ${entry.test}` : null)));
    const tried = ({ mutant, test }: { mutant: number; test: string }) => {
      const planned = plan.get(test);
      if (planned !== undefined) plan.set(test, { ...planned, mutants: planned.mutants.filter((id) => id !== mutant) });
      begun = null;
    };
    for (const entry of journal) {
      if (entry.type === 'begun') {
        begun = entry;
        count += 1;
      } else if (entry.type === 'passed') tried(entry);
      else if (entry.type === 'failed') {
        begun = null;
        // A failure of the first mutant of a process is its own, whatever it leaves behind.
        if (spoilt.has(`${entry.mutant} ${entry.test}`) && count > 1) continue;
        tried(entry);
        this.#kill(entry.mutant, { verdict: verdictOf(entry.error), by: `${entry.test}: ${entry.error}` });
      }
    }
    const last = begun as { mutant: number; test: string } | null;
    if (crashed && last !== null) this.#kill(last.mutant, { verdict: 'endless', by: last.test });
    return count;
  }

  /** Runs tests with a mutant that is active from the beginning, until one fails. */
  async #tryAlone(mutant: Mutant, files: readonly string[]): Promise<void> {
    const { crashed, failure } = await this.#session.run(files, { type: 'alone', mutant: mutant.id });
    if (crashed) this.#kill(mutant.id, { verdict: 'endless', by: failure ?? '' });
    else if (failure !== null) this.#kill(mutant.id, { verdict: verdictOf(failure), by: failure });
  }

  #kill(id: number, kill: Kill): void {
    const mutant = this.#left.get(id);
    if (mutant === undefined) return;
    this.#left.delete(id);
    this.#killed(mutant, kill);
  }
}

function verdictOf(error: string): Verdict {
  return /timed out/i.test(error) ? 'timed out' : 'killed';
}
