import type { Json } from '../../machines/json.ts';
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

/** Does the node lead to the branches it lists? */
export function hasBranches({ kind }: NodeDraft, type: 'condition' | 'parallel'): boolean {
  return kind.type === type && Array.isArray(kind.branches) && kind.branches.length > 0;
}
