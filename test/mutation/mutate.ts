import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Area, sourceFiles, testFiles } from './areas.ts';
import { describeMutant, type Mutant, mutantsOf } from './mutants.ts';
import { type Kill, type Open, repeatTests, runAlone } from './pass.ts';
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
  say(line: string): void;
  /** Called when an area is done. */
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
  const results: Result[] = [];
  try {
    for (const area of areas) {
      const sources = new Set(sourceFiles(area));
      const found = new Map<Mutant, Kill>();
      const mutants = chosen.filter((mutant) => sources.has(mutant.file));
      const open: Open = { left: new Set(mutants), evaluated: new Set(), loaded: new Set(), alone: new Set() };
      const killed = (mutant: Mutant, kill: Kill) => {
        found.set(mutant, kill);
        say(`${kill.verdict}: ${describeMutant(mutant)}\n    ${kill.by.split('\n')[0]}`);
      };
      const mirrored = testFiles(area.tests);
      for (const files of [mirrored, testFiles(area.wider).filter((file) => !mirrored.includes(file))]) {
        await repeatTests(session, files, open, killed);
        const unevaluated = [...open.loaded].filter((mutant) => !open.evaluated.has(mutant));
        for (const mutant of new Set([...unevaluated, ...open.alone])) {
          const kill = open.left.has(mutant) ? await runAlone(session, files, mutant) : null;
          if (kill === null) continue;
          open.left.delete(mutant);
          killed(mutant, kill);
        }
        say(`${area.name}: ${open.left.size} of ${mutants.length} mutants are left after ${files.length} test files`);
      }
      for (const mutant of mutants) {
        const evaluated = open.evaluated.has(mutant) || open.loaded.has(mutant);
        const survivor = { verdict: evaluated ? ('survived' as const) : ('not covered' as const), by: null };
        results.push({ area: area.name, mutant: describeMutant(mutant), ...(found.get(mutant) ?? survivor) });
      }
      options.save({ seed, results });
    }
  } finally {
    await session.close();
  }
  return { seed, results };
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
