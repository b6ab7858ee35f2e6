import type { ExecutionSearch, ExecutionFilter as StoredFilter } from '../../../store/port/execution-search.ts';
import type { JobRow } from '../../../store/port/resources/jobs.ts';
import { pageWithError, slicesWithError } from '../../runtime/queries/error-filter.ts';
import { storedFilter } from '../../runtime/queries/list-filter.ts';
import type { ExecutionFilter } from '../../runtime/types/executions.ts';

/** The executions of a job: those that match a filter, or named ones. */
export interface JobSelection extends ExecutionFilter {
  /** In order, each once. Without any other condition. */
  readonly executionIds?: readonly string[];
}

export interface SelectedPage {
  readonly ids: readonly string[];
  /** Where the next page begins (`after`); null = this was the last. */
  readonly next: string | null;
}

/** Reads the executions of one job, oldest first. */
export class SelectedExecutions {
  readonly #search: ExecutionSearch;
  readonly #filter: StoredFilter & { readonly order: 'oldest' };
  readonly #error: string | undefined;
  /** Null = those that match. */
  readonly #named: readonly string[] | null;

  constructor(search: ExecutionSearch, { id, filter }: Pick<JobRow, 'id' | 'filter'>) {
    const { executionIds = null, error, ...conditions } = JSON.parse(filter) as JobSelection;
    this.#search = search;
    this.#filter = { ...olderThan(id, storedFilter(conditions)), order: 'oldest' };
    this.#error = error;
    this.#named = executionIds;
  }

  /** Whether the job names its executions: one that does not exist is a failure then. */
  get areNamed(): boolean {
    return this.#named !== null;
  }

  async count(): Promise<number> {
    if (this.#named !== null) return this.#named.length;
    if (this.#error === undefined) return this.#search.countExecutions(this.#filter);
    let count = 0;
    for await (const { matches } of slicesWithError(this.#search, this.#filter, { error: this.#error })) count += matches.length;
    return count;
  }

  async page(after: string | null, limit: number): Promise<SelectedPage> {
    if (this.#named !== null) return pageOf(this.#named, after, limit);
    const request = { ...this.#filter, ...(after === null ? {} : { after }), limit };
    const page = await (this.#error === undefined
      ? this.#search.executions(request)
      : pageWithError(this.#search, request, this.#error));
    return { ids: page.rows.map((row) => row.id), next: page.next };
  }
}

function pageOf(ids: readonly string[], after: string | null, limit: number): SelectedPage {
  const left = after === null ? ids : ids.filter((id) => id > after);
  const page = left.slice(0, limit);
  return { ids: page, next: left.length > limit ? (page.at(-1) ?? null) : null };
}

/** Restricts the filter to executions older than the job: ids sort by creation time. */
function olderThan(jobId: string, filter: StoredFilter): StoredFilter {
  const upperBound = `exec_${jobId.slice('job_'.length)}`;
  const before = filter.before !== undefined && filter.before < upperBound ? filter.before : upperBound;
  return { ...filter, before };
}
