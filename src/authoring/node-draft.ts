import type { Json } from '../../machines/json.ts';
import { definitionWritten } from './kinds.ts';
import type { Route } from './targets.ts';

/** A node of the document, and the routes that its author wrote. */
export interface NodeDraft {
  readonly id: string;
  /** Offset of its id. */
  readonly offset: number;
  readonly kind: Readonly<Record<string, Json>>;
  /** The keys of the node itself, beside its kind. */
  readonly node: Readonly<Record<string, Json>>;
  /** The routes of `next`, in the order of the file; null when there is none. */
  readonly next: readonly Route[] | null;
}

/** Does the node list branches, to choose among or to start all of? */
export function hasBranches({ kind }: NodeDraft, branching: 'choice' | 'all'): boolean {
  return definitionWritten(kind.type)?.branching === branching && Array.isArray(kind.branches) && kind.branches.length > 0;
}
