import { type Branch, type Branches, branchText, isUnhandledFailure } from './branches.ts';
import { type Path, type Paths, pathKey, pathText } from './paths.ts';

/** What the tests of a file visit of what there is. */
export interface Coverage {
  readonly nodes: CoverageShare;
  /** Branches and outcomes: every way that is drawn. */
  readonly ways: CoverageShare;
  readonly paths: CoverageShare;
  /** Of ways, in percent, rounded down. */
  readonly percent: number;
}

export interface CoverageShare {
  readonly covered: number;
  readonly total: number;
  /** What no test visits. */
  readonly missing: readonly string[];
}

/** Is it a way that somebody drew? A choice without a default leads nowhere when nothing holds. */
function isDrawn(way: Branch): boolean {
  return !isUnhandledFailure(way) && !(way.isChoice && way.when === null && way.targets.length === 0);
}

export function coverageOf(ways: Branches, { paths }: Paths, tested: readonly (readonly Branch[])[]): Coverage {
  const taken = new Set(tested.flat());
  const visited = new Set([...taken].map(({ node }) => node));
  const testedPaths = new Set(tested.map(pathKey));
  const drawn = ways.all.filter(isDrawn);
  const nodes = coverageShare([...new Set(ways.all.map(({ node }) => node))], (node) => visited.has(node), String);
  const branchShare = coverageShare(drawn, (way) => taken.has(way), branchText);
  return {
    nodes,
    ways: branchShare,
    paths: coverageShare(paths, (path: Path) => testedPaths.has(path.key), pathText),
    percent: branchShare.total === 0 ? 100 : Math.floor((100 * branchShare.covered) / branchShare.total),
  };
}

function coverageShare<T>(all: readonly T[], isCovered: (one: T) => boolean, text: (one: T) => string): CoverageShare {
  const missing = all.filter((one) => !isCovered(one));
  return { covered: all.length - missing.length, total: all.length, missing: missing.map(text) };
}
