import { type Located, MapReader } from './map-reader.ts';
import type { RecordedSourceMap } from './source-map.ts';

/** Resolves names of nodes in the file to targets of the document. */
export class TargetResolver {
  readonly #ends: ReadonlySet<string>;

  /** `ends`: the nodes of type `end`, which are the target `end` in the document. */
  constructor(ends: ReadonlySet<string>) {
    this.#ends = ends;
  }

  resolve(id: string): string {
    return this.#ends.has(id) ? 'end' : id;
  }

  isEnd(id: string): boolean {
    return id === 'end' || this.#ends.has(id);
  }
}

/** A route written as `{if, next}`, `{when, to}`, `{condition, target}`, `{else: target}` or a bare target. */
export interface Route {
  readonly to: Located<string>;
  /** Null = taken when no other route is. */
  readonly condition: Located<string> | null;
}

export function readRoute(item: Located<string> | MapReader, targets: TargetResolver): Route | null {
  if (!(item instanceof MapReader)) return { to: { value: targets.resolve(item.value), offset: item.offset }, condition: null };
  const otherwise = item.text('else', 'default');
  const to = item.text('next', 'to', 'target') ?? otherwise;
  const condition = item.text('if', 'when', 'condition');
  item.warnAboutUnread();
  if (to === null) {
    item.error('missing_key', `${item.name} leads nowhere`, item.offset, 'write "next: <node>", or "else: <node>"');
    return null;
  }
  if (otherwise !== null && (condition !== null || to !== otherwise)) {
    item.error('given_twice', `${item.name}: "else" allows no condition and no other target`, otherwise.offset);
  }
  return { to: { value: targets.resolve(to.value), offset: to.offset }, condition: otherwise === null ? condition : null };
}

export function recordRoute(sourceMap: RecordedSourceMap, path: string, target: string, { to, condition }: Route): void {
  sourceMap.record(path, to.offset);
  sourceMap.record(`${path}.${target}`, to.offset);
  if (condition !== null) sourceMap.record(`${path}.condition`, condition.offset);
}
