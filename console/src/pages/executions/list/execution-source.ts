import type {
  ExecutionConditions,
  ExecutionCounts,
  ExecutionItem,
  ExecutionList,
  JamjetClient,
} from '../../../../../src/client/index.ts';
import { appended, joined, type ListWindow, shiftOf } from '../../../../../src/views/list-window.ts';
import { STATUS_EVENTS } from '../../../../../src/views/status-events.ts';

/** Rows of one request. */
const PAGE = 150;
const MAX_PAGE = 1_000;
/** Rows of a request that reads the top of the list again, at least. */
const MIN_REFRESHED = 60;
/** Rows that are kept, unless they can only be read one page after the other: those far from the visible ones go first. */
const MAX_ROWS = 600;
/** Rows that are loaded beyond the visible ones before these are reached. */
const MARGIN = 40;
const MIN_INTERVAL_MS = 1_000;
/** Counting takes at most this part of the server's time: a count that took a second is repeated after five. */
const COUNT_REST_FACTOR = 5;
/** With the pointer over the list, more new rows than these wait until it is away. */
const MAX_INSERTED_UNDER_POINTER = 3;

/** Other events change no row, and no number. */
const CHANGING: ReadonlySet<string> = new Set(STATUS_EVENTS);
/** Distance of the places, in rows, whose cursors are kept. */
const CURSOR_DISTANCE = 5_000;

/** What the list shows: executions that match conditions, or those with digits in their id. */
export type Selection =
  | { readonly kind: 'conditions'; readonly conditions: ExecutionConditions }
  | { readonly kind: 'id'; readonly digits: string };

export interface SourceState {
  readonly window: ListWindow<ExecutionItem>;
  /** Rows of the whole list; of those known so far, if it can only be read from its beginning. */
  readonly total: number;
  /** Whether the list goes on beyond `total`. */
  readonly hasMore: boolean;
  /** By status, whatever statuses are selected; null = not known. */
  readonly counts: ExecutionCounts | null;
  /** Executions that were started since, and that the list does not show yet. */
  readonly newer: number;
  /** Increases when rows above the visible ones came or went; `rows` = by how many the list has moved. */
  readonly shift: { readonly number: number; readonly rows: number };
  readonly isLoading: boolean;
  /** The last request failed; null = it did not. */
  readonly error: unknown;
}

const NOTHING: SourceState = {
  window: { start: 0, rows: [] },
  total: 0,
  hasMore: false,
  counts: null,
  newer: 0,
  shift: { number: 0, rows: 0 },
  isLoading: true,
  error: null,
};

/**
 * The executions of a list of any length: only rows around the visible ones are loaded, and read again when an event concerns them. While the
 * reader is at the top, the list follows; elsewhere it stays as it is, and new executions are counted.
 */
export class ExecutionSource {
  readonly #client: JamjetClient;
  readonly #selection: Selection;
  readonly #listeners = new Set<() => void>();
  #gone = new AbortController();
  #state = NOTHING;
  /** Executions from then on are not part of the list while it does not follow; null = it follows. */
  #anchor: string | null = null;
  #nextCursor: string | null = null;
  /** Behind which rank each cursor continues, ascending: skipping many rows takes time. */
  #cursors: { readonly rank: number; readonly cursor: string }[] = [];
  #visible = { first: 0, end: 0 };
  #isAtTop = true;
  #isPointerOver = false;
  #isReading = false;
  #stale: { rows: boolean; counts: boolean } = { rows: true, counts: true };
  #timer: ReturnType<typeof setTimeout> | null = null;
  #rowsAtMs = Number.NEGATIVE_INFINITY;
  #countsAtMs = Number.NEGATIVE_INFINITY;
  #countsTookMs = 0;

  constructor(client: JamjetClient, selection: Selection) {
    this.#client = client;
    this.#selection = selection;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly state = (): SourceState => this.#state;

  /** Whether its pages can only be read one after the other. */
  get isSequential(): boolean {
    return this.#selection.kind === 'id' || this.#selection.conditions.error !== undefined;
  }

  /** A source that was closed can be started again. */
  start(): void {
    if (this.#gone.signal.aborted) this.#gone = new AbortController();
    this.#schedule();
  }

  close(): void {
    this.#gone.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Reads everything again, at once. */
  reload(): void {
    this.#stale = { rows: true, counts: true };
    this.#rowsAtMs = this.#countsAtMs = Number.NEGATIVE_INFINITY;
    this.#schedule();
  }

  /** The list begins with what is newest now. */
  showNewest(): void {
    this.#isAtTop = true;
    this.#isPointerOver = false;
    this.#visible = { first: 0, end: Math.max(1, this.#visible.end - this.#visible.first) };
    this.#anchor = null;
    this.reload();
  }

  /** These rows are visible; `end` is exclusive. */
  show(visible: { readonly first: number; readonly end: number }, isAtTop: boolean): void {
    this.#visible = visible;
    this.#isAtTop = isAtTop;
    if (isAtTop && this.#anchor !== null) {
      if (this.#state.newer > 0) this.#stale.rows = true;
      else this.#anchor = null;
    }
    if (!isAtTop && this.#anchor === null) this.#setAnchor();
    this.#schedule();
  }

  set isPointerOver(isOver: boolean) {
    this.#isPointerOver = isOver;
    if (!isOver && this.#state.newer > 0 && this.#isAtTop) {
      this.#stale.rows = true;
      this.#schedule();
    }
  }

  /** An event of the tenant. */
  changed({ execution_id, type }: { readonly execution_id: string; readonly type: string }): void {
    if (!CHANGING.has(type)) return;
    if (this.#follows || this.#isVisible(execution_id)) this.#stale.rows = true;
    this.#stale.counts = true;
    this.#schedule();
  }

  get #follows(): boolean {
    return this.#isAtTop && this.#anchor === null;
  }

  #isVisible(id: string): boolean {
    const { start, rows } = this.#state.window;
    const { first, end } = this.#visible;
    return rows.slice(Math.max(0, first - start), Math.max(0, end - start)).some((row) => row.id === id);
  }

  #set(change: Partial<SourceState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  #setAnchor(): void {
    const newest = this.#state.window.start === 0 ? this.#state.window.rows[0] : undefined;
    if (newest !== undefined) this.#anchor = startedUntil(newest);
  }

  #schedule(): void {
    if (this.#isReading || this.#gone.signal.aborted) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const next = this.#next();
    if (typeof next !== 'number') this.#run(next);
    else if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#schedule(), next);
  }

  /** What is due, one request after the other, the rows that the reader waits for first; or in how many milliseconds something is due. */
  #next(): (() => Promise<void>) | number {
    const missing = this.#state.isLoading ? null : this.#missing();
    if (missing !== null) return () => this.#load(missing);
    const rowsInMs = this.#stale.rows ? this.#rowsAtMs + MIN_INTERVAL_MS - performance.now() : Number.POSITIVE_INFINITY;
    if (rowsInMs <= 0) return () => this.#refresh();
    const restMs = Math.max(MIN_INTERVAL_MS, COUNT_REST_FACTOR * this.#countsTookMs);
    const countsInMs = this.#stale.counts ? this.#countsAtMs + restMs - performance.now() : Number.POSITIVE_INFINITY;
    if (countsInMs <= 0) return () => this.#count();
    return Math.min(rowsInMs, countsInMs);
  }

  #run(read: () => Promise<void>): void {
    this.#isReading = true;
    read()
      .then(() => this.#state.error !== null && this.#set({ error: null }))
      .catch((error: unknown) => {
        if (!this.#gone.signal.aborted) this.#set({ error, isLoading: false });
      })
      .finally(() => {
        this.#isReading = false;
        this.#schedule();
      });
  }

  /** The rows to load next: those around the visible ones, unless they are loaded; null = all are. */
  #missing(): 'next' | { readonly start: number } | null {
    const { window, total, hasMore } = this.#state;
    if (this.#state.error !== null) return null;
    const loadedEnd = window.start + window.rows.length;
    const { first, end } = this.#visible;
    if (this.isSequential) return hasMore && end + MARGIN > loadedEnd ? 'next' : null;
    const isBeforeLoaded = first < window.start || (window.start > 0 && first - MARGIN < window.start);
    const isBehindLoaded = loadedEnd < total && end + MARGIN > loadedEnd;
    if (!isBeforeLoaded && !isBehindLoaded) return null;
    if (!isBeforeLoaded && first <= loadedEnd) return 'next';
    const behind = first > loadedEnd ? MARGIN : PAGE - (end - first) - MARGIN;
    return { start: Math.max(0, first - behind) };
  }

  async #load(missing: 'next' | { readonly start: number }): Promise<void> {
    const { window } = this.#state;
    if (missing === 'next') {
      const end = window.start + window.rows.length;
      const page = await this.#page(this.#nextCursor === null ? { offset: end } : { cursor: this.#nextCursor });
      const maxRows = this.isSequential ? Number.POSITIVE_INFINITY : MAX_ROWS;
      return this.#accept(appended(window, page.executions, maxRows), page);
    }
    const { start } = missing;
    const near = this.#cursors.findLast(({ rank }) => rank <= start);
    const page = await this.#page(near === undefined ? { offset: start } : { cursor: near.cursor, offset: start - near.rank });
    if (page.executions.length === 0 && page.next_cursor === null) return this.#shorten(start);
    const next = joined(window, { start, rows: page.executions }, MAX_ROWS);
    const isWhole = next.rows.at(-1)?.id === page.executions.at(-1)?.id;
    this.#accept(next, isWhole ? page : null);
  }

  /** Takes a window that ends with a page; null: it ends elsewhere. `minTotal`: rows that the list has at least. */
  #accept(next: ListWindow<ExecutionItem>, page: ExecutionList | null, minTotal = 0): void {
    const before = this.#state;
    const end = next.start + next.rows.length;
    this.#nextCursor = page?.next_cursor ?? null;
    this.#keepCursor(end);
    const isEnd = page !== null && page.next_cursor === null;
    const total = isEnd || this.isSequential ? end : Math.max(before.total, minTotal, end);
    const moved = this.#follows ? 0 : shiftOf(before.window, next, this.#visible.first);
    const shift = moved === 0 ? before.shift : { number: before.shift.number + 1, rows: moved };
    this.#set({ window: next, total, hasMore: this.isSequential && !isEnd, shift, isLoading: false });
  }

  #keepCursor(rank: number): void {
    const at = this.#cursors.findIndex((each) => each.rank > rank - CURSOR_DISTANCE);
    const isNearOther = at >= 0 && (this.#cursors[at]?.rank ?? 0) < rank + CURSOR_DISTANCE;
    if (this.#nextCursor === null || isNearOther) return;
    this.#cursors.splice(at < 0 ? this.#cursors.length : at, 0, { rank, cursor: this.#nextCursor });
  }

  /** There are no rows from `start` on: others have left the list meanwhile. */
  async #shorten(start: number): Promise<void> {
    this.#cursors = [];
    await this.#count();
    this.#set({ window: NOTHING.window, total: Math.min(this.#state.total, start) });
  }

  /** Reads the visible rows again: at the top the newest ones, elsewhere those that were there. */
  #refresh(): Promise<void> {
    this.#stale.rows = false;
    this.#rowsAtMs = performance.now();
    const { window, isLoading } = this.#state;
    const fromTop = this.#isAtTop || isLoading || window.rows.length === 0 || this.#selection.kind === 'id';
    return fromTop ? this.#refreshTop() : this.#refreshInPlace();
  }

  async #refreshTop(): Promise<void> {
    const { isLoading } = this.#state;
    const limit = isLoading ? PAGE : Math.min(MAX_PAGE, Math.max(MIN_REFRESHED, this.#visible.end + MARGIN));
    const page = await this.#page({ limit }, null);
    if (this.#holdsBack(page.executions)) return;
    this.#anchor = null;
    this.#cursors = [];
    const { window, total } = this.#state;
    this.#set({ newer: 0 });
    this.#accept({ start: 0, rows: page.executions }, page, isLoading ? 0 : total + insertedInto(window.rows, page.executions));
    if (!this.#isAtTop) this.#setAnchor();
  }

  async #refreshInPlace(): Promise<void> {
    const { window } = this.#state;
    const { first, end } = this.#visible;
    const from = window.rows[Math.max(0, first - MARGIN - window.start)] ?? window.rows[0];
    if (from === undefined) return;
    const page = await this.#page({ limit: end - first + 2 * MARGIN }, startedUntil(from));
    const rows = page.executions.filter(({ id }) => id <= from.id);
    this.#accept({ start: window.start + window.rows.indexOf(from), rows }, page);
  }

  /** New rows would move the others under the pointer: they are counted instead. */
  #holdsBack(rows: readonly ExecutionItem[]): boolean {
    const inserted = insertedInto(this.#state.window.rows, rows);
    if (!this.#isPointerOver || inserted <= MAX_INSERTED_UNDER_POINTER || this.#state.isLoading) return false;
    if (this.#anchor === null) this.#setAnchor();
    this.#stale.counts = true;
    const latest = new Map(rows.map((row) => [row.id, row]));
    const { window } = this.#state;
    this.#set({
      window: { ...window, rows: window.rows.map((row) => latest.get(row.id) ?? row) },
      newer: Math.max(inserted, this.#state.newer),
    });
    return true;
  }

  async #count(): Promise<void> {
    this.#stale.counts = false;
    if (this.#selection.kind === 'id') return;
    const { status, ...others } = this.#selection.conditions;
    const atMs = performance.now();
    const options = { signal: this.#gone.signal };
    const anchor = this.#anchor;
    const [counts, since] = await Promise.all([
      this.#client.executionCounts(others, options),
      anchor === null ? null : this.#client.executionCounts({ ...this.#selection.conditions, created_after: anchor }, options),
    ]);
    this.#countsAtMs = performance.now();
    this.#countsTookMs = this.#countsAtMs - atMs;
    const matching = sumOf(counts, status);
    const newer = since?.total ?? 0;
    const { window } = this.#state;
    const total = this.isSequential ? this.#state.total : Math.max(matching - newer, window.start + window.rows.length);
    this.#set({ counts, newer: anchor === this.#anchor ? newer : 0, total });
  }

  #page(
    place: { readonly offset?: number; readonly cursor?: string; readonly limit?: number },
    before: string | null = this.#anchor,
  ): Promise<ExecutionList> {
    const limit = place.limit ?? PAGE;
    const options = { signal: this.#gone.signal };
    const selection = this.#selection;
    if (selection.kind === 'id') {
      const cursor = place.cursor === undefined ? {} : { cursor: place.cursor };
      return this.#client.executions({ id: selection.digits, limit, ...cursor }, options);
    }
    const until = earlier(selection.conditions.created_before, before);
    return this.#client.executions(
      { ...selection.conditions, ...(until === undefined ? {} : { created_before: until }), ...place, limit },
      options,
    );
  }
}

/** The end of a range of time with all that was started before the execution, and itself. */
function startedUntil({ created_at }: ExecutionItem): string {
  return new Date(Date.parse(created_at) + 1).toISOString();
}

function earlier(one: string | undefined, other: string | null): string | undefined {
  if (one === undefined || other === null) return one ?? other ?? undefined;
  return Date.parse(one) < Date.parse(other) ? one : other;
}

/** How many rows are above those that were there; all of them if none was. */
function insertedInto(before: readonly ExecutionItem[], after: readonly ExecutionItem[]): number {
  const newest = before[0]?.id;
  if (newest === undefined) return 0;
  return after.filter(({ id }) => id > newest).length;
}

/** `statuses`: of the conditions, absent = all. */
export function sumOf({ counts, total }: ExecutionCounts, statuses: ExecutionConditions['status']): number {
  if (statuses === undefined) return total;
  const wanted = new Set((Array.isArray(statuses) ? statuses : [statuses]).flatMap((each) => each.split(',')));
  return Object.entries(counts).reduce((sum, [status, count]) => sum + (wanted.has(status) ? count : 0), 0);
}
