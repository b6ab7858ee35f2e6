import { eventRow } from '../../../store/log/stored-event.ts';
import { DamagedEntryError } from '../../../store/port/errors.ts';
import type { ExecutionPage, ExecutionPageRequest, StatusCounts } from '../../../store/port/execution-search.ts';
import type { EventPage, EventPageRequest, EventRow, ExecutionRow } from '../../../store/port/executions.ts';
import {
  type ClaimRequest,
  type Due,
  type LeaseRenewal,
  MAX_WAITING_WORK,
  type WaitingWork,
  type WorkItemRow,
} from '../../../store/port/work-items.ts';
import { key, type StoredItem, type Tables } from './tables.ts';

/** Queries on the tables, in the simplest form: every result is computed from all rows. */
export class Queries {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  events(executionId: string, { after, limit, maxChars, type, nodeId }: EventPageRequest): EventPage {
    const rows: EventRow[] = [];
    let chars = 0;
    for (const event of this.#tables.executions.get(executionId)?.events ?? []) {
      if (event.seq <= after || (type !== undefined && event.type !== type)) continue;
      if (nodeId !== undefined && event.nodeId !== nodeId) continue;
      if (this.#tables.damaged.get(executionId) === event.seq) throw new DamagedEntryError(`event ${event.seq} cannot be read`);
      rows.push(eventRow(event));
      chars += event.data.length;
      if (rows.length === limit || (maxChars !== undefined && chars > maxChars)) return { rows, next: event.seq };
    }
    return { rows, next: null };
  }

  executionsWithLocalWork(after: string, limit: number): readonly ExecutionRow[] {
    return [...this.#tables.executions.values()]
      .map(({ row }) => row)
      .filter(({ id, localWork }) => localWork > 0 && id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  executions(tenantId: string, request: ExecutionPageRequest): ExecutionPage {
    const { after, offset = 0, limit, order = 'newest' } = request;
    const direction = order === 'newest' ? -1 : 1;
    const matching = this.#matching(tenantId, request)
      .sort((a, b) => (a.id < b.id ? -direction : direction))
      .filter(({ id }) => after === undefined || (order === 'newest' ? id < after : id > after));
    const rows = matching.slice(offset, offset + limit);
    return { rows, next: matching.length > offset + limit ? (rows.at(-1)?.id ?? null) : null };
  }

  countByStatus(tenantId: string, filter: Omit<ExecutionPageRequest, 'limit'>): StatusCounts {
    const counts = new Map<string, number>();
    for (const { status } of this.#matching(tenantId, filter)) counts.set(status, (counts.get(status) ?? 0) + 1);
    return counts;
  }

  countExecutions(tenantId: string, filter: Omit<ExecutionPageRequest, 'limit'>): number {
    return this.#matching(tenantId, filter).length;
  }

  #matching(tenantId: string, filter: Omit<ExecutionPageRequest, 'limit'>): ExecutionRow[] {
    const { statuses, workflowId, workflowVersion, parentId, labels, from, before } = filter;
    return [...this.#tables.executions.values()]
      .map(({ row }) => row)
      .filter((row) => {
        const own = JSON.parse(row.labels) as Record<string, string>;
        return (
          row.tenantId === tenantId &&
          (statuses?.includes(row.status) ?? true) &&
          (workflowId === undefined || row.workflowId === workflowId) &&
          (workflowVersion === undefined || row.workflowVersion === workflowVersion) &&
          (parentId === undefined || row.parentId === parentId) &&
          (labels ?? []).every(({ key, value }) => Object.hasOwn(own, key) && (value === undefined || own[key] === value)) &&
          (from === undefined || row.id >= from) &&
          (before === undefined || row.id < before)
        );
      });
  }

  due(nowMs: number, limit: number): readonly Due[] {
    const due: Due[] = [];
    for (const { executionId, id, armedSeq, atMs } of this.#tables.timers.values())
      if (atMs <= nowMs) due.push({ kind: 'timer', executionId, timerId: id, armedSeq, atMs });
    for (const { row } of this.#tables.executions.values()) {
      const { id, deadlineAtMs } = row;
      if (deadlineAtMs !== null && deadlineAtMs <= nowMs)
        due.push({ kind: 'workflow_timeout', executionId: id, atMs: deadlineAtMs });
    }
    for (const item of this.#tables.items.values()) {
      if (item.status !== 'claimed') continue;
      const leaseAtMs = item.leaseExpiresAtMs ?? Number.POSITIVE_INFINITY;
      const deadlineAtMs = item.deadlineAtMs ?? Number.POSITIVE_INFINITY;
      const atMs = Math.min(leaseAtMs, deadlineAtMs);
      if (atMs <= nowMs) due.push({ kind: deadlineAtMs <= leaseAtMs ? 'deadline' : 'lease', item: this.item(item), atMs });
    }
    return due.sort((a, b) => a.atMs - b.atMs).slice(0, limit);
  }

  nextDueAtMs(afterMs: number): number | null {
    let next = Number.POSITIVE_INFINITY;
    const consider = (atMs: number | null): void => {
      if (atMs !== null && atMs > afterMs && atMs < next) next = atMs;
    };
    for (const { atMs } of this.#tables.timers.values()) consider(atMs);
    for (const { row } of this.#tables.executions.values()) consider(row.deadlineAtMs);
    for (const { status, leaseExpiresAtMs, deadlineAtMs } of this.#tables.items.values()) {
      if (status !== 'claimed') continue;
      consider(leaseExpiresAtMs);
      consider(deadlineAtMs);
    }
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  claim({ tenantId, workerId, queues, tools, limit, leaseMs, nowMs }: ClaimRequest): readonly WorkItemRow[] {
    const oldest = [...this.#tables.items.values()]
      .filter((item) => item.tenantId === tenantId && item.status === 'pending' && queues.includes(item.queue))
      .filter(({ tool }) => tools === null || tools.includes(tool))
      .sort((a, b) => a.createdAtMs - b.createdAtMs || a.position - b.position)
      .slice(0, limit);
    return oldest.map((item) => {
      const claimed: StoredItem = {
        ...item,
        status: 'claimed',
        workerId,
        fence: item.fence + 1,
        leaseExpiresAtMs: nowMs + leaseMs,
        deadlineAtMs: item.timeoutMs === null ? null : nowMs + item.timeoutMs,
        claimedAtMs: nowMs,
      };
      this.#tables.items.set(item.id, claimed);
      return this.item(claimed);
    });
  }

  renewLease({ tenantId, id, workerId, fence, leaseExpiresAtMs }: LeaseRenewal): boolean {
    const item = this.#tables.items.get(id);
    if (item?.tenantId !== tenantId || item.status !== 'claimed' || item.workerId !== workerId || item.fence !== fence)
      return false;
    this.#tables.items.set(id, { ...item, leaseExpiresAtMs });
    return true;
  }

  waiting(tenantId: string): readonly WaitingWork[] {
    const pairs = new Map<string, WaitingWork>();
    for (const { queue, tool, status, createdAtMs, tenantId: of } of this.#tables.items.values()) {
      if (status !== 'pending' || of !== tenantId) continue;
      const { waiting, oldestAtMs } = pairs.get(key(queue, tool)) ?? { waiting: 0, oldestAtMs: createdAtMs };
      pairs.set(key(queue, tool), { queue, tool, waiting: waiting + 1, oldestAtMs: Math.min(oldestAtMs, createdAtMs) });
    }
    return [...pairs.values()].sort((a, b) => (key(a.queue, a.tool) < key(b.queue, b.tool) ? -1 : 1)).slice(0, MAX_WAITING_WORK);
  }

  unclaimed(queue: string, after: string, limit: number): readonly WorkItemRow[] {
    return [...this.#tables.items.values()]
      .filter((item) => item.queue === queue && item.status === 'pending' && item.id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit)
      .map((item) => this.item(item));
  }

  /** The row as the port returns it. */
  item({ position: _position, ...item }: StoredItem): WorkItemRow {
    const execution = this.#tables.executions.get(item.executionId)?.row;
    return { ...item, workflowId: execution?.workflowId ?? '', workflowVersion: execution?.workflowVersion ?? '' };
  }
}
