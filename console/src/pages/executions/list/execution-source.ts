import type { ExecutionCounts, ExecutionItem, ExecutionList, JamjetClient } from '../../../../../src/client/index.ts';
import { appended, joined, type ListWindow, shiftOf } from '../../../../../src/views/list-window.ts';
import { STATUS_EVENTS } from '../../../../../src/views/status-events.ts';
import { Paced } from '../../../live/paced.ts';
import { sumOf, withoutStatus } from '../counts.ts';
import { ExecutionPages, type Selection, startedUntil } from './execution-pages.ts';

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
/** With the pointer over the list, more new rows than these wait until it leaves. */
const MAX_INSERTED_UNDER_POINTER = 3;

/** Other events change no row, and no number. */
const CHANGING: ReadonlySet<string> = new Set(STATUS_EVENTS);

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
  readonly #pages: ExecutionPages;
  readonly #listeners = new Set<() => void>();
  #state = NOTHING;
  /** Executions from then on are not part of the list while it does not follow; null = it follows. */
  #anchor: string | null = null;
  #nextCursor: string | null = null;
  #visible = { first: 0, end: 0 };
  #isAtTop = true;
  #isPointerOver = false;
  #isReading = false;
  #isStale = true;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #readAtMs = Number.NEGATIVE_INFINITY;
  readonly #counting = new Paced(() => this.#count());
  readonly #countingNewer = new Paced(() => this.#countNewer());

  /** `counts`: of the same conditions with any status, if they are known. */
  constructor(client: JamjetClient, selection: Selection, counts: ExecutionCounts | null = null) {
    this.#pages = new ExecutionPages(client, selection);
    if (counts !== null) this.#state = { ...NOTHING, counts };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly state = (): SourceState => this.#state;

  /** A source that was closed can be started again. */
  start(): void {
    this.#pages.open();
    for (const each of [this.#counting, this.#countingNewer]) each.open();
    this.#counting.request();
    this.#schedule();
  }

  close(): void {
    this.#pages.close();
    for (const each of [this.#counting, this.#countingNewer]) each.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Reads the rows again at once, and counts again. */
  reload(): void {
    this.#isStale = true;
    this.#readAtMs = Number.NEGATIVE_INFINITY;
    this.#counting.request();
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
      if (this.#state.newer > 0) this.#isStale = true;
      else this.#anchor = null;
    }
    if (!isAtTop && this.#anchor === null) this.#setAnchor();
    this.#schedule();
  }

  set isPointerOver(isOver: boolean) {
    this.#isPointerOver = isOver;
    if (!isOver && this.#state.newer > 0 && this.#isAtTop) {
      this.#isStale = true;
      this.#schedule();
    }
  }

  /** An event of the tenant. */
  changed({ execution_id, type }: { readonly execution_id: string; readonly type: string }): void {
    if (!CHANGING.has(type)) return;
    if (this.#follows || this.#isVisible(execution_id)) this.#isStale = true;
    this.#counting.request();
    if (type === 'workflow_started' || type === 'workflow_forked') this.#countingNewer.request();
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

  /** 0 = not known. */
  get #countedTotal(): number {
    const { counts } = this.#state;
    return counts === null ? 0 : sumOf(counts, this.#pages.conditions?.status);
  }

  #setAnchor(): void {
    const newest = this.#state.window.start === 0 ? this.#state.window.rows[0] : undefined;
    if (newest !== undefined) this.#anchor = startedUntil(newest);
  }

  #schedule(): void {
    if (this.#isReading || this.#pages.isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const next = this.#next();
    if (typeof next !== 'number') this.#run(next);
    else if (next < Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#schedule(), next);
  }

  /** What is due: the rows that the reader waits for come first; or in how many milliseconds something is due. */
  #next(): (() => Promise<void>) | number {
    const missing = this.#state.isLoading ? null : this.#missing();
    if (missing !== null) return () => this.#load(missing);
    if (!this.#isStale) return Number.POSITIVE_INFINITY;
    const inMs = this.#readAtMs + MIN_INTERVAL_MS - performance.now();
    return inMs <= 0 ? () => this.#refresh() : inMs;
  }

  #run(read: () => Promise<void>): void {
    this.#isReading = true;
    read()
      .then(() => this.#state.error !== null && this.#set({ error: null }))
      .catch((error: unknown) => {
        if (!this.#pages.isClosed) this.#set({ error, isLoading: false });
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
    if (this.#pages.isSequential) return hasMore && end + MARGIN > loadedEnd ? 'next' : null;
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
      const place = this.#nextCursor === null ? { offset: end } : { cursor: this.#nextCursor };
      const page = await this.#pages.read({ ...place, limit: PAGE }, this.#anchor);
      const maxRows = this.#pages.isSequential ? Number.POSITIVE_INFINITY : MAX_ROWS;
      return this.#accept(appended(window, page.executions, maxRows), page);
    }
    const { start } = missing;
    const page = await this.#pages.readFrom(start, PAGE, this.#anchor);
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
    if (this.#nextCursor !== null) this.#pages.keepCursor(end, this.#nextCursor);
    const isEnd = page !== null && page.next_cursor === null;
    const total = isEnd || this.#pages.isSequential ? end : Math.max(before.total, minTotal, end);
    const moved = this.#follows ? 0 : shiftOf(before.window, next, this.#visible.first);
    const shift = moved === 0 ? before.shift : { number: before.shift.number + 1, rows: moved };
    this.#set({ window: next, total, hasMore: this.#pages.isSequential && !isEnd, shift, isLoading: false });
  }

  /** There are no rows from `start` on: others have left the list meanwhile. */
  async #shorten(start: number): Promise<void> {
    this.#pages.forgetCursors();
    await this.#count();
    this.#set({ window: NOTHING.window, total: Math.min(this.#state.total, start) });
  }

  /** Reads the visible rows again: at the top the newest ones, elsewhere those that were there. */
  #refresh(): Promise<void> {
    this.#isStale = false;
    this.#readAtMs = performance.now();
    const { window, isLoading } = this.#state;
    const fromTop = this.#isAtTop || isLoading || window.rows.length === 0 || this.#pages.isSequential;
    return fromTop ? this.#refreshTop() : this.#refreshInPlace();
  }

  async #refreshTop(): Promise<void> {
    const { isLoading } = this.#state;
    const limit = isLoading ? PAGE : Math.min(MAX_PAGE, Math.max(MIN_REFRESHED, this.#visible.end + MARGIN));
    const page = await this.#pages.read({ limit }, null);
    if (this.#holdsBack(page.executions)) return;
    this.#anchor = null;
    this.#pages.forgetCursors();
    const { window, total } = this.#state;
    this.#set({ newer: 0 });
    if (this.#pages.isSequential && page.next_cursor !== null) this.#acceptBeginning(page);
    else {
      const minTotal = isLoading ? this.#countedTotal : total + insertedInto(window.rows, page.executions);
      this.#accept({ start: 0, rows: page.executions }, page, minTotal);
    }
    if (!this.#isAtTop) this.#setAnchor();
  }

  /** The first rows of a list whose others cannot be read without these: the others stay as they are. */
  #acceptBeginning(page: ExecutionList): void {
    const last = page.executions.at(-1)?.id ?? '';
    const others = this.#state.window.rows.filter(({ id }) => id < last);
    const isWhole = others.length > 0 && !this.#state.hasMore;
    const next = others.length === 0 ? page.next_cursor : isWhole ? null : this.#nextCursor;
    this.#accept({ start: 0, rows: [...page.executions, ...others] }, { ...page, next_cursor: next });
  }

  async #refreshInPlace(): Promise<void> {
    const { window } = this.#state;
    const { first, end } = this.#visible;
    const from = window.rows[Math.max(0, first - MARGIN - window.start)] ?? window.rows[0];
    if (from === undefined) return;
    const page = await this.#pages.read({ limit: end - first + 2 * MARGIN }, startedUntil(from));
    const rows = page.executions.filter(({ id }) => id <= from.id);
    this.#accept({ start: window.start + window.rows.indexOf(from), rows }, page);
  }

  /** New rows would move the others under the pointer: they are counted instead. */
  #holdsBack(rows: readonly ExecutionItem[]): boolean {
    const inserted = insertedInto(this.#state.window.rows, rows);
    if (!this.#isPointerOver || inserted <= MAX_INSERTED_UNDER_POINTER || this.#state.isLoading) return false;
    if (this.#anchor === null) this.#setAnchor();
    this.#countingNewer.request();
    const latest = new Map(rows.map((row) => [row.id, row]));
    const { window } = this.#state;
    this.#set({
      window: { ...window, rows: window.rows.map((row) => latest.get(row.id) ?? row) },
      newer: Math.max(inserted, this.#state.newer),
    });
    return true;
  }

  async #count(): Promise<void> {
    const { conditions } = this.#pages;
    if (conditions === null) return;
    const [counts] = await Promise.all([
      this.#pages.count(withoutStatus(conditions)),
      // What is newer is not in the list.
      this.#countNewer(),
    ]);
    if (counts === null) return;
    const { newer, window } = this.#state;
    const total = Math.max(sumOf(counts, conditions.status) - newer, window.start + window.rows.length);
    this.#set(this.#pages.isSequential ? { counts } : { counts, total });
  }

  /** Only what was started since the list was read: that takes no time, however long the list is. */
  async #countNewer(): Promise<void> {
    const anchor = this.#anchor;
    const { conditions } = this.#pages;
    if (conditions === null || anchor === null) return;
    const since = await this.#pages.count({ ...conditions, created_after: anchor });
    if (since !== null && anchor === this.#anchor) this.#set({ newer: since.total });
  }
}

/** How many rows are above those that were there; all of them if none was. */
function insertedInto(before: readonly ExecutionItem[], after: readonly ExecutionItem[]): number {
  const newest = before[0]?.id;
  if (newest === undefined) return 0;
  return after.filter(({ id }) => id > newest).length;
}
