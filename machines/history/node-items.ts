import { type HistoryEvent, numberOf, textOf } from './event.ts';
import type { VisitStatus } from './node-visit.ts';

/** An item of the list that a node works on, as the API returns it. */
export interface NodeItem {
  /** Its place in the list, counted from 0. */
  readonly item: number;
  readonly status: VisitStatus;
  /** Number of attempts. */
  readonly attempts: number;
  /** Of the last attempt that failed. */
  readonly error?: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  /** Milliseconds of the attempt that succeeded. */
  readonly duration_ms: number | null;
  readonly child_execution_id?: string;
}

const STATUS_AFTER: Readonly<Partial<Record<string, VisitStatus>>> = {
  node_scheduled: 'queued',
  node_started: 'active',
  tool_approval_required: 'held',
  retry_scheduled: 'retrying',
  node_parked: 'retrying',
  child_workflow_waiting: 'queued',
  child_workflow_started: 'active',
  child_workflow_paused: 'waiting',
  child_workflow_resumed: 'active',
  node_completed: 'done',
  node_failed: 'failed',
  node_cancelled: 'cancelled',
};
const UNBEGUN = { status: 'queued', attempts: 0, started_at: null, completed_at: null, duration_ms: null } as const;

/** The items of the last visit to a node, from its events in order. An event costs the same however long the list is. */
export class NodeItems {
  readonly #items = new Map<number, NodeItem>();
  #count = 0;

  /** The length of the list; 0 before the node has begun. */
  get count(): number {
    return this.#count;
  }

  apply({ type, data, created_at }: HistoryEvent): void {
    if (type === 'map_started') {
      this.#count = Number(data.count);
      if (data.kept === undefined) this.#items.clear();
    }
    const { item } = data;
    const status = STATUS_AFTER[type];
    if (typeof item !== 'number' || status === undefined) return;
    const known = this.#items.get(item) ?? { item, ...UNBEGUN };
    this.#items.set(item, Object.assign({}, known, { status }, changeBy(type, data, created_at, known)));
  }

  /** Those that have begun, in the order of the list. `status`: only those with it. */
  page({ after, limit, status }: { readonly after: number; readonly limit: number; readonly status?: string | undefined }): {
    readonly items: readonly NodeItem[];
    readonly next: number | null;
  } {
    const found = [...this.#items.values()]
      .filter((one) => one.item > after && (status === undefined || one.status === status))
      .sort((a, b) => a.item - b.item);
    const items = found.slice(0, limit);
    return { items, next: found.length > limit ? (items.at(-1)?.item ?? null) : null };
  }
}

function changeBy(type: string, data: HistoryEvent['data'], at: string, known: NodeItem): Partial<NodeItem> {
  switch (type) {
    case 'node_started':
      return { attempts: (numberOf(data.attempt) ?? 0) + 1, started_at: at, completed_at: null };
    case 'child_workflow_started':
      return { child_execution_id: textOf(data.child_execution_id) };
    case 'node_completed':
      return { completed_at: at, duration_ms: numberOf(data.duration_ms) };
    case 'node_failed':
      return {
        attempts: Math.max(known.attempts, (numberOf(data.attempt) ?? 0) + 1),
        error: textOf(data.error),
        completed_at: at,
      };
    case 'node_cancelled':
      return { completed_at: at };
    default:
      return {};
  }
}
