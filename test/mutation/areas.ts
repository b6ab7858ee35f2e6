import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A part of the product whose mutants are run against the same tests. */
export interface Area {
  readonly name: string;
  readonly sources: RegExp;
  /** Test files that mirror the sources. */
  readonly tests: RegExp;
  /** Further test files for the mutants that survive those. */
  readonly wider: RegExp;
}

const SIMULATION = 'test/simulation/simulation';
const RUNTIME = new RegExp(`^(test/runtime/|test/control/|test/api/routes/|${SIMULATION})`);

export const AREAS: readonly Area[] = [
  {
    name: 'machines/step',
    sources: /^machines\/step\//,
    tests: /^test\/machines\/(step|nodes)\//,
    wider: new RegExp(`^(test/machines/|test/runtime/(commands|engine|history)/|${SIMULATION})`),
  },
  {
    name: 'machines/replay',
    sources: /^machines\/replay\//,
    tests: /^test\/machines\/(replay\/|step\/|golden\.)/,
    wider: new RegExp(`^(test/machines/|test/runtime/(commands|engine|history)/|${SIMULATION})`),
  },
  {
    name: 'machines/compile',
    sources: /^machines\/compile(\/|-document)/,
    tests: /^test\/machines\/(compile\/|golden\.|lockstep)/,
    wider: new RegExp(`^(test/machines/|test/runtime/engine/|test/testing/|${SIMULATION})`),
  },
  {
    name: 'runtime/engine',
    sources: /^src\/runtime\/engine\//,
    tests: /^test\/runtime\/(engine|commands|history)\//,
    wider: RUNTIME,
  },
  {
    name: 'runtime/activities',
    sources: /^src\/runtime\/activities\//,
    tests: /^test\/runtime\/activities\//,
    wider: RUNTIME,
  },
  { name: 'runtime/timers', sources: /^src\/runtime\/timers\//, tests: /^test\/runtime\/timers\//, wider: RUNTIME },
  { name: 'runtime/cluster', sources: /^src\/runtime\/cluster\//, tests: /^test\/runtime\/cluster\//, wider: RUNTIME },
  {
    name: 'store/commit',
    sources: /^store\/((sqlite|postgres)\/commit\/|port\/commit)/,
    tests: /^test\/store\/(sqlite|postgres|log)\//,
    wider: /^test\/(store|runtime)\//,
  },
  {
    name: 'audit',
    sources: /^(store\/(sqlite\/|postgres\/)?audit\/|src\/control\/audit\.|src\/api\/(requests|routes)\/audit)/,
    tests: /^test\/(store\/audit\/|control\/audit|api\/routes\/audit)/,
    wider: /^test\/(store|control|api|cli)\//,
  },
];

/** What the test of the driver mutates; not part of a run of all areas. */
const PLANTED: Area = {
  name: 'planted',
  sources: /^test\/mutation\/planted\/clamp\.ts$/,
  tests: /^test\/mutation\/planted\/clamp\.test\.ts$/,
  wider: /^$/,
};

/** Areas by name; all if none is named. Throws on an unknown name. */
export function areasNamed(names: readonly string[]): readonly Area[] {
  if (names.length === 0) return AREAS;
  return names.map((name) => {
    const area = [...AREAS, PLANTED].find((each) => each.name === name);
    if (area === undefined) throw new Error(`no area "${name}"; the areas are ${AREAS.map((each) => each.name).join(', ')}`);
    return area;
  });
}

export function sourceFiles(area: Area): string[] {
  return listed(['machines', 'store', 'src', 'test/mutation']).filter(
    (file) => area.sources.test(file) && !file.endsWith('.d.ts'),
  );
}

export function testFiles(pattern: RegExp): string[] {
  return listed(['test']).filter((file) => file.endsWith('.test.ts') && pattern.test(file));
}

function listed(folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
