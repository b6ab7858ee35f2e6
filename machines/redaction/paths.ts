import { shortened } from '../shortened.ts';

/** A step of a path: a key, an index of a list, or any; `deep`: at any depth below. */
export interface PathSegment {
  /** Null = any key or index. */
  readonly key: string | null;
  readonly deep: boolean;
}

export type Path = readonly PathSegment[];

/** A path is followed in every value, so it is short: a position in it is a bit of a number. */
const MAX_SEGMENTS = 32;

type ParsedPath = { readonly path: Path; readonly problem: null } | { readonly path: null; readonly problem: string };

const SEGMENT = /(\.{1,2})(\*|[^.[\]*'"\s]+)|\[(\*|\d{1,9}|'[^']*'|"[^"]*")\]/y;

/** `$.a.b`, `$.a.*.b`, `$.list[*].b`, `$.list[0]`, `$['a b']`, `$..b`; the `$.` may be left out. */
export function parsePath(text: string): ParsedPath {
  const failed = (problem: string): ParsedPath => ({ path: null, problem: `"${shortened(text, 60)}" ${problem}` });
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

/** How far one path has been followed into a value: bit `i` of `open` = its segment `i` is next. */
interface Position {
  readonly path: Path;
  readonly open: number;
}

/** How far paths have been followed into a value. There is one position per path, so that looking at a key takes the same time at any depth. */
export type PathPositions = readonly Position[];

export function startOf(paths: readonly Path[]): PathPositions {
  return paths.map((path) => ({ path, open: 1 }));
}

/** The positions inside a key or an index; null = a path ends there. */
export function positionsInside(positions: PathPositions, key: string): PathPositions | null {
  const inside: Position[] = [];
  for (const { path, open } of positions) {
    let next = 0;
    for (let rest = open; rest !== 0; rest &= rest - 1) {
      const at = 31 - Math.clz32(rest & -rest);
      const segment = path[at] as PathSegment;
      if (segment.deep) next |= 1 << at;
      if (segment.key !== null && segment.key !== key) continue;
      if (at + 1 === path.length) return null;
      next |= 1 << (at + 1);
    }
    if (next !== 0) inside.push({ path, open: next });
  }
  return inside;
}

export function samePositions(some: PathPositions, others: PathPositions): boolean {
  return some.length === others.length && some.every(({ path, open }, i) => path === others[i]?.path && open === others[i].open);
}
