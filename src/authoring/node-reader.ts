import type { Json } from '../../machines/json.ts';
import type { MapReader } from './map-reader.ts';
import type { RecordedSourceMap } from './source-map.ts';
import type { TargetResolver } from './targets.ts';

/** A node being read. */
export interface NodeReader {
  readonly section: MapReader;
  readonly id: string;
  readonly targets: TargetResolver;
  readonly places: RecordedSourceMap;
  /** The kind object of the document, filled while the node is read. */
  readonly kind: Record<string, Json>;
}

/** Notes where a key of the kind was written. */
export function recordKindKey({ places, id }: NodeReader, key: string, at: number): void {
  places.record(`nodes.${id}.kind.${key}`, at);
}
