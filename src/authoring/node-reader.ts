import type { Json } from '../../machines/json.ts';
import type { MapReader } from './map-reader.ts';
import type { RecordedSourceMap } from './source-map.ts';
import type { TargetResolver } from './targets.ts';

/** The node that is being read. */
export interface NodeReading {
  readonly reader: MapReader;
  readonly id: string;
  readonly targets: TargetResolver;
  readonly sourceMap: RecordedSourceMap;
  /** The kind object of the document, filled while the node is read. */
  readonly kind: Record<string, Json>;
}

/** Records the position of a key of the kind. */
export function recordKindKey({ sourceMap, id }: NodeReading, key: string, offset: number): void {
  sourceMap.record(`nodes.${id}.kind.${key}`, offset);
}
