import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Area, sourceFiles, testFiles } from './areas.ts';
import { Coverage } from './coverage.ts';
import { describeMutant, type Mutant, mutantsOf } from './mutants.ts';
import { type Kill, Pass } from './pass.ts';
import { type Report, type Result, survivorsIn } from './report.ts';
import { Session } from './session.ts';

export interface MutationOptions {
  readonly areas: readonly Area[];
  readonly count: number;
  readonly seed: number;
  /** Only mutants at these places, `file` or `file:line`; all of them. */
  readonly at: readonly string[];
  /** Only the survivors of this report. */
  readonly again: string | null;
  readonly list: boolean;
  /** Only the tests of these files; all of the areas. */
  readonly by: readonly string[];
  /** So many tests of a mirror, or of the wider ones, are tried on a mutant at most. */
  readonly tests: number;
  say(line: string): void;
  /** Called when a mutant has fallen, and at the end. */
  save(report: Report): void;
}

/** Chooses mutants and runs the tests of their areas, then the wider ones for those that are left. */
export async function mutate(options: MutationOptions): Promise<Report> {
  const { areas, seed, say } = options;
  const chosen = choose(options);
  say(`${chosen.length} mutants, seed ${seed}`);
  if (options.list) {
    for (const mutant of chosen) say(describeMutant(mutant));
    return { seed, results: [] };
  }
  const session = await Session.open(chosen, areas.flatMap(sourceFiles));
  const coverage = new Coverage(session);
  const found = new Map<Mutant, Kill>();
  const left = new Map(chosen.map((mutant) => [mutant.id, mutant]));
  const areaOf = (mutant: Mutant) => areas.find(({ sources }) => sources.test(mutant.file)) as Area;
  const results = () =>
    chosen.map((mutant): Result => {
      const survivor = { verdict: coverage.isEvaluated(mutant.id) ? ('survived' as const) : ('not covered' as const), by: null };
      return { area: areaOf(mutant).name, mutant: describeMutant(mutant), ...(found.get(mutant) ?? survivor) };
    });
  const killed = (mutant: Mutant, kill: Kill) => {
    found.set(mutant, kill);
    say(`${kill.verdict}: ${describeMutant(mutant)}\n    ${kill.by.split('\n')[0]}`);
    options.save({ seed, results: results() });
  };
  const pass = new Pass({ session, coverage, left, killed, say, most: options.tests });
  try {
    for (const pattern of options.by.length > 0 ? (['tests'] as const) : (['tests', 'wider'] as const)) {
      const filesOf = (area: Area) => (options.by.length > 0 ? options.by : testsOf(area, pattern));
      const files = new Map([...new Set([...left.values()].map(areaOf))].map((area) => [area, filesOf(area)]));
      for (const group of await session.byProject([...new Set([...files.values()].flat())])) {
        const open = [...left.values()].flatMap((mutant) => files.get(areaOf(mutant)) ?? []);
        for (const failure of await coverage.add(group.filter((file) => open.includes(file))))
          say(`fails without a mutant: ${failure}`);
        await pass.run((mutant) => (files.get(areaOf(mutant)) ?? []).filter((file) => group.includes(file)));
      }
    }
  } finally {
    await session.close();
  }
  const report = { seed, results: results() };
  options.save(report);
  return report;
}

/** The wider tests of an area are those that do not mirror it. */
function testsOf(area: Area, pattern: 'tests' | 'wider'): readonly string[] {
  return testFiles(area[pattern]).filter((file) => pattern === 'tests' || !area.tests.test(file));
}

/** Mutants drawn from all areas, so that each has a share in proportion to its code. */
function choose({ areas, at, again, count, seed }: MutationOptions): readonly Mutant[] {
  const all = areas
    .flatMap(sourceFiles)
    .flatMap((file) => mutantsOf(file, readFileSync(file, 'utf8')))
    .map((mutant, id) => ({ ...mutant, id }));
  if (again !== null) {
    const wanted = survivorsIn(again);
    return all.filter((mutant) => wanted.has(describeMutant(mutant)));
  }
  if (at.length > 0) return all.filter(({ file, line }) => at.some((place) => place === file || place === `${file}:${line}`));
  const lots = drawLots(all, seed);
  const drawn = new Set(all.toSorted((a, b) => (lots.get(a) ?? 0) - (lots.get(b) ?? 0)).slice(0, count));
  return all.filter((mutant) => drawn.has(mutant));
}

/** A number for each mutant that follows from the seed and what it changes, so that an edit elsewhere leaves the choice as it is. */
function drawLots(all: readonly Mutant[], seed: number): ReadonlyMap<Mutant, number> {
  const alike = new Map<string, number>();
  return new Map(
    all.map((mutant) => {
      const change = `${mutant.file} ${mutant.mutator} ${mutant.original} ${mutant.text}`;
      const nth = (alike.get(change) ?? 0) + 1;
      alike.set(change, nth);
      return [mutant, createHash('sha256').update(`${seed} ${nth} ${change}`).digest().readUInt32BE()];
    }),
  );
}
