import { type Path, type Paths, pathKey, pathText } from './paths.ts';
import { isUnhandledFailure, type Way, type Ways, wayText } from './ways.ts';

/** What the tests of a file visit of what there is. */
export interface Coverage {
  readonly nodes: Share;
  /** Branches and outcomes: every way that is drawn. */
  readonly ways: Share;
  readonly paths: Share;
  /** Of ways, in percent, rounded down. */
  readonly percent: number;
}

export interface Share {
  readonly covered: number;
  readonly total: number;
  /** What no test visits. */
  readonly missing: readonly string[];
}

/** Is it a way that somebody drew? A choice without a default leads nowhere when nothing holds. */
function isDrawn(way: Way): boolean {
  return !isUnhandledFailure(way) && !(way.isChoice && way.when === null && way.targets.length === 0);
}

export function coverageOf(ways: Ways, { paths }: Paths, tested: readonly (readonly Way[])[]): Coverage {
  const taken = new Set(tested.flat());
  const visited = new Set([...taken].map(({ node }) => node));
  const walked = new Set(tested.map(pathKey));
  const drawn = ways.all.filter(isDrawn);
  const nodes = share([...new Set(ways.all.map(({ node }) => node))], (node) => visited.has(node), String);
  const ofWays = share(drawn, (way) => taken.has(way), wayText);
  return {
    nodes,
    ways: ofWays,
    paths: share(paths, (path: Path) => walked.has(path.key), pathText),
    percent: ofWays.total === 0 ? 100 : Math.floor((100 * ofWays.covered) / ofWays.total),
  };
}

function share<T>(all: readonly T[], isCovered: (one: T) => boolean, text: (one: T) => string): Share {
  const missing = all.filter((one) => !isCovered(one));
  return { covered: all.length - missing.length, total: all.length, missing: missing.map(text) };
}
