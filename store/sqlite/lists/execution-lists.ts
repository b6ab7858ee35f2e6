import type { Database, Statement } from 'better-sqlite3';
import { nextTurn } from '../../loop-turns.ts';
import type { ExecutionFilter, ExecutionPage, ExecutionPageRequest } from '../../port/execution-search.ts';
import type { ExecutionRow } from '../../port/executions.ts';
import { guarded } from '../errors.ts';
import { EXECUTION_BY_ID, type IndexScan, type Order, scanIds, scanIdsOfVersion } from '../queries/executions.ts';
import { type IdParameters, type IdStream, IndexStream, type Meter, UnionStream } from './id-streams.ts';
import { LeapfrogJoin } from './leapfrog-join.ts';
import { type VersionParameters, VersionStream } from './version-stream.ts';

/** Cost after which other work runs: a few milliseconds. */
const YIELD_AFTER = 10_000;
/** Maximum cost of one page: about a second. */
const PAGE_BUDGET = 2_000_000;
/** Cost of reading a row. */
const ROW_COST = 20;

/** Finds executions by any combination of conditions. */
export class ExecutionLists {
  readonly #db: Database;
  readonly #pageBudget: number;
  readonly #row: Statement<[string], ExecutionRow>;
  readonly #ids = new Map<string, Statement<[IdParameters], string>>();
  readonly #versions = new Map<string, Statement<[VersionParameters], string>>();

  constructor(db: Database, patience = PAGE_BUDGET) {
    this.#db = db;
    this.#pageBudget = patience;
    this.#row = db.prepare<[string], ExecutionRow>(EXECUTION_BY_ID);
  }

  async page(tenantId: string, request: ExecutionPageRequest): Promise<ExecutionPage> {
    const { limit } = request;
    const meter: Meter = { spent: 0 };
    const join = await guarded(() => this.#join(tenantId, request, meter));
    const rows: ExecutionRow[] = [];
    if (join === null) return { rows, next: null };
    for (let left = request.offset ?? 0; left > 0; ) {
      left = await guarded(() => join.skip(left, meter.spent + YIELD_AFTER));
      if (left > 0) await nextTurn(tenantId);
    }
    for (const untilSpent = meter.spent + this.#pageBudget; ; ) {
      const budget = Math.min(meter.spent + YIELD_AFTER, untilSpent);
      const stopped = await guarded(() => this.#fill(rows, limit, { join, meter, budget }));
      if (stopped === 'end') return { rows, next: null };
      if (stopped === 'full') return { rows, next: rows.at(-1)?.id ?? null };
      if (meter.spent >= untilSpent) return { rows, next: join.decided };
      await nextTurn(tenantId);
    }
  }

  /** `full`: there is at least one more match. */
  #fill(
    rows: ExecutionRow[],
    limit: number,
    { join, meter, budget }: { readonly join: LeapfrogJoin; readonly meter: Meter; readonly budget: number },
  ): 'full' | 'end' | 'pause' {
    for (;;) {
      const step = join.next(budget);
      if (step.kind !== 'match') return step.kind;
      if (rows.length === limit) return 'full';
      const row = this.#row.get(step.id);
      if (row === undefined) throw new Error(`${step.id} is in an index and not in its table`);
      rows.push(row);
      meter.spent += ROW_COST;
    }
  }

  /** Null = nothing can match. The streams that tend to be the shortest come first. */
  #join(tenantId: string, filter: ExecutionFilter, meter: Meter): LeapfrogJoin | null {
    const { parentId, labels = [], workflowId, workflowVersion, statuses, order = 'newest' } = filter;
    const stream = (scan: IndexScan, value = '', key = '') =>
      new IndexStream(this.#scanStatement(scan, order), { tenantId, key, value }, order, meter);
    const streams: IdStream[] = [];
    if (parentId !== undefined) streams.push(stream('parent', parentId));
    for (const { key, value } of labels)
      streams.push(value === undefined ? stream('label', '', key) : stream('labelValue', value, key));
    if (workflowId !== undefined && workflowVersion !== undefined) {
      const statements = { workflow: this.#scanStatement('workflow', order), version: this.#versionStatement(order) };
      const range = { tenantId, value: workflowId, version: workflowVersion };
      streams.push(new VersionStream(statements, range, order, meter));
    } else if (workflowId !== undefined) streams.push(stream('workflow', workflowId));
    if (statuses !== undefined) {
      const each = [...new Set(statuses)].map((status) => stream('status', status));
      if (each.length === 0) return null;
      streams.push(...(each.length === 1 ? each : [new UnionStream(each, order)]));
    }
    if (streams.length === 0) streams.push(stream('tenant'));
    return new LeapfrogJoin(streams, order, filter, meter);
  }

  #scanStatement(scan: IndexScan, order: Order): Statement<[IdParameters], string> {
    const text = scanIds(scan, order);
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const statement = this.#db.prepare<[IdParameters], string>(text).pluck();
    this.#ids.set(text, statement);
    return statement;
  }

  #versionStatement(order: Order): Statement<[VersionParameters], string> {
    const text = scanIdsOfVersion(order);
    const known = this.#versions.get(text);
    if (known !== undefined) return known;
    const statement = this.#db.prepare<[VersionParameters], string>(text).pluck();
    this.#versions.set(text, statement);
    return statement;
  }
}
