/** A step of a path: a key, an index of a list, or any; `deep`: at any depth below. */
export interface PathSegment {
  /** Null = any key or index. */
  readonly key: string | null;
  readonly deep: boolean;
}

export type Path = readonly PathSegment[];

/** A path is followed in every value, so it is short. */
const MAX_SEGMENTS = 32;

type ParsedPath = { readonly path: Path; readonly problem: null } | { readonly path: null; readonly problem: string };

const SEGMENT = /(\.{1,2})(\*|[^.[\]*'"\s]+)|\[(\*|\d{1,9}|'[^']*'|"[^"]*")\]/y;

/** `$.a.b`, `$.a.*.b`, `$.list[*].b`, `$.list[0]`, `$['a b']`, `$..b`; the `$.` may be left out. */
export function parsePath(text: string): ParsedPath {
  const failed = (problem: string): ParsedPath => ({ path: null, problem: `"${text.slice(0, 60)}" ${problem}` });
  const rest = text.startsWith('$') ? text.slice(1) : /^[.[]/.test(text) ? text : `.${text}`;
  const path: PathSegment[] = [];
  SEGMENT.lastIndex = 0;
  let at = 0;
  for (let match = SEGMENT.exec(rest); match !== null; match = SEGMENT.exec(rest)) {
    const [whole, dots, name, bracketed = ''] = match;
    const key = name ?? (/^['"]/.test(bracketed) ? bracketed.slice(1, -1) : bracketed);
    path.push({ key: key === '*' && !/^['"]/.test(bracketed) ? null : key, deep: dots === '..' });
    at += whole.length;
    if (path.length > MAX_SEGMENTS) return failed(`has more than ${MAX_SEGMENTS} steps`);
  }
  if (at < rest.length) return failed('is not a path');
  if (path.length === 0) return failed('names the whole state');
  return { path, problem: null };
}

/** How far paths have been followed into a value: for each that is still open, its next segment. */
export type PathPositions = readonly (readonly [path: Path, next: number])[];

export function startOf(paths: readonly Path[]): PathPositions {
  return paths.map((path) => [path, 0] as const);
}

/** The positions inside a key or an index; null = a path ends there. */
export function positionsInside(positions: PathPositions, key: string): PathPositions | null {
  const inside: (readonly [Path, number])[] = [];
  for (const position of positions) {
    const [path, next] = position;
    const segment = path[next];
    if (segment === undefined) continue;
    if (segment.deep) inside.push(position);
    if (segment.key !== null && segment.key !== key) continue;
    if (next + 1 === path.length) return null;
    inside.push([path, next + 1]);
  }
  return inside;
}
