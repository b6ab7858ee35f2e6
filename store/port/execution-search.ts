import type { ExecutionRow } from './executions.ts';

/** All given conditions must hold. Ids sort by creation time. */
export interface ExecutionFilter {
  /** Any of these; an empty list matches nothing. */
  readonly statuses?: readonly string[];
  readonly workflowId?: string;
  /** Only with `workflowId`. */
  readonly workflowVersion?: string;
  readonly parentId?: string;
  /** Without a value: any. */
  readonly labels?: readonly { readonly key: string; readonly value?: string }[];
  /** Lowest id, inclusive. */
  readonly from?: string;
  /** Upper bound of the ids, exclusive. */
  readonly before?: string;
  /** Default `newest` first. */
  readonly order?: 'newest' | 'oldest';
}

export interface ExecutionPageRequest extends ExecutionFilter {
  /** `next` of the previous page. */
  readonly after?: string;
  readonly limit: number;
  /** How many matches to skip; default 0. */
  readonly offset?: number;
}

export interface ExecutionPage {
  /** Fewer than `limit` at the end, and before it when matches are so sparse that filling the page would take too long. */
  readonly rows: readonly ExecutionRow[];
  /** Where the next page begins (`after`); null = this was the last. Executions started in the meantime do not shift pages. */
  readonly next: string | null;
}

/** Numbers of executions by status. */
export type StatusCounts = ReadonlyMap<string, number>;

export function totalOf(counts: StatusCounts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

export interface IdSearch {
  /** Hex digits in lower case. */
  readonly part: string;
  /** `next` of the previous page. */
  readonly after?: string;
  readonly limit: number;
}

export interface IdSearchResult {
  /** Newest first: the ids that end with the part, or if none does, those that contain it. */
  readonly ids: readonly string[];
  /** Where the search continues (`after`); null = all ids were looked at. */
  readonly next: string | null;
}

/** Finds executions of one tenant by any combination of conditions. */
export interface ExecutionSearch {
  /** One page of matches, read along indexes: rows that do not match are not read. See `ExecutionPage`. */
  executions(request: ExecutionPageRequest): Promise<ExecutionPage>;
  /**
   * The number of matches by status; statuses without matches may be absent. Every execution counts once, with the status it has when it is reached.
   * Reads an index entry for each, so it takes time on large tenants; other work runs in between.
   */
  countByStatus(filter: ExecutionFilter): Promise<StatusCounts>;
  /** The sum of `countByStatus`. */
  countExecutions(filter: ExecutionFilter): Promise<number>;
  /** Executions by a part of their id. Looks at the newest million ids, along an index that holds nothing else; other work runs in between. */
  searchIds(search: IdSearch): Promise<IdSearchResult>;
}
