import type { ExecutionFilter, ExecutionPage, ExecutionPageRequest, StatusCounts } from '../../port/execution-search.ts';
import type { ExecutionRow } from '../../port/executions.ts';
import type { Connections, Value } from '../connections.ts';
import { indexKey } from '../index-key.ts';
import {
  countExecutions,
  type IndexScanName,
  joinExecutions,
  type Order,
  scanExecutions,
  TENANT_EXECUTIONS,
} from '../queries/executions.ts';

/** Steps per statement (about a tenth of a second), and steps without a match after which a page ends early. */
const STEPS = { atOnce: 2_000, idle: 20_000 };
/** Matches per statement. */
const MATCHES = 5_000;
/** Sort before and after every id. */
const FIRST = '';
const LAST = '\uffff';

interface Condition {
  readonly scan: IndexScanName;
  readonly values: readonly Value[];
}

interface JoinStep {
  /** Where the join continues. */
  readonly at: string;
  readonly id: string;
  readonly matched: boolean;
  readonly stopped: boolean;
}

/** Finds executions by any combination of conditions. */
export class ExecutionLists {
  readonly #connections: Connections;
  readonly #steps: typeof STEPS;

  constructor(connections: Connections, steps = STEPS) {
    this.#connections = connections;
    this.#steps = steps;
  }

  page(tenantId: string, request: ExecutionPageRequest): Promise<ExecutionPage> {
    const [first, ...others] = conditionsOf(request) ?? [];
    if (first === undefined) return Promise.resolve({ rows: [], next: null });
    return others.length === 0 && first.scan !== 'statuses'
      ? this.#scan(tenantId, request, first.scan, first.values)
      : this.#join(tenantId, request, [first, ...others]);
  }

  async #scan(
    tenantId: string,
    request: ExecutionPageRequest,
    scan: Exclude<IndexScanName, 'statuses'>,
    values: readonly Value[],
  ): Promise<ExecutionPage> {
    const { limit, offset = 0, order = 'newest' } = request;
    const { at, bound } = rangeOf(request, order);
    const page = [tenantId, at, limit + 1, offset, ...values];
    const found = await this.#connections.asTenant<{ id: string }>(tenantId, scanExecutions(scan, order), page);
    const ids = found.map(({ id }) => id).filter((id) => (order === 'newest' ? id >= bound : id < bound));
    return this.#rowsOf(tenantId, ids.slice(0, limit), ids.length > limit ? (ids[limit - 1] ?? null) : null);
  }

  async #join(tenantId: string, request: ExecutionPageRequest, conditions: readonly Condition[]): Promise<ExecutionPage> {
    const { limit, offset = 0, order = 'newest' } = request;
    const statement = joinExecutions(
      conditions.map(({ scan }) => scan),
      order,
    );
    const values = conditions.flatMap((condition) => condition.values);
    const { at: start, bound } = rangeOf(request, order);
    let at = start;
    const ids: string[] = [];
    let matches = 0;
    for (let idle = 0; ; ) {
      const most = Math.min(MATCHES, offset + limit + 1 - matches);
      const range = [tenantId, at, bound, this.#steps.atOnce, most, ...values];
      const steps = await this.#connections.asTenant<JoinStep>(tenantId, statement, range);
      const matched = steps.filter((step) => step.matched);
      ids.push(...matched.slice(Math.max(0, offset - matches)).map(({ id }) => id));
      matches += matched.length;
      if (ids.length > limit) return this.#rowsOf(tenantId, ids.slice(0, limit), ids[limit - 1] ?? null);
      const last = steps.at(-1);
      if (last === undefined || (!last.stopped && steps.length < most)) return this.#rowsOf(tenantId, ids, null);
      at = last.at;
      idle = matched.length > 0 ? 0 : idle + this.#steps.atOnce;
      if (idle >= this.#steps.idle && matches >= offset) return this.#rowsOf(tenantId, ids, last.id);
    }
  }

  async count(tenantId: string, filter: ExecutionFilter): Promise<StatusCounts> {
    const conditions = conditionsOf(filter);
    if (conditions === null) return new Map();
    const { from, before } = filter;
    const range = from === undefined && before === undefined ? [] : [from ?? FIRST, before ?? LAST];
    const scans = conditions.map(({ scan }) => scan);
    const statement = countExecutions(scans, range.length > 0);
    const values = [tenantId, ...range, ...conditions.flatMap((condition) => condition.values)];
    const rows = await this.#connections.asTenant<{ status: string; count: number }>(tenantId, statement, values);
    return new Map(rows.map(({ status, count }) => [status, count]));
  }

  /** Leaves out executions that were removed meanwhile. */
  async #rowsOf(tenantId: string, ids: readonly string[], next: string | null): Promise<ExecutionPage> {
    if (ids.length === 0) return { rows: [], next };
    const found = await this.#connections.asTenant<ExecutionRow>(tenantId, TENANT_EXECUTIONS, [tenantId, ids]);
    const byId = new Map(found.map((row) => [row.id, row]));
    return { rows: ids.flatMap((id) => byId.get(id) ?? []), next };
  }
}

/** Null = nothing can match. The most selective conditions come first. */
function conditionsOf(filter: ExecutionFilter): readonly Condition[] | null {
  const { parentId, labels = [], workflowId, workflowVersion, statuses } = filter;
  const conditions: Condition[] = [];
  if (parentId !== undefined) conditions.push({ scan: 'parent', values: [parentId] });
  for (const { key, value } of labels)
    conditions.push(
      value === undefined
        ? { scan: 'label', values: [indexKey(key)] }
        : { scan: 'labelValue', values: [indexKey(key), indexKey(value)] },
    );
  if (workflowId !== undefined && workflowVersion !== undefined)
    conditions.push({ scan: 'version', values: [workflowId, workflowVersion] });
  else if (workflowId !== undefined) conditions.push({ scan: 'workflow', values: [workflowId] });
  if (statuses !== undefined) {
    const [first, ...others] = new Set(statuses);
    if (first === undefined) return null;
    conditions.push(
      others.length === 0 ? { scan: 'status', values: [first] } : { scan: 'statuses', values: [[first, ...others]] },
    );
  }
  return conditions.length === 0 ? [{ scan: 'tenant', values: [] }] : conditions;
}

/** Newest first, `at` is exclusive and the bound inclusive; oldest first, the reverse. */
function rangeOf({ from, before, after }: ExecutionPageRequest, order: Order): { readonly at: string; readonly bound: string } {
  if (order === 'newest') {
    const at = [before, after].reduce<string>((least, id) => (id !== undefined && id < least ? id : least), LAST);
    return { at, bound: from ?? FIRST };
  }
  const beyond = after === undefined ? FIRST : `${after}\u0001`;
  return { at: from !== undefined && from > beyond ? from : beyond, bound: before ?? LAST };
}
