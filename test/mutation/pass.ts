import type { Mutant } from './mutants.ts';
import type { Verdict } from './report.ts';
import type { Session } from './session.ts';

export interface Kill {
  readonly verdict: Verdict;
  readonly by: string;
}

/** Mutants whose fate is open, and what is known of them. */
export interface Open {
  readonly left: Set<Mutant>;
  /** Evaluated by a test. */
  readonly evaluated: Set<Mutant>;
  /** Evaluated before the tests of a file: while modules are loaded. */
  readonly loaded: Set<Mutant>;
  /** Disturbs the tests after it: needs a process of its own. */
  readonly alone: Set<Mutant>;
}

/** CPU time in ms: mutants are tried on cheap tests first. */
const CHEAP_MS = 400;
const WAIT_MS = { cheap: 90_000, expensive: 300_000 };

/** Runs each test with all the mutants that it evaluates, in one process for many tests. */
export async function repeatTests(
  session: Session,
  files: readonly string[],
  open: Open,
  killed: (mutant: Mutant, kill: Kill) => void,
) {
  const expensive: string[] = [];
  for (const group of await session.byProject(files)) {
    expensive.push(...(await repeat(group, { from: 0, to: CHEAP_MS }, WAIT_MS.cheap)));
  }
  await repeat(expensive, { from: CHEAP_MS, to: Number.MAX_SAFE_INTEGER }, WAIT_MS.expensive);

  async function repeat(all: readonly string[], test: { from: number; to: number }, waitMs: number): Promise<string[]> {
    const costly = new Set<string>();
    const broken = new Set<string>();
    let pending = all;
    while (pending.length > 0) {
      const mutants = [...open.left].filter((mutant) => !open.alone.has(mutant));
      if (mutants.length === 0) break;
      const byId = new Map(mutants.map((mutant) => [mutant.id, mutant]));
      const find = (id: number) => byId.get(id) as Mutant;
      const { journal, crashed, failure } = await session.run(pending, { active: null, mutants: [...byId.keys()], test }, waitMs);
      let file = pending[0] ?? '';
      let begun: { mutant: number; test: string } | null = null;
      const spoilt = new Set(journal.map((entry) => (entry.type === 'spoilt' ? entry.mutant : null)));
      for (const entry of journal) {
        if (entry.type === 'file') file = entry.file;
        else if (entry.type === 'expensive') costly.add(entry.file);
        else if (entry.type === 'loaded') for (const id of entry.mutants) open.loaded.add(find(id));
        else if (entry.type === 'broken') {
          begun = null;
          // Perhaps by what a mutant left behind; so it gets a new process.
          if (broken.has(entry.test)) throw new Error(`fails without a mutant: ${entry.test}: ${entry.error}`);
          broken.add(entry.test);
        } else if (entry.type === 'begun') {
          begun = entry;
          open.evaluated.add(find(entry.mutant));
        } else if (entry.type === 'passed') begun = null;
        else if (entry.type === 'failed') {
          begun = null;
          if (spoilt.has(entry.mutant)) continue;
          const verdict = /timed out/i.test(entry.error) ? 'timed out' : 'killed';
          kill(find(entry.mutant), { verdict, by: `${entry.test}: ${entry.error}` });
        } else {
          open.alone.add(find(entry.mutant));
        }
      }
      if (!crashed) {
        if (failure !== null) throw new Error(`fails without a mutant: ${failure}`);
        break;
      }
      if (begun !== null) kill(find(begun.mutant), { verdict: 'endless', by: begun.test });
      pending = pending.slice(Math.max(0, pending.indexOf(file)));
    }
    return [...costly];
  }

  function kill(mutant: Mutant, how: Kill): void {
    open.left.delete(mutant);
    killed(mutant, how);
  }
}

/** Runs the tests with one mutant that is active from the beginning, until one fails. */
export async function runAlone(session: Session, files: readonly string[], mutant: Mutant): Promise<Kill | null> {
  const task = { active: mutant.id, mutants: [], test: { from: 0, to: 0 } };
  const { crashed, failure } = await session.run(files, task, WAIT_MS.expensive);
  if (crashed) return { verdict: 'endless', by: failure ?? '' };
  if (failure === null) return null;
  return { verdict: /timed out/i.test(failure) ? 'timed out' : 'killed', by: failure };
}
