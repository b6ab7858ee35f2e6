import type { Json } from '../../machines/json.ts';
import type { MarkedPlaces } from './places.ts';
import type { Section } from './section.ts';
import type { Targets } from './targets.ts';

/** A node being read. */
export interface Reading {
  readonly section: Section;
  readonly id: string;
  readonly targets: Targets;
  readonly places: MarkedPlaces;
  /** The kind object of the document, filled while the node is read. */
  readonly kind: Record<string, Json>;
}

/** Notes where a key of the kind was written. */
export function markKind({ places, id }: Reading, key: string, at: number): void {
  places.mark(`nodes.${id}.kind.${key}`, at);
}
