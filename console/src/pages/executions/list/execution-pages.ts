import type {
  ExecutionConditions,
  ExecutionCounts,
  ExecutionItem,
  ExecutionList,
  JamjetClient,
} from '../../../../../src/client/index.ts';

/** Distance of the places, in rows, whose cursors are kept. */
const CURSOR_DISTANCE = 5_000;
/** Longer errors are cut: a list shows one line of each. */
const MAX_ERROR = 500;

/** What a list shows: executions that match conditions, or those with digits in their id. */
export type Selection =
  | { readonly kind: 'conditions'; readonly conditions: ExecutionConditions }
  | { readonly kind: 'id'; readonly digits: string };

interface Place {
  readonly limit: number;
  readonly offset?: number;
  readonly cursor?: string;
}

/** Reads pages of a selection, and counts what matches. */
export class ExecutionPages {
  readonly #client: JamjetClient;
  readonly #selection: Selection;
  /** Behind which rank each cursor continues, ascending: skipping many rows takes time. */
  #cursors: { readonly rank: number; readonly cursor: string }[] = [];
  #gone = new AbortController();

  constructor(client: JamjetClient, selection: Selection) {
    this.#client = client;
    this.#selection = selection;
  }

  /** Null for a search by id, which has none. */
  get conditions(): ExecutionConditions | null {
    return this.#selection.kind === 'id' ? null : this.#selection.conditions;
  }

  /** Whether pages can only be read one after the other. */
  get isSequential(): boolean {
    return this.#selection.kind === 'id' || this.#selection.conditions.error !== undefined;
  }

  get isClosed(): boolean {
    return this.#gone.signal.aborted;
  }

  open(): void {
    if (this.isClosed) this.#gone = new AbortController();
  }

  close(): void {
    this.#gone.abort();
  }

  /** `until`: only what was started before then; null = all. */
  async read({ limit, ...place }: Place, until: string | null): Promise<ExecutionList> {
    const options = { signal: this.#gone.signal };
    const selection = this.#selection;
    const query =
      selection.kind === 'id'
        ? { id: selection.digits }
        : { ...selection.conditions, ...createdBefore(selection.conditions.created_before, until) };
    const page = await this.#client.executions({ ...query, ...place, limit }, options);
    return { ...page, executions: page.executions.map(cut) };
  }

  /** Rows from a rank on, from the nearest cursor that is known. */
  readFrom(rank: number, limit: number, until: string | null): Promise<ExecutionList> {
    const near = this.#cursors.findLast((each) => each.rank <= rank);
    const place = near === undefined ? { offset: rank } : { cursor: near.cursor, offset: rank - near.rank };
    return this.read({ ...place, limit }, until);
  }

  /** Null: the request failed. The rows tell why. */
  async count(conditions: ExecutionConditions): Promise<ExecutionCounts | null> {
    try {
      return await this.#client.executionCounts(conditions, { signal: this.#gone.signal });
    } catch {
      return null;
    }
  }

  keepCursor(rank: number, cursor: string): void {
    const at = this.#cursors.findIndex((each) => each.rank > rank - CURSOR_DISTANCE);
    const isNearOther = at >= 0 && (this.#cursors[at]?.rank ?? 0) < rank + CURSOR_DISTANCE;
    if (!isNearOther) this.#cursors.splice(at < 0 ? this.#cursors.length : at, 0, { rank, cursor });
  }

  /** The ranks of the list have changed. */
  forgetCursors(): void {
    this.#cursors = [];
  }
}

/** The end of a range of time with all that was started before the execution, and itself. */
export function startedUntil({ created_at }: ExecutionItem): string {
  return new Date(Date.parse(created_at) + 1).toISOString();
}

function createdBefore(one: string | undefined, other: string | null): Pick<ExecutionConditions, 'created_before'> {
  if (other === null) return one === undefined ? {} : { created_before: one };
  return { created_before: one !== undefined && Date.parse(one) < Date.parse(other) ? one : other };
}

function cut(item: ExecutionItem): ExecutionItem {
  if (item.error === undefined || item.error.length <= MAX_ERROR) return item;
  const error = item.error.slice(0, MAX_ERROR);
  return { ...item, error, detail: error };
}
