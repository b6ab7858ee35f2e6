import type { Database, Statement } from 'better-sqlite3';
import { nextTurn } from '../../loop-turns.ts';
import type { ExecutionFilter, StatusCounts } from '../../port/execution-search.ts';
import { guarded } from '../errors.ts';
import { COUNT_STATUSES, type CountedScan, scanIds, statusesAlong } from '../queries/executions.ts';
import type { IdParameters } from './id-streams.ts';

/** Matches in one turn of the event loop, a few milliseconds: entries of an index, or rows. */
const WINDOW = { entries: 8_192, rows: 2_048 };
/** Sorts after every id. */
const AFTER_ALL = '\uffff';

const COUNTED_SCANS = ['parent', 'labelValue', 'label', 'workflow'] as const satisfies readonly CountedScan[];

/** Ids from `at` to before `end`. */
interface Window {
  readonly at: string;
  readonly end: string;
}

/** The index to count along, the conditions that it does not cover, and null for absent ones. */
interface CountPlan {
  readonly scan: CountedScan | 'tenant';
  readonly tenantId: string;
  readonly key: string;
  readonly value: string;
  readonly workflowId: string | null;
  readonly version: string | null;
  readonly labels: string | null;
}

/**
 * Counts executions by status, one window of ids after the other. An execution keeps its id while its status changes, so it counts once, whatever is
 * committed between windows.
 */
export class ExecutionCounts {
  readonly #window: typeof WINDOW;
  readonly #countStatuses: Statement<[{ readonly tenantId: string; readonly statuses: string | null } & Window], StatusCount>;
  readonly #ends: Readonly<Record<CountPlan['scan'], Statement<[IdParameters], string>>>;
  readonly #statuses: Readonly<Record<CountedScan, Statement<[CountPlan & Window], string>>>;

  constructor(db: Database, window = WINDOW) {
    this.#window = window;
    const end = (scan: CountPlan['scan']) => db.prepare<[IdParameters], string>(scanIds(scan, 'oldest')).pluck();
    const statuses = (scan: CountedScan) => db.prepare<[CountPlan & Window], string>(statusesAlong(scan)).pluck();
    this.#countStatuses = db.prepare(COUNT_STATUSES);
    this.#ends = byScan(['tenant', ...COUNTED_SCANS], end);
    this.#statuses = byScan(COUNTED_SCANS, statuses);
  }

  async count(tenantId: string, filter: ExecutionFilter): Promise<StatusCounts> {
    const { from = '', before = AFTER_ALL, statuses } = filter;
    const counts = new Map<string, number>();
    const plan = planOf(tenantId, filter);
    const wanted = statuses === undefined ? null : new Set(statuses);
    if (wanted?.size === 0) return counts;
    for (let at = from; at < before; ) {
      at = await guarded(() => {
        const window = { at, end: this.#endOf(plan, at, before) };
        for (const { status, count } of this.#countWindow(plan, window, wanted))
          if (wanted?.has(status) ?? true) counts.set(status, (counts.get(status) ?? 0) + count);
        return window.end;
      });
      if (at < before) await nextTurn(tenantId);
    }
    return counts;
  }

  #endOf({ scan, tenantId, key, value }: CountPlan, at: string, before: string): string {
    const end = this.#ends[scan].get({
      tenantId,
      key,
      value,
      at,
      limit: 1,
      offset: scan === 'tenant' ? this.#window.entries : this.#window.rows,
    });
    return end === undefined || end > before ? before : end;
  }

  #countWindow(plan: CountPlan, window: Window, wanted: ReadonlySet<string> | null): readonly StatusCount[] {
    const { scan, tenantId } = plan;
    const statuses = wanted === null ? null : JSON.stringify([...wanted]);
    if (scan === 'tenant') return this.#countStatuses.all({ tenantId, statuses, ...window });
    return this.#statuses[scan].all({ at: window.at, end: window.end, ...plan }).map((status) => ({ status, count: 1 }));
  }
}

interface StatusCount {
  readonly status: string;
  readonly count: number;
}

function byScan<S extends string, T>(scans: readonly S[], make: (scan: S) => T): Readonly<Record<S, T>> {
  return Object.fromEntries(scans.map((scan) => [scan, make(scan)])) as Record<S, T>;
}

function planOf(tenantId: string, { parentId, labels = [], workflowId, workflowVersion }: ExecutionFilter): CountPlan {
  // A label with a value is sparser.
  const [first, ...others] = [...labels].sort((a, b) => Number(a.value === undefined) - Number(b.value === undefined));
  const plan = { tenantId, key: '', value: '', workflowId: workflowId ?? null, version: workflowVersion ?? null };
  if (parentId !== undefined) return { scan: 'parent', ...plan, value: parentId, labels: textOf(labels) };
  if (first?.value !== undefined)
    return { scan: 'labelValue', ...plan, key: first.key, value: first.value, labels: textOf(others) };
  if (first !== undefined) return { scan: 'label', ...plan, key: first.key, labels: textOf(others) };
  if (workflowId !== undefined) return { scan: 'workflow', ...plan, value: workflowId, workflowId: null, labels: null };
  return { scan: 'tenant', ...plan, labels: null };
}

function textOf(labels: readonly object[]): string | null {
  return labels.length === 0 ? null : JSON.stringify(labels);
}
