import type { Json } from '../../machines/json.ts';
import { kindWritten } from './kinds.ts';
import type { Route } from './targets.ts';

/** A node of the document, and where it leads as far as its author said so. */
export interface NodeDraft {
  readonly id: string;
  /** Offset of its id. */
  readonly at: number;
  readonly kind: Readonly<Record<string, Json>>;
  /** The node's own keys beside its kind. */
  readonly node: Readonly<Record<string, Json>>;
  /** Where `next` leads, in the order it is written; null when the author does not say. */
  readonly next: readonly Route[] | null;
}

/** Does the node list branches, to choose among or to start all of? */
export function hasBranches({ kind }: NodeDraft, branching: 'choice' | 'all'): boolean {
  return kindWritten(kind.type)?.branching === branching && Array.isArray(kind.branches) && kind.branches.length > 0;
}
