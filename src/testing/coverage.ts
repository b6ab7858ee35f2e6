import { type Path, type Paths, pathKey, pathText } from './exploration/paths.ts';
import { type Branch, type Branches, branchText, isUnhandledFailure } from './simulation/branches.ts';

/** Coverage of a workflow by the tests of its file. */
export interface Coverage {
  readonly nodes: CoverageShare;
  /** Branches of conditions and outcomes of nodes. */
  readonly branches: CoverageShare;
  readonly paths: CoverageShare;
  /** Coverage of branches in percent, rounded down. */
  readonly percent: number;
}

export interface CoverageShare {
  readonly covered: number;
  readonly total: number;
  /** What no test covers. */
  readonly missing: readonly string[];
}

/** Excludes what agents do by themselves, unhandled failures, and choices without a default whose conditions are all false. */
function isDrawn(branch: Branch): boolean {
  return (
    !branch.isInner && !isUnhandledFailure(branch) && !(branch.isChoice && branch.when === null && branch.targets.length === 0)
  );
}

export function coverageOf(branches: Branches, { paths }: Paths, tested: readonly (readonly Branch[])[]): Coverage {
  const taken = new Set(tested.flat());
  const visited = new Set([...taken].map(({ node }) => node));
  const testedPaths = new Set(tested.map((branches) => pathKey(branches.filter(({ isInner }) => !isInner))));
  const drawn = branches.all.filter(isDrawn);
  const nodes = coverageShare(
    [...new Set(branches.all.filter((branch) => !branches.isInner(branch.node)).map(({ node }) => node))],
    (node) => visited.has(node),
    String,
  );
  // None of a strategy.
  const written = paths.filter((path) => path.branches.length > 0);
  const branchShare = coverageShare(drawn, (branch) => taken.has(branch), branchText);
  return {
    nodes,
    branches: branchShare,
    paths: coverageShare(written, (path: Path) => testedPaths.has(path.key), pathText),
    percent: branchShare.total === 0 ? 100 : Math.floor((100 * branchShare.covered) / branchShare.total),
  };
}

function coverageShare<T>(all: readonly T[], isCovered: (one: T) => boolean, text: (one: T) => string): CoverageShare {
  const missing = all.filter((one) => !isCovered(one));
  return { covered: all.length - missing.length, total: all.length, missing: missing.map(text) };
}
