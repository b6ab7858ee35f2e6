import { type Located, MapReader } from './map-reader.ts';
import type { RecordedSourceMap } from './source-map.ts';

/** Names of nodes as the author writes them, and what they mean in the document. */
export class TargetResolver {
  readonly #ends: ReadonlySet<string>;

  /** `ends`: the nodes of type `end`. The document has none: `end` is a target there. */
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
  /** Null = taken when no other is. */
  readonly condition: Located<string> | null;
}

export function routeOf(item: Located<string> | MapReader, targets: TargetResolver): Route | null {
  if (!(item instanceof MapReader)) return { to: { value: targets.resolve(item.value), at: item.at }, condition: null };
  const otherwise = item.text('else', 'default');
  const to = item.text('next', 'to', 'target') ?? otherwise;
  const condition = item.text('if', 'when', 'condition');
  item.warnOfUnread();
  if (to === null) {
    item.error('missing_key', `${item.name} leads nowhere`, item.at, 'write "next: <node>", or "else: <node>"');
    return null;
  }
  if (otherwise !== null && (condition !== null || to !== otherwise)) {
    item.error('given_twice', `${item.name}: "else" stands alone, without a condition or another target`, otherwise.at);
  }
  return { to: { value: targets.resolve(to.value), at: to.at }, condition: otherwise === null ? condition : null };
}

export function recordRoute(places: RecordedSourceMap, path: string, target: string, { to, condition }: Route): void {
  places.record(path, to.at);
  places.record(`${path}.${target}`, to.at);
  if (condition !== null) places.record(`${path}.condition`, condition.at);
}
