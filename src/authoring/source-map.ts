import type { MapReader } from './map-reader.ts';
import type { Source } from './source.ts';
import { isMap, isSeq, scalarOf } from './tree.ts';
import { fieldsOf, offsetOf, resolveAliases } from './values.ts';

/** Offsets in the file by path of the document (`nodes.review.kind.timeout_secs`, `edges.3.to`). */
export interface SourceMap {
  /** Offset of the path or of its nearest parent; null when none was written. */
  nearestOffset(path: string): number | null;
}

/** The source map of a compiled document: the offset of each part is recorded when the part is made. */
export class RecordedSourceMap implements SourceMap {
  readonly #offsets = new Map<string, number>();

  record(path: string, at: number): void {
    this.#offsets.set(path, at);
  }

  /** Records every key of a map as a part of `path`. */
  recordAll(path: string, reader: MapReader): void {
    for (const { key, offset: at } of reader.fields) this.record(`${path}.${key}`, at);
  }

  nearestOffset(path: string): number | null {
    for (let prefix = dotted(path); prefix !== ''; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')))) {
      const at = this.#offsets.get(prefix);
      if (at !== undefined) return at;
    }
    return null;
  }
}

/** The source map of a file that is the document itself. */
export class DocumentSourceMap implements SourceMap {
  readonly #source: Source;
  readonly #root: unknown;

  constructor(root: unknown, source: Source) {
    this.#source = source;
    this.#root = root;
  }

  nearestOffset(path: string): number | null {
    let rest = dotted(path);
    let at: number | null = null;
    let node = resolveAliases(this.#root, this.#source);
    while (rest !== '') {
      if (isMap(node)) {
        // Names may have dots: the longest key that the path starts with is the right one.
        const fits = [...fieldsOf(node, this.#source).values()].filter(({ key }) => rest === key || rest.startsWith(`${key}.`));
        const field = fits.sort((a, b) => b.key.length - a.key.length)[0];
        if (field === undefined) return at;
        at = isMap(field.value) || isSeq(field.value) ? field.keyOffset : field.offset;
        node = field.value;
        rest = rest.slice(field.key.length + 1);
      } else if (isSeq(node)) {
        const items = node.items.map((item) => resolveAliases(item, this.#source));
        const item =
          items.find((candidate) => isMap(candidate) && named(rest, scalarOf(candidate, 'id'))) ??
          items[Number.parseInt(rest, 10)];
        if (item === undefined || item === null) return at;
        at = offsetOf(item);
        const id = isMap(item) ? scalarOf(item, 'id') : null;
        const taken = named(rest, id) ? String(id) : String(Number.parseInt(rest, 10));
        node = item;
        rest = rest.slice(taken.length + 1);
      } else return at;
    }
    return at;
  }
}

function named(path: string, id: unknown): boolean {
  return typeof id === 'string' && (path === id || path.startsWith(`${id}.`));
}

/** `edges[3].to` → `edges.3.to`. */
function dotted(path: string): string {
  return path.replace(/\[(\d+)\]/g, '.$1');
}
